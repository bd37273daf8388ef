"""Ranks against the strength of one edit, as a plotly figure."""

from collections.abc import Mapping, Sequence
from html import escape

import numpy as np
import plotly.graph_objects as go

from seqsae_core.figures.style import DEMOTED, PROMOTED, RIVALS, finish

LONGEST = 26


def ranks(lists: Sequence[Sequence[int]], shown: int) -> dict[int, np.ndarray]:
    """For each item that any list has among its first `shown`: its rank (from 1) in every list, NaN where it is not
    there. lists: items, the best first, one list a strength. In the order of the first list, then of appearance."""
    first = dict.fromkeys(int(item) for items in lists for item in items[:shown])
    found = {item: np.full(len(lists), np.nan) for item in first}
    for at, items in enumerate(lists):
        for rank, item in enumerate(items, start=1):
            if int(item) in found:
                found[int(item)][at] = rank
    return found


def bump(
    strengths: Sequence[float], lists: Sequence[Sequence[int]], titles: Mapping[int, str], shown: int, now: float
) -> go.Figure:
    """A line an item: green where its rank at the largest strength is better than at 0, red where worse. Items that no
    strength brings among the first `shown` are left out; ranks beyond twice that are cut off. now: the strength set."""
    figure, zero = go.Figure(), int(np.abs(strengths).argmin())
    for item, rank in ranks(lists, shown).items():
        figure.add_trace(_line(strengths, rank, titles[item], zero, shown))
    figure.add_vline(now, line={"color": RIVALS, "width": 1.5, "dash": "dot"})
    figure.add_hline(shown + 0.5, line={"color": RIVALS, "width": 1, "dash": "dash"})
    figure.update_xaxes(title="strength", zeroline=True)
    figure.update_yaxes(title="rank", range=[2 * shown + 0.5, 0.5], tickvals=[1, *range(5, 2 * shown + 1, 5)])
    return finish(figure, height=430, hovermode="closest")


def _line(strengths: Sequence[float], rank: np.ndarray, title: str, zero: int, shown: int) -> go.Scatter:
    was, becomes = (np.nan_to_num(rank[at], nan=4 * shown) for at in (zero, -1))
    colour = PROMOTED if becomes < was else DEMOTED if becomes > was else RIVALS
    name = title if len(title) <= LONGEST else title[: LONGEST - 1] + "…"
    return go.Scatter(
        x=list(strengths), y=rank, mode="lines+markers", name=escape(name), connectgaps=False, cliponaxis=True,
        line={"color": colour, "width": 2, "shape": "spline", "smoothing": 0.6}, marker={"size": 4}, opacity=0.85,
        hovertemplate=escape(title) + "<br>rank %{y} at %{x:+.1f}<extra></extra>",
    )  # fmt: skip
