"""Where a dictionary loses information, and how often its latents fire, as plotly figures. No Streamlit, no torch."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from seqsae_core.figures.style import LATENTS, RIVALS, error_bars, finish

MODELS = {"ndcg": ("original", RIVALS, "circle-open"), "ndcg_spliced": ("reconstruction in place", LATENTS, "circle")}
MEASURED = "decile %{x}: %{y:.4f}<br>%{customdata:,} users<extra>%{fullData.name}</extra>"
CHANGED = (
    "decile %{x}: %{y:+.1%}%{customdata[0]}<br>%{customdata[1]:,} users, lists alike to %{customdata[2]:.2f}"
    "<extra></extra>"
)


def by_decile(rows: Sequence[Mapping[str, Any]]) -> go.Figure:
    """NDCG@10 of the original and of the spliced model by popularity decile of the target, and its relative change."""
    figure = make_subplots(cols=2, horizontal_spacing=0.12)
    there = [row for row in rows if row["users"]]
    for key, (name, colour, symbol) in MODELS.items():
        dots = go.Scatter(
            x=[row["decile"] for row in there], y=[row[key] for row in there], name=name, mode="lines+markers",
            line={"color": colour, "width": 1}, marker={"size": 9, "symbol": symbol},
            customdata=[row["users"] for row in there], hovertemplate=MEASURED,
        )  # fmt: skip
        figure.add_trace(dots, row=1, col=1)
    figure.add_trace(_changes([row for row in there if row["ndcg_change"] is not None]), row=1, col=2)
    figure.add_hline(0, line={"color": RIVALS, "dash": "dot", "width": 1}, row=1, col=2)
    decile = "popularity decile of the target (10 = most watched)"
    figure.update_xaxes(title=decile, range=[0.4, 10.6], dtick=1, title_font_size=12)
    figure.update_yaxes(title="NDCG@10", rangemode="tozero", row=1, col=1)
    figure.update_yaxes(title="change of NDCG@10", tickformat="+.0%", row=1, col=2)
    finish(figure, height=300, top=30)
    return figure.update_layout(showlegend=True, legend={"orientation": "h", "y": 1, "yanchor": "bottom", "x": 0})


def _changes(rows: Sequence[Mapping[str, Any]]) -> go.Scatter:
    values, bounds = [row["ndcg_change"] for row in rows], [row["ndcg_change_ci95"] for row in rows]
    told = [f" (95 %: {b[0]:+.1%} to {b[1]:+.1%})" if b else " (too few hits for an interval)" for b in bounds]
    return go.Scatter(
        x=[row["decile"] for row in rows], y=values, mode="markers", error_y=error_bars(values, bounds),
        marker={"size": 9, "color": [LATENTS if b else RIVALS for b in bounds]}, showlegend=False,
        customdata=[(t, row["users"], row["rbo@10"]) for t, row in zip(told, rows, strict=True)],
        hovertemplate=CHANGED,
    )  # fmt: skip


def densities(histogram: Mapping[str, Any]) -> go.Figure:
    """Latents by the share of positions where they fire, on a log scale; those that never fire stand apart."""
    exponents, counts = np.log10(histogram["edges"]), histogram["counts"]
    centres, apart = (exponents[1:] + exponents[:-1]) / 2, exponents[0] - 0.75
    percents = [f"{100 * edge:.2g}" for edge in histogram["edges"]]
    where = ["no position", *(f"{low} to {high} % of positions" for low, high in pairwise(percents))]
    bars = go.Bar(
        x=[apart, *centres], y=[histogram["dead"], *counts], width=0.46, marker_line_width=0,
        marker_color=[RIVALS, *[LATENTS] * len(counts)], customdata=where,
        hovertemplate="%{y:,} latents fire at %{customdata}<extra></extra>",
    )  # fmt: skip
    figure = go.Figure(bars)
    whole = [e for e in range(-12, 1) if exponents[0] <= e]
    figure.update_xaxes(
        title="share of positions where a latent fires (log scale)", tickvals=[apart, *whole],
        ticktext=["never", *[f"{100 * 10.0**e:g} %" for e in whole]], range=[apart - 0.4, 0.15],
    )  # fmt: skip
    figure.update_yaxes(title="latents")
    return finish(figure, height=260, bargap=0.04)
