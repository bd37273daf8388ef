"""The card of the stage `extras`: what it adds, and the button that starts it."""

import streamlit as st

from seqsae_core.commands import extras_command
from seqsae_core.dashboard import detached, waiting, widgets
from seqsae_core.dashboard.loading import Opened

ADDS = (
    "More rivals under the same measurement (ICA, an SAE of the untrained model, of the item embeddings, of shuffled "
    "sequences), three re-trainings of the dictionary with other seeds, and more trade-off curves. Up to 20 minutes on "
    "two cores; the pages stay open meanwhile."
)


def card(opened: Opened) -> None:
    """What extras add, and its state: there, running, or to be started."""
    widgets.section("Extras")
    folder, dictionary = opened.study.path, opened.dictionary
    with st.container(border=True):
        st.markdown(ADDS)
        if opened.has("extras"):
            st.markdown(":material/check_circle: These are part of this study.")
        elif dictionary != opened.study.default_dictionary:
            st.caption("Extras are computed for the study's default dictionary; this is another one.")
        else:
            landed = lambda: waiting.landed(folder, ("extras",), dictionary)  # noqa: E731
            detached.runner(folder, "Compute the extras", extras_command(folder), "extras", landed)
