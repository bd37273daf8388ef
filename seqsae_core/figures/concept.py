"""One concept as plotly figures: what a cover gains with each latent, and every kind's best."""

from collections.abc import Sequence
from html import escape

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from seqsae_core.figures.contest import NEW, SAME, comparison
from seqsae_core.figures.style import LATENTS, RIVALS, finish, kind_colour, kind_name

REFERENCES = {"neurons": "dot", "probe": "dash"}


def cover_steps(same: Sequence[float], new: Sequence[float] | None, labels: Sequence[str],
                kinds: pd.DataFrame) -> go.Figure:  # fmt: skip
    """Held-out r against the number of latents, as steps, on the same items and on new ones.

    labels: the latent of each step; kinds: rows of neurons and probe give levels to compare with, on new items where
    those are measured.
    """
    figure, count = go.Figure(), list(range(1, len(labels) + 1))
    curves = [("Same items", same, "solid", "circle-open")]
    curves += [("New items", new, "solid", "circle")] if new is not None else []
    for (name, values, dash, symbol), width in zip(curves, (1.4, 2.6), strict=False):
        figure.add_trace(go.Scatter(
            x=count, y=values, name=name, mode="lines+markers", customdata=[escape(text) for text in labels],
            line={"color": LATENTS, "width": width, "dash": dash, "shape": "hv"},
            marker={"size": 9, "symbol": symbol, "color": LATENTS},
            hovertemplate="with %{customdata}: r = %{y:.3f}<extra>%{fullData.name}</extra>",
        ))  # fmt: skip
    column, where = ("r", "same items") if new is None else ("r_new", "new items")
    for kind, dash in REFERENCES.items():
        level = kinds.set_index("kind")[column].get(kind)
        if level is not None and np.isfinite(level):
            figure.add_trace(go.Scatter(
                x=[0.7, len(labels) + 0.3], y=[level, level], mode="lines", name=f"{kind_name(kind)}, {where}",
                line={"color": kind_colour(kind), "dash": dash, "width": 1.4},
                hovertemplate=f"{kind_name(kind)}, {where}: %{{y:.3f}}<extra></extra>",
            ))  # fmt: skip
    figure.update_xaxes(title="latents in the cover", dtick=1, range=[0.6, len(labels) + 0.4])
    figure.update_yaxes(title="r on held-out users", zeroline=True, zerolinecolor=RIVALS, rangemode="tozero")
    legend = {"orientation": "h", "y": 1, "yanchor": "bottom", "x": 0}
    return finish(figure, height=380, top=40).update_layout(showlegend=True, legend=legend)


def best_of_kinds(kinds: pd.DataFrame) -> go.Figure:
    """The best feature of each kind on the same items and on new ones, with intervals, on one scale."""
    rows = {
        row["kind"]: {
            SAME: row["r"], "ci95": _bounds(row["low"], row["high"]),
            NEW: row["r_new"], "ci95_new_items": _bounds(row["low_new"], row["high_new"]),
        }
        for row in kinds.to_dict("records")
    }  # fmt: skip
    return comparison(rows).update_xaxes(title="r with the concept")


def _bounds(low: float, high: float) -> list[float] | None:
    return [low, high] if np.isfinite(low) and np.isfinite(high) else None
