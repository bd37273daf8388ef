"""Work that a page starts in a process of its own, which outlives the dashboard; the page shows how far it is, and why
it ended where it ended badly."""

import shlex
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st

from seqsae_core.dashboard import waiting
from seqsae_core.study import read_progress

LOG = "detached.log"
BUSY = ":material/progress_activity: Other work on this study is running. This can start when that is done."


_failures: dict[tuple[Path, str], str] = {}
"""What this server's children said last where they ended badly, by folder and command line."""


@st.fragment(run_every=1.5)
def runner(folder: Path, label: str, command: str, job: str, landed: Callable[[], bool]) -> None:
    """What `offer` offers; while that builds the study, its progress instead, and afterwards why it failed.

    job: what its progress is called; of other work it is only said that it runs. landed: whether the page has something
    new to show; it is then drawn again.
    """
    if landed():
        st.rerun()
    progress = _progress(folder)
    own = progress.get("job") == job
    if waiting.alive(progress):
        if own:
            waiting.stages(progress)
            waiting.verdict(folder, progress)
        else:
            st.caption(BUSY)
        return
    why = _failures.get((folder, command)) or (progress.get("error") if own and progress["state"] == "failed" else None)
    if why:
        st.error(f"The last run stopped: {why}", icon=":material/error:")
    offer(folder, label, command)


def offer(folder: Path, label: str, command: str) -> None:
    """A button that starts a `python …` command line, and the line itself."""
    if st.button(label, icon=":material/play_arrow:", key=f"start-{label}"):
        start(folder, command)
    st.caption("or on the command line:")
    st.code(command, language="bash")


def start(folder: Path, command: str) -> None:
    """Starts a command line detached from the server; what it prints goes to a log in the study's folder."""
    if waiting.alive(_progress(folder)):
        st.toast("This study is being built already. Try again when that is done.")
        return
    words = [sys.executable, *shlex.split(command)[1:]]
    with (folder / LOG).open("ab") as log:
        begins = log.tell()
        child = subprocess.Popen(words, stdout=log, stderr=log, start_new_session=True)
    _failures.pop((folder, command), None)
    threading.Thread(target=_wait, args=(child, folder, command, begins), daemon=True).start()
    st.toast("Started; progress appears here in a moment.")


def _wait(child: subprocess.Popen, folder: Path, command: str, begins: int) -> None:
    """Keeps the last line that a child printed, if it ends badly: it may have failed before it had any progress."""
    if child.wait():
        with (folder / LOG).open("rb") as log:
            log.seek(begins)
            said = log.read().decode(errors="replace").strip().splitlines()
        _failures[folder, command] = said[-1].removeprefix("error: ") if said else f"exit code {child.returncode}"


def _progress(folder: Path) -> dict[str, Any]:
    return read_progress(folder) or {"stages": [], "state": "idle"}
