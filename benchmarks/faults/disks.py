"""Builds on disks that are too small (tmpfs, which needs the right to mount): what is said, and what is kept.

The study grows from disk to disk: each is a little larger, and takes up what the one before had finished.
"""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.faults.kills import digests
from seqsae_core.build import build
from seqsae_core.config import StudyConfig
from seqsae_core.errors import UserError
from seqsae_core.store import MANIFEST
from seqsae_core.study import Study


@contextmanager
def disk(place: Path, kib: int) -> Iterator[Path]:
    """A disk of so many KiB at `place`. Raises CalledProcessError where nothing may be mounted."""
    place.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={kib}k", "tmpfs", str(place)], check=True)
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)


def full(reference: Path, folder: Path, config: StudyConfig, sizes: tuple[int, ...]) -> dict[str, Any]:
    """For each size in KiB: what the build said, and whether all that it had finished is the reference's."""
    wanted, tried = digests(Study.open(reference)), []
    kept = folder / "kept"
    for kib in sizes:
        with disk(folder / f"disk-{kib}", kib) as place:
            if kept.exists():
                shutil.copytree(kept, place / "study")
            said = _said(place / "study", config)
            seen = _seen(place / "study")
            tried.append({"kib": kib, "said": said, "stages": len(seen), "whole": seen.items() <= wanted.items()})
            if seen and said != "built":
                shutil.rmtree(kept, ignore_errors=True)
                shutil.copytree(place / "study", kept)
    return {"disks": tried}


def _said(folder: Path, config: StudyConfig) -> str:
    try:
        build(folder, config)
    except UserError as error:
        return str(error).replace(str(folder.parent), "…")
    except Exception as error:  # noqa: BLE001 - whatever else comes through is a finding
        return f"UNEXPECTED {type(error).__name__}: {error}"
    return "built"


def _seen(folder: Path) -> dict[str, str]:
    return digests(Study.open(folder)) if (folder / MANIFEST).exists() else {}
