"""Work that a page starts in a process of its own, which outlives the dashboard; the page shows how far it is, and why
it ended where it ended badly."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st

from seqsae_core.dashboard import literal, processes, waiting
from seqsae_core.study import read_progress

BUSY = ":material/progress_activity: Other work on this study is running. This can start when that is done."


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
    told = progress.get("error") if own and progress["state"] == "failed" else None
    why = processes.failure(folder, command) or told
    if why:
        st.error(f"The last run stopped: {literal.told(why)}", icon=":material/error:")
    offer(folder, label, command)


def offer(folder: Path, label: str, command: str) -> None:
    """A button that starts a `python …` command line, and the line itself."""
    if st.button(label, icon=":material/play_arrow:", key=f"start-{label}"):
        start(folder, command)
    st.caption("or on the command line:")
    st.code(command, language=None, wrap_lines=True)


def start(folder: Path, command: str) -> None:
    """Starts a command line detached from the server, unless other work on the study runs."""
    if waiting.alive(_progress(folder)):
        st.toast("This study is being built already. Try again when that is done.")
        return
    processes.start(folder, command)
    st.toast("Started; progress appears here in a moment.")


def _progress(folder: Path) -> dict[str, Any]:
    return read_progress(folder) or {"stages": [], "state": "idle"}
