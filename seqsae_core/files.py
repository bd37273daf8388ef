"""Files that are there whole or not at all, whenever the power goes; and what a disk refuses, in plain words."""

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from seqsae_core.errors import UserError

REMEDIES = {
    errno.ENOSPC: "the disk is full. Make room on it, then run the same again: what was finished is kept",
    errno.EDQUOT: "your share of the disk is used up. Make room, then run the same again: what was finished is kept",
    errno.EFBIG: "the file would be larger than the system allows (ulimit -f). Raise the limit, then run it again",
    errno.EROFS: "the disk is mounted read-only. Choose another folder, or mount it for writing",
    errno.EACCES: "permission denied. Allow this user to read and write there, or choose another folder",
    errno.EPERM: "the system does not permit it. Allow this user to write there, or choose another folder",
    errno.EIO: "the disk reports an error. Check it, then run the same again: what was finished is kept",
    errno.EEXIST: "a file is in the way. Move it, or choose another folder",
    errno.ELOOP: "a symbolic link is in the way. Put the file itself in its place, or remove it",
    errno.ENOTDIR: "a part of the path is a file, not a folder. Choose another folder",
}
OS_ERROR = re.compile(r"os error (\d+)")


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """What the disk refuses in this block becomes a UserError that names the file, or `path` where it is not told.

    Libraries that write by themselves tell the reason in other exceptions; it is found in their words.
    """
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        reason = refusal(error)
        if reason is None:
            raise
        named = getattr(error, "filename", None) or path
        raise UserError(f"{named}: {reason}.") from error


def refusal(error: BaseException) -> str | None:
    """Why the disk refused, and the remedy; None where the error is of another kind."""
    number = getattr(error, "errno", None)
    if number is None and (told := OS_ERROR.search(str(error))):
        number = int(told[1])
    return REMEDIES.get(number)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A path beside `path` to write to; on leaving without error it is on the disk and takes the place of `path`."""
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    aside.unlink(missing_ok=True)
    try:
        yield aside
        sync(aside)
        os.replace(aside, path)
        sync(path.parent)
    finally:
        aside.unlink(missing_ok=True)


def not_elsewhere(path: str, flags: int) -> int:
    """For open(…, opener=…): opens no symbolic link, which may lead out of a study that somebody sent."""
    return os.open(path, flags | os.O_NOFOLLOW, 0o644)


def sync_tree(folder: Path) -> None:
    """Wait until every file under a folder, and every name in it, are on the disk."""
    for path in folder.rglob("*"):
        sync(path)
    sync(folder)


def sync(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
