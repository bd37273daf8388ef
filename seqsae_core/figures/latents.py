"""What one latent fires on, as plotly figures."""

from html import escape

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from seqsae_core.figures.style import LATENTS, RIVALS, finish

LIFT_TICKS = (0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200)


def enrichment(table: pd.DataFrame) -> go.Figure:
    """Lift of each concept where the latent fires, with 95 % intervals, on a log scale; 1 = as everywhere."""
    rows = table[(table["lift"] > 0) & np.isfinite(table["lift"])].sort_values("lift")
    names = [escape(c) for c in rows["concept"]]
    low = np.maximum(rows["low"].fillna(rows["lift"]), rows["lift"] / 100)
    error = {
        "type": "data",
        "symmetric": False,
        "array": rows["high"].fillna(rows["lift"]) - rows["lift"],
        "arrayminus": rows["lift"] - low,
        "thickness": 1.4,
        "width": 3,
        "color": RIVALS,
    }
    dots = go.Scatter(
        x=rows["lift"],
        y=names,
        mode="markers",
        error_x=error,
        marker={
            "size": 10,
            "color": [LATENTS if clear else RIVALS for clear in (rows["low"] > 1) | (rows["high"] < 1)],
        },
        customdata=rows[["share_firing", "share_base"]],
        showlegend=False,
        hovertemplate="%{y}: %{x:.2f}×<br>%{customdata[0]:.1%} of these, %{customdata[1]:.1%} of all<extra></extra>",
    )
    figure = go.Figure(dots).add_vline(1, line={"color": RIVALS, "dash": "dot", "width": 1})
    figure.update_xaxes(
        type="log",
        title="lift: share where it fires / share everywhere (log scale)",
        tickvals=LIFT_TICKS,
        ticktext=[f"{t:g}×" for t in LIFT_TICKS],
    )
    return finish(figure, height=90 + 26 * len(rows))


def histogram(table: pd.DataFrame) -> go.Figure:
    """How strongly a latent fires, where it fires. table: low, high, count of each bin."""
    bars = go.Bar(
        x=(table["low"] + table["high"]) / 2,
        y=table["count"],
        width=table["high"] - table["low"],
        marker_color=LATENTS,
        customdata=table[["low", "high"]],
        marker_line_width=0,
        hovertemplate="%{customdata[0]:.2f} to %{customdata[1]:.2f}: %{y:,} positions<extra></extra>",
    )
    figure = go.Figure(bars)
    figure.update_xaxes(title="activation", rangemode="tozero")
    figure.update_yaxes(title="positions")
    return finish(figure, height=260, bargap=0.04)
