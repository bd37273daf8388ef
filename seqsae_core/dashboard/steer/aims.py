"""A target for this list, the smallest strength that reaches it, and what that costs."""

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from seqsae_core.dashboard.loading import Opened
from seqsae_core.dashboard.steer import concept_edits, dials
from seqsae_core.dashboard.steer.applying import apply, steerer_of
from seqsae_core.dashboard.steer.counted import concept_of
from seqsae_core.dashboard.steer.scene import Scene, limit
from seqsae_core.dashboard.steer.turning import Turned
from seqsae_core.dashboard.widgets import fixed, percent, plain
from seqsae_core.steering.edits import Edit

if TYPE_CHECKING:
    from seqsae_core.steering.goals import Reached

ABOUT = "Every strength of the slider's grid is tried for this history, the other sliders held; the one nearest 0 wins."


def panel(opened: Opened, found: Scene, turned: Turned) -> None:
    """From N to M of a concept in the top 10: the answer, and one click that applies it."""
    table = opened.concepts()
    if not table.names:
        st.info("This study has no concepts, so there is nothing to count.", icon=":material/label_off:")
        return
    about = concept_of(opened, turned.edits)
    row = st.container(horizontal=True, vertical_alignment="bottom")
    start = table.names.index(about) if about in table.names else 0
    least = row.number_input("At least", 0, 10, 3, key="target-least", width=110)
    most = row.number_input("and at most", 0, 10, 10, key="target-most", width=110)
    concept = row.selectbox("of the top 10 are", table.names, start, key=f"target-{about}", width=260)
    edits, which = turning(opened, turned.edits, concept)
    labels = table.values[:, table.names.index(concept)] > 0.5
    reached = _reach(opened, found, edits, which, labels, (int(least), int(most)))
    _answer(opened, found, reached, edits, which)
    st.caption(ABOUT)


def turning(opened: Opened, edits: tuple[Edit, ...], concept: str) -> tuple[tuple[Edit, ...], int]:
    """The edits and which of them is turned for a concept: a slider that is about it, or its latents on a new one."""
    latents = opened.features("latents")
    about = [str(latents.at[edit.latents[0], "top_concept"]) == concept and edit.kind == "add" for edit in edits]
    own = concept_edits.of_study(opened).get(concept)
    if any(about) or own is None:
        return edits, about.index(True) if any(about) else 0
    return (*edits, own), len(edits)


def _reach(
    opened: Opened, found: Scene, edits: tuple[Edit, ...], which: int, labels: np.ndarray, bounds: tuple[int, int]
) -> "Reached":
    from seqsae_core.steering.goals import Target, reach

    grid = dials.dial(edits[which], opened.features("latents"), limit(opened)).grid()
    return reach(steerer_of(opened, found.position), found.history, edits, which, Target(labels, *bounds), grid)


def _answer(opened: Opened, found: Scene, reached: "Reached", edits: tuple[Edit, ...], which: int) -> None:
    by_hand = reached.price_by_hand
    if reached.price is None:
        st.warning(f"No strength of this slider reaches it: the nearest list has {reached.count}.")
    else:
        kept = percent(reached.price.probability_kept, 0)
        st.markdown(
            f"**{fixed(reached.strength, 1, True)}** reaches it with {reached.count}: {reached.price.replaced} items "
            f"replaced, {kept} of the list's probability kept."
        )
        wanted = replace(edits[which], strength=reached.strength)
        st.button(
            "Apply", icon=":material/check:", key="apply-target", type="primary",
            on_click=apply, args=(found, (*edits[:which], wanted, *edits[which + 1 :])),
        )  # fmt: skip
    if by_hand is not None:
        kept = percent(by_hand.probability_kept, 0)
        st.caption(plain(f"Swapping items by hand: {by_hand.replaced} replaced, {kept} of the probability kept."))
