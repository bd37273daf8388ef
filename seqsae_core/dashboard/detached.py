"""Work that a page starts in a process of its own, which outlives the dashboard; the page shows how far it is."""

import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st

from seqsae_core.dashboard import waiting
from seqsae_core.study import read_progress

LOG = "detached.log"
BUSY = ":material/progress_activity: Other work on this study is running. This can start when that is done."


@st.fragment(run_every=1.5)
def runner(
    folder: Path, label: str, command: str, landed: Callable[[], bool], mine: Callable[[set[str]], bool]
) -> None:
    """What `offer` offers; while that builds the study, its progress instead.

    landed: whether the page has something new to show; it is then drawn again. mine: whether stages of these names are
    this work's; of other work it is only said that it runs.
    """
    if landed():
        st.rerun()
    progress = _progress(folder)
    own = mine({stage["name"] for stage in progress["stages"]})
    if waiting.alive(progress):
        if own:
            waiting.stages(progress)
            waiting.verdict(folder, progress)
        else:
            st.caption(BUSY)
        return
    if own and progress["state"] == "failed":
        st.error(f"The last run stopped: {progress.get('error')}", icon=":material/error:")
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
        subprocess.Popen(words, stdout=log, stderr=log, start_new_session=True)
    st.toast("Started; progress appears here in a moment.")


def _progress(folder: Path) -> dict[str, Any]:
    return read_progress(folder) or {"stages": [], "state": "idle"}
