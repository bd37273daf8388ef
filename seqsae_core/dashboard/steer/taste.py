"""Edits the same for all users, or scaled by what each user's own history has of what they turn."""

from dataclasses import replace

import streamlit as st

from seqsae_core.dashboard import navigation
from seqsae_core.dashboard.loading import Opened
from seqsae_core.dashboard.steer.applying import apply, shown, steerer_of
from seqsae_core.dashboard.steer.scene import Scene
from seqsae_core.dashboard.widgets import fixed, read
from seqsae_core.steering.edits import TOWARDS

SAME, OWN = "Same for all", "By own taste"
KEY = "whose-strength"
SURENESS = (
    "Of its own list the model expects an NDCG@10 of {} here, of {} in the median: in curves by sureness the strengths "
    "for this history are × {}."
)
ABOUT = (
    "By own taste: the strength is multiplied by ½ for a user whose history has nothing of what is turned, by 1 at the "
    "usual amount, and by up to 1½ with more of it. Kinds that go to a level are the same for all."
)


def control(opened: Opened, found: Scene) -> None:
    """The choice for all sliders that have one, and this history's factors."""
    can = [edit for edit in found.edits if edit.kind not in TOWARDS]
    if not can:
        return
    own = any(edit.by_taste for edit in can)
    key = f"{KEY}-{own}"
    st.segmented_control(
        "Strength", (SAME, OWN), default=OWN if own else SAME, key=key, help=ABOUT, required=True,
        on_change=navigation.while_shown(_chosen), args=(found, key),
    )  # fmt: skip
    if own:
        factors = steerer_of(opened, found.position).taste(found.history, can)
        st.caption("For this history the strength is × " + ", × ".join(fixed(factor, 2) for factor in factors))
    _sureness(opened, found)


def _sureness(opened: Opened, found: Scene) -> None:
    """How sure the model is of this history's list, and what the build's curves by sureness make of that."""
    summary = opened.steering_summary() if opened.has("steering") else {}
    usual = summary.get("latents", {}).get("usual_sureness")
    if usual is not None:
        own, times = opened.steerer().sureness(found.history, usual)
        read(SURENESS.format(*(fixed(value, 2) for value in (own, usual, times))), "steering")


def _chosen(found: Scene, key: str) -> None:
    own = st.session_state[key] == OWN
    apply(found, [replace(edit, by_taste=own and edit.kind not in TOWARDS) for edit in shown(found)])
