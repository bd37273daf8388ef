"""Latents beside neurons and all other kinds of feature, as plotly figures."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from seqsae_core.figures.style import (
    GRID,
    KIND_COLOURS,
    KIND_NAMES,
    KIND_SYMBOLS,
    error_bars,
    finish,
    kind_colour,
    kind_name,
)

LEGEND = {"orientation": "h", "y": 1, "yanchor": "bottom", "x": 0, "traceorder": "reversed"}
SAME, NEW = "mean_max_correlation", "mean_max_correlation_new_items"


def comparison(summary: Mapping[str, Any]) -> go.Figure:
    """The headline: mean best correlation of each kind, on the same items and on new items, on one scale."""
    kinds = [k for k in reversed(kinds_of(summary)) if _number(summary[k].get(SAME)) is not None]
    figure = make_subplots(
        cols=2,
        shared_yaxes=True,
        shared_xaxes="all",
        horizontal_spacing=0.05,
        subplot_titles=("Same items, new users", "New items, new users"),
    )
    for column, (key, interval) in enumerate({SAME: "ci95", NEW: "ci95_new_items"}.items(), start=1):
        for kind in kinds:
            value = _number(summary[kind].get(key))
            if value is not None:
                figure.add_trace(_dot(kind, value, summary[kind].get(interval)), row=1, col=column)
        figure.update_xaxes(title="mean best correlation (r)", rangemode="tozero", row=1, col=column)
    figure.update_yaxes(categoryorder="array", categoryarray=[kind_name(k) for k in kinds])
    return finish(figure, height=130 + 34 * len(kinds), top=34)


def concept_dots(best: pd.DataFrame, column: str) -> go.Figure:
    """Per concept the best feature of each kind: a line from the best neuron to the best latent, rivals beside them.

    best: rows of `best.parquet` of one concept group; column: `r_score` (with intervals) or `r_new_items`.
    """
    table = best[best[column].notna()]
    order = table[table["kind"] == "latents"].sort_values("r_score")["concept"].tolist()
    figure = go.Figure([_links(table, order, column)])
    for kind in sorted(table["kind"].unique(), key=lambda k: -_rank(k)):
        rows = table[table["kind"] == kind].set_index("concept").reindex(order).dropna(subset=[column]).reset_index()
        figure.add_trace(_concept_trace(kind, rows, column))
    figure.update_yaxes(categoryorder="array", categoryarray=[escape(c) for c in order], title=None)
    ends = best[["low", "high", "r_score", "r_new_items"]].to_numpy(float)
    reach = [min(0.0, float(np.nanmin(ends))) - 0.02, float(np.nanmax(ends)) + 0.02]
    figure.update_xaxes(title="correlation with the concept (r), held-out users", zeroline=True, range=reach)
    figure = finish(figure, height=110 + 25 * len(order), top=36)
    return figure.update_layout(showlegend=True, legend=LEGEND)


def monosemanticity(tables: Mapping[str, pd.DataFrame]) -> go.Figure:
    """Distribution of monosemanticity over the live features of each kind (0 = no more alike than items at large)."""
    figure = go.Figure()
    for kind in sorted(tables, key=_rank, reverse=True):
        table = tables[kind]
        values = table.loc[table["alive"], "monosemanticity"].dropna()
        figure.add_trace(
            go.Violin(
                x=values,
                name=kind_name(kind),
                orientation="h",
                side="positive",
                width=1.7,
                points=False,
                meanline_visible=True,
                line_color=kind_colour(kind),
                spanmode="hard",
                hoverinfo="x+name",
                opacity=0.85,
            )
        )
    figure.update_xaxes(
        title="monosemanticity above chance (cosine between contents of the items that fire it)",
        zeroline=True,
    )
    return finish(figure, height=120 + 70 * len(tables))


def kinds_of(summary: Mapping[str, Any]) -> list[str]:
    """Kinds of feature that a summary has a mean best correlation for, latents and neurons first."""
    kinds = [k for k, v in summary.items() if isinstance(v, dict) and SAME in v]
    return sorted(kinds, key=_rank)


def _rank(kind: str) -> int:
    order = list(KIND_NAMES)
    return order.index(kind) if kind in order else len(order)


def _dot(kind: str, value: float, interval: Sequence[float] | None) -> go.Scatter:
    solid = kind in KIND_COLOURS
    return go.Scatter(
        x=[value],
        y=[kind_name(kind)],
        mode="markers",
        error_x=error_bars([value], [interval]),
        showlegend=False,
        marker={
            "size": 13 if solid else 9,
            "color": kind_colour(kind),
            "symbol": KIND_SYMBOLS.get(kind, "square"),
        },
        hovertemplate="%{y}: %{x:.3f}" + _spoken(interval) + "<extra></extra>",
    )


def _links(table: pd.DataFrame, order: Sequence[str], column: str) -> go.Scatter:
    wide = table[table["kind"].isin(["latents", "neurons"])].pivot_table(index="concept", columns="kind", values=column)
    pairs = wide.reindex(order).reindex(columns=["latents", "neurons"]).dropna()
    x = [v for a, b in pairs.to_numpy() for v in (a, b, None)]
    y = [v for c in pairs.index for v in (escape(c), escape(c), None)]
    return go.Scatter(x=x, y=y, mode="lines", line={"color": GRID, "width": 5}, hoverinfo="skip", showlegend=False)


def _concept_trace(kind: str, rows: pd.DataFrame, column: str) -> go.Scatter:
    solid, bars = kind in KIND_COLOURS, None
    if solid and column == "r_score":
        bars = error_bars(rows[column], rows[["low", "high"]].to_numpy().tolist())
    if bars:
        bars |= {"color": kind_colour(kind), "width": 0}
    return go.Scatter(
        x=rows[column],
        y=[escape(c) for c in rows["concept"]],
        mode="markers",
        name=kind_name(kind),
        error_x=bars,
        marker={
            "size": 10 if solid else 7,
            "color": kind_colour(kind),
            "symbol": KIND_SYMBOLS.get(kind, "square"),
            "opacity": 1 if solid else 0.75,
        },
        customdata=[escape(t) for t in rows["label"]],
        hovertemplate="%{y}: %{customdata}, r = %{x:.3f}<extra></extra>",
    )


def _spoken(interval: Sequence[float] | None) -> str:
    return f" (95 %: {interval[0]:.3f} to {interval[1]:.3f})" if interval and None not in interval else ""


def _number(value: Any) -> float | None:
    return None if value is None or np.isnan(value) else float(value)
