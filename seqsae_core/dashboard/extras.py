"""The card of the stage `extras`: what it adds, and the button that starts it in a process of its own."""

import subprocess
import sys
from pathlib import Path

import streamlit as st

from seqsae_core.dashboard import waiting, widgets
from seqsae_core.dashboard.loading import Opened
from seqsae_core.study import read_progress

LOG = "extras.log"
ADDS = (
    "More rivals under the same measurement (ICA, an SAE of the untrained model, of the item embeddings, of shuffled "
    "sequences), three re-trainings of the dictionary with other seeds, and more trade-off curves. Up to 20 minutes on "
    "two cores; the pages stay open meanwhile."
)


def card(opened: Opened) -> None:
    """What extras add, and its state: there, running, or to be started."""
    widgets.section("Extras")
    with st.container(border=True):
        st.markdown(ADDS)
        if opened.has("extras"):
            st.markdown(":material/check_circle: These are part of this study.")
        elif opened.dictionary != opened.study.default_dictionary:
            st.caption("Extras are computed for the study's default dictionary; this is another one.")
        else:
            _state(opened.study.path, opened.dictionary)


@st.fragment(run_every=1.5)
def _state(folder: Path, dictionary: str | None) -> None:
    if waiting.landed(folder, ("extras",), dictionary):
        st.rerun()
    progress = read_progress(folder) or {"stages": [], "state": "idle"}
    if waiting.alive(progress):
        waiting.stages(progress)
        waiting.verdict(folder, progress)
        return
    if progress["state"] == "failed":
        st.error(f"The last run stopped: {progress.get('error')}", icon=":material/error:")
    if st.button("Compute the extras", icon=":material/play_arrow:"):
        start(folder)
    st.caption(f"or on the command line: `{' '.join(['python', *command(folder)])}`")


def start(folder: Path) -> None:
    """Starts the extras detached from the server; what it prints goes to a log in the study's folder."""
    with (folder / LOG).open("ab") as log:
        subprocess.Popen([sys.executable, *command(folder)], stdout=log, stderr=log, start_new_session=True)
    st.toast("Started; progress appears here in a moment.")


def command(folder: Path) -> list[str]:
    """Arguments of the Python that computes the extras."""
    return ["-m", "seqsae_core", "extras", str(folder)]
