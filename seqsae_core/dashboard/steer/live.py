"""The live slider: from rankings to what steering.js replays under the hand, and back to the strengths it sends."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import streamlit as st

from seqsae_core.figures.style import DEMOTED, LATENTS, PROMOTED

if TYPE_CHECKING:
    from collections.abc import Callable

    from seqsae_core.recommender.recommend import Ranking

KEY = "live"
STEP = 0.1
CURVED = 1.5
SHOWN, DEPTH, POINTS, GENRES = 10, 30, 41, 8
COLOURS = {"promoted": PROMOTED, "demoted": DEMOTED, "latents": LATENTS}


def strengths(limit: float) -> list[float]:
    """The grid that a slider replays: POINTS strengths from -limit to limit, 0 in the middle, exactly, and the closer
    together the smaller they are, because lists change most near 0."""
    half = POINTS // 2
    steps = [round(limit * (i / half) ** CURVED, 1) for i in range(half + 1)]
    return [-step for step in reversed(steps[1:])] + steps


def spaced(low: float, high: float, points: int) -> tuple[float, ...]:
    """Ascending strengths from low ≤ 0 to high with an exact 0, spaced as in `strengths` on either side."""
    if low == -high:
        return tuple(strengths(high))
    half = points // 2 if low else points - 1
    up = [round(high * (i / half) ** CURVED, 2) for i in range(half + 1)]
    down = [round(low * (i / half) ** CURVED, 2) for i in range(half, 0, -1)] if low else []
    return tuple(dict.fromkeys([*down, *up]))


def payload(
    sliders: Sequence[Mapping[str, Any]], before: "Ranking", after: "Ranking",
    grids: Sequence[Sequence["Ranking"]], catalogue: pd.DataFrame, serial: int, concepts: Sequence[str] = (),
) -> dict[str, Any]:  # fmt: skip
    """What the component reads; see steering.js for the sliders; catalogue is indexed by item; concepts: what the
    latents stand for."""
    rankings = [before, after, *(ranking for grid in grids for ranking in grid)]
    items = describe({int(i) for ranking in rankings for i in ranking.items[:SHOWN]}, catalogue)
    return {
        "sliders": list(sliders), "shown": min(SHOWN, len(before.items)),
        "before": entry(before), "after": entry(after), "grids": [[entry(r) for r in grid] for grid in grids],
        "items": items, "genres": mix_order(rankings, items, concepts), "colours": COLOURS, "serial": serial,
    }  # fmt: skip


def entry(ranking: "Ranking") -> dict[str, list]:
    """A ranking as JSON: items and scores, best first."""
    return {"items": ranking.items.tolist(), "scores": np.round(ranking.scores.astype(float), 4).tolist()}


def describe(items: Iterable[int], catalogue: pd.DataFrame) -> dict[int, dict[str, Any]]:
    """Title, year and genres of items, as plain text: the component shows it without rendering any of it."""
    rows = catalogue.loc[sorted(items), ["title", "year", "genres"]]
    found = {}
    for item, title, year, genres in rows.itertuples():
        names = [g for g in str(genres or "").split("|") if g]
        found[int(item)] = {"title": str(title), "year": None if pd.isna(year) else int(year), "genres": names}
    return found


def mix_order(
    rankings: Sequence["Ranking"], items: Mapping[int, Mapping[str, Any]], first: Sequence[str] = ()
) -> list[str]:
    """The genres whose bars are shown, in an order that no drag changes: those in `first` that any list shows, then the
    most frequent over all lists."""
    listed = [g for r in rankings for i in r.items[:SHOWN].tolist() for g in items[i]["genres"]]
    counts = pd.Series(listed, dtype=str).value_counts()
    return sorted(counts.index, key=lambda g: (g not in first, -counts[g], g))[:GENRES]


def show(data: dict[str, Any], **on: "Callable[[], None]") -> Any:
    """The component; on: callbacks for the component's states and triggers (on_released_change and so on)."""
    return _component()(key=KEY, data=data, **on)


def sent(name: str) -> Any:
    """What the component sent last under this name, or None: for callbacks, and for `released` at any time."""
    state = st.session_state.get(KEY)
    return None if state is None else state.get(name)


@cache
def _component() -> Any:
    here = Path(__file__).parent
    script = "".join((here / name).read_text() for name in ("steering_lists.js", "steering.js"))
    return st.components.v2.component(
        "seqsae_steering", html='<div class="steer"></div>', css=(here / "steering.css").read_text(), js=script,
    )  # fmt: skip
