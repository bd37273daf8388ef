"""Files that a browser sent, kept beside the studies so that the command that builds from them can be run again."""

import gzip
import hashlib
import io
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

import pyarrow.parquet as pq

from seqsae_core.data.readers import READERS
from seqsae_core.errors import UserError
from seqsae_core.files import explained, replacing

FOLDER = "uploads"
MOST_BYTES, MOST_ROWS = 2**31, 30_000_000
BLOCK = 2**24
TYPES = sorted({suffix.removeprefix(".") for suffix in READERS} | {"gz"})


class Upload(Protocol):
    """What Streamlit's uploader returns."""

    name: str

    def getvalue(self) -> bytes:
        """All of the file."""


def keep(upload: Upload, root: Path) -> Path:
    """Writes an upload to `root`/uploads/<digest of its bytes>/, once, and returns where.

    Nothing of the sender's file name is kept but its type. Raises UserError for a type that no reader takes, and for a
    table of more than MOST_ROWS rows or, unpacked, MOST_BYTES bytes.
    """
    content, suffix = upload.getvalue(), _suffix(upload.name)
    folder = root / FOLDER / hashlib.sha256(content).hexdigest()[:16]
    path = folder / ("movies.dat" if upload.name == "movies.dat" else f"table{suffix}")
    if not path.is_file():
        _refuse_large(upload.name[:60], content, suffix)
        with explained(folder):
            folder.mkdir(parents=True, exist_ok=True)
            with replacing(path) as aside:
                aside.write_bytes(content)
    return path


def _refuse_large(name: str, content: bytes, suffix: str) -> None:
    """Raises UserError where a table has too many rows, or is too large unpacked; reads no more of it than that takes."""
    bytes_, rows = 0, 0
    try:
        for more, lines in _parquet(content) if suffix == ".parquet" else _text(content, suffix.endswith(".gz")):
            bytes_, rows = bytes_ + more, rows + lines
            if bytes_ > MOST_BYTES or rows > MOST_ROWS:
                raise UserError(
                    f"{name}: more than {MOST_ROWS:,} rows or, unpacked, {MOST_BYTES / 2**30:.0f} GiB. Build from it on "
                    "the command line, or send a part of it."
                )
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise UserError(f"{name}: cannot be read as {suffix} ({error}). Check that the file is whole.") from error


def _parquet(content: bytes) -> Iterable[tuple[int, int]]:
    """(bytes unpacked, rows) of each group of rows, as the file itself says."""
    told = pq.ParquetFile(io.BytesIO(content)).metadata
    groups = (told.row_group(i) for i in range(told.num_row_groups))
    return ((group.total_byte_size, group.num_rows) for group in groups)


def _text(content: bytes, packed: bool) -> Iterable[tuple[int, int]]:
    """(bytes unpacked, line ends) of each block."""
    file = gzip.open(io.BytesIO(content)) if packed else io.BytesIO(content)
    blocks = iter(lambda: file.read(BLOCK), b"")
    return ((len(block), block.count(b"\n")) for block in blocks)


def _suffix(name: str) -> str:
    parts = Path(name.lower()).suffixes
    packed = parts[-1:] == [".gz"]
    kind = parts[-2:-1] if packed else parts[-1:]
    if not kind or kind[0] not in READERS:
        raise UserError(f"{name[:60]}: unknown file type. Use {', '.join(READERS)}, or one of them as .gz.")
    return kind[0] + (".gz" if packed else "")
