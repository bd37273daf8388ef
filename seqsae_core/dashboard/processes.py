"""Command lines that a page starts detached from the server: started, stopped, and why they ended badly."""

import shlex
import subprocess
import sys
import threading
from pathlib import Path

from seqsae_core.files import explained, not_elsewhere

LOG = "detached.log"

_running: dict[Path, subprocess.Popen] = {}
_stopped: set[int] = set()
_failures: dict[tuple[Path, str], str] = {}
"""What this server's children said last where they ended badly, by folder and command line."""


def start(folder: Path, command: str) -> None:
    """Starts a `python …` command line in a session of its own; what it prints goes to a log in `folder`.

    Raises UserError where the disk refuses.
    """
    words = [sys.executable, *shlex.split(command)[1:]]
    with explained(folder):
        folder.mkdir(parents=True, exist_ok=True)
        with open(folder / LOG, "ab", opener=not_elsewhere) as log:
            begins = log.tell()
            child = subprocess.Popen(words, stdout=log, stderr=log, start_new_session=True)
    _failures.pop((folder, command), None)
    _running[folder] = child
    threading.Thread(target=_wait, args=(child, folder, command, begins), daemon=True).start()


def failure(folder: Path, command: str) -> str | None:
    """What the last run of a command line said where it ended badly by itself."""
    return _failures.get((folder, command))


def stoppable(folder: Path) -> bool:
    """Whether this server started what works on the folder, and it still runs."""
    child = _running.get(folder)
    return child is not None and child.poll() is None


def stop(folder: Path) -> None:
    """Ends what this server started on the folder; no stage that is complete is lost."""
    if stoppable(folder):
        child = _running[folder]
        _stopped.add(child.pid)
        child.terminate()


def wait(folder: Path, seconds: float = 20.0) -> None:
    """Until what this server started on the folder has ended. Raises subprocess.TimeoutExpired after `seconds`."""
    _running[folder].wait(seconds)


def _wait(child: subprocess.Popen, folder: Path, command: str, begins: int) -> None:
    """Keeps the last line that a child printed, if it ends badly: it may have failed before it had any progress."""
    if child.wait() and child.pid not in _stopped:
        with (folder / LOG).open("rb") as log:
            log.seek(begins)
            said = log.read().decode(errors="replace").strip().splitlines()
        _failures[folder, command] = said[-1].removeprefix("error: ") if said else f"exit code {child.returncode}"
    _stopped.discard(child.pid)
