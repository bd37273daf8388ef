"""The search box and the facets over the table of latents: what they hold is part of the link, and the link of them."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from seqsae_core.dashboard import permalink, widgets
from seqsae_core.dashboard.latents.facets import REVIEWS, STATES, Facets
from seqsae_core.dashboard.loading import Opened
from seqsae_core.dashboard.permalink import View

EVERY = "all"
PAUSE = "100ms"
START, SEEN, TOUCHED = "narrowing-start", "narrowing-link", "narrowing-touched"
DENSITIES = (0.0, 0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0)
ENDS = (DENSITIES[0], DENSITIES[-1])
CONFIDENCES = (0.0, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95)
RECURRENCES = {"re-appears": "Re-appears", "partly": "Partly", "lost": "Not found again"}
REVIEWED = {"none": "Not reviewed", **{name: name.capitalize() for name in REVIEWS[1:]}}
ABOUT_SEARCH = "Every word must be in the name, the top concept, or a title among those that fire it most; or a number."
NOT_RETRAINED = "Measured by the extras (see Overview): whether dictionaries trained again have a latent like it."
NOT_REVIEWED = "Nobody has reviewed a latent of this dictionary yet: the page Review is for that."
ABOUT_CONFIDENCE = "Balanced accuracy of the name's rule on items not used in naming; latents without a rule have none."


@dataclass(frozen=True)
class Start:
    """What the controls begin with; another link is another start, with controls of its own."""

    search: str
    facets: Facets
    number: int = 0

    def key(self, name: str) -> str:
        """Of a control."""
        return f"narrow-{name}-{self.number}"


def controls(rows: pd.DataFrame, typed: Callable[[], None], then: Callable[[], None]) -> None:
    """Draws search and facets. rows: all latents, for what there is to choose; typed, then: what a letter and any other
    change call, to run again what depends on them and not the controls."""
    start = _start(permalink.read())
    box, choice = widgets.pair([3, 2], "search", vertical_alignment="bottom")
    box.text_input(
        "Search", start.search, key=start.key("search"), live=PAUSE, placeholder="name, concept, title or number",
        icon=":material/search:", help=ABOUT_SEARCH, on_change=typed,
    )  # fmt: skip
    choice.segmented_control(
        "Show", [EVERY, *STATES], default=start.facets.state or EVERY, key=start.key("state"), required=True,
        format_func=lambda s: STATES.get(s, "All"), on_change=then,
    )  # fmt: skip
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom", key="facets"):
        _facets(rows, start, then)


def asked() -> tuple[str, Facets]:
    """The search and the facets that the controls hold, which the link then says."""
    st.session_state.pop(TOUCHED, None)
    held = partial(_held, st.session_state[START])
    search, state, density = str(held("search") or "").strip(), held("state"), tuple(held("density"))
    facets = Facets(
        None if state in (None, EVERY) else state, tuple(held("concepts")), None if density == ENDS else density,
        held("confidence") or None, tuple(held("stability")), tuple(held("review")),
    )  # fmt: skip
    _into_the_link(search, facets)
    return search, facets


def _held(start: Start, name: str) -> Any:
    return st.session_state[start.key(name)]


def _facets(rows: pd.DataFrame, start: Start, then: Callable[[], None]) -> None:
    begin = start.facets
    st.multiselect(
        "Concept", _concepts(rows, begin), begin.concepts, key=start.key("concepts"), width=230,
        placeholder="Any concept", on_change=then,
    )  # fmt: skip
    st.select_slider(
        "Density", DENSITIES, tuple(_near(DENSITIES, d) for d in begin.density or ENDS), key=start.key("density"),
        format_func=_share, width=170, on_change=then,
    )  # fmt: skip
    st.select_slider(
        "Name confidence from", CONFIDENCES, _near(CONFIDENCES, begin.confidence or 0.0), key=start.key("confidence"),
        width=170, help=ABOUT_CONFIDENCE, format_func=lambda c: f"{c:.2f}" if c else "any", on_change=then,
    )  # fmt: skip
    some = partial(_some, start, then)
    some("stability", "In re-trainings", RECURRENCES, None if "stability" in rows else NOT_RETRAINED)
    some("review", "Review", REVIEWED, None if "name_review" in rows else NOT_REVIEWED)


def _some(
    start: Start, then: Callable[[], None], name: str, label: str, options: dict[str, str], lacking: str | None
) -> None:
    """lacking: what brings that which the facet is about, where the study has it not; then the facet is off."""
    st.multiselect(
        label, list(options), getattr(start.facets, name), key=start.key(name), placeholder="Any", width=170,
        format_func=options.get, on_change=then, disabled=lacking is not None, help=lacking,
    )  # fmt: skip


def _concepts(rows: pd.DataFrame, begin: Facets) -> list[str]:
    """Concepts that some latent names, the most frequent first; those of the link too, so that none is lost."""
    names = rows.loc[rows["significant"], "top_concept"].value_counts().index.tolist()
    return [*names, *(name for name in begin.concepts if name not in names)]


def _share(value: float) -> str:
    return f"{100 * value:g} %"


def _near(grid: tuple[float, ...], value: float) -> float:
    return grid[int(np.abs(np.subtract(grid, value)).argmin())]


def touched() -> None:
    """A control was: whatever runs next keeps what the controls hold."""
    st.session_state[TOUCHED] = True


def _start(view: View) -> Start:
    """A link that this page did not write (a cold one, Back, another page's) starts anew. Not in a run that a control
    has started: while one types, the browser may not yet have the link of the letter before."""
    there, touched_now = (view.search, view.where), st.session_state.pop(TOUCHED, False)
    start = st.session_state.get(START)
    shown = start is not None and start.key("state") in st.session_state
    if not (shown and (touched_now or st.session_state.get(SEEN) == there)):
        start = Start(view.search or "", view.where or Facets(), start.number + 1 if start else 0)
        st.session_state[START] = start
    return start


def _into_the_link(search: str, facets: Facets) -> None:
    there = (search or None, facets if facets.count else None)
    st.session_state[SEEN] = there
    permalink.write(permalink.read().but(search=there[0], where=there[1]))


def of_link(opened: Opened) -> tuple[str, Facets]:
    """What the link narrows to, for pages that show one latent of the table."""
    return opened.view.search or "", opened.view.where or Facets()
