"""Files that a browser sent, kept beside the studies so that the command that builds from them can be run again."""

import hashlib
from pathlib import Path
from typing import Protocol

from seqsae_core.data.readers import READERS
from seqsae_core.errors import UserError
from seqsae_core.files import explained, replacing

FOLDER = "uploads"
TYPES = sorted({suffix.removeprefix(".") for suffix in READERS} | {"gz"})


class Upload(Protocol):
    """What Streamlit's uploader returns."""

    name: str

    def getvalue(self) -> bytes:
        """All of the file."""


def keep(upload: Upload, root: Path) -> Path:
    """Writes an upload to `root`/uploads/<digest of its bytes>/, once, and returns where.

    Nothing of the sender's file name is kept but its type. Raises UserError for a type that no reader takes.
    """
    content, suffix = upload.getvalue(), _suffix(upload.name)
    folder = root / FOLDER / hashlib.sha256(content).hexdigest()[:16]
    path = folder / ("movies.dat" if upload.name == "movies.dat" else f"table{suffix}")
    if not path.is_file():
        with explained(folder):
            folder.mkdir(parents=True, exist_ok=True)
            with replacing(path) as aside:
                aside.write_bytes(content)
    return path


def _suffix(name: str) -> str:
    parts = Path(name.lower()).suffixes
    packed = parts[-1:] == [".gz"]
    kind = parts[-2:-1] if packed else parts[-1:]
    if not kind or kind[0] not in READERS:
        raise UserError(f"{name[:60]}: unknown file type. Use {', '.join(READERS)}, or one of them as .gz.")
    return kind[0] + (".gz" if packed else "")
