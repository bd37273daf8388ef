"""One writer a study: a lock that says who holds it and since when, and that the system frees with its owner.

The lock is the operating system's (flock(2)) on the file `.lock` in the study's folder, so that one left behind by
a killed process is free at once, whatever the file says; the text in it is for whoever is refused.
"""

import errno
import fcntl
import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from seqsae_core.errors import UserError
from seqsae_core.files import explained, not_elsewhere
from seqsae_core.progress import clock

LOCK = ".lock"
NO_LOCKS = (errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS)


@contextmanager
def writing(folder: Path, job: str) -> Iterator[None]:
    """Nobody else builds in this folder meanwhile; what the disk refuses becomes a UserError.

    job: what is done, for whoever is refused. Raises UserError naming the owner, its process, machine and age where
    another one holds the lock. On a file system without locks everybody passes.
    """
    with explained(folder):
        folder.mkdir(parents=True, exist_ok=True)
        with open(folder / LOCK, "a+", encoding="utf-8", opener=not_elsewhere) as file:
            _take(file, folder)
            _sign(file, job)
            try:
                yield
            finally:
                file.truncate(0)


def _take(file: Any, folder: Path) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        whose = _said(_signed(folder))
        raise UserError(f"{folder} is being built by {whose}. Wait for it, or stop it first.") from None
    except OSError as error:
        if error.errno not in NO_LOCKS:
            raise


def _sign(file: Any, job: str) -> None:
    file.truncate(0)
    json.dump({"pid": os.getpid(), "host": socket.gethostname(), "job": job, "since": time.time()}, file)
    file.flush()


def _signed(folder: Path) -> dict[str, Any] | None:
    """What the owner wrote: pid, host, job, since (Unix seconds); None where it cannot be read."""
    try:
        found = json.loads((folder / LOCK).read_text(encoding="utf-8"))
        return {"pid": int(found["pid"]), "host": str(found["host"]), "job": str(found["job"]),
                "since": float(found["since"])}  # fmt: skip
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _said(who: dict[str, Any] | None) -> str:
    if who is None:
        return "another process"
    where = "" if who["host"] == socket.gethostname() else f" on {who['host']}"
    return f"process {who['pid']}{where} ({who['job']}, for {clock(max(0.0, time.time() - who['since']))} min)"
