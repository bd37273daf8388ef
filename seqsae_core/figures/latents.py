"""The latents' map, and what one latent fires on, as plotly figures."""

from html import escape
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from seqsae_core.figures.style import LATENTS, RIVALS, SEQUENTIAL, finish

GROUP_COLOURS = {"genre": "#5B6EE8", "decade": "#12967F", "popularity": "#C98613", "": "#8B93A1"}
REGION_COLOURS = ("#5B6EE8", "#C98613", "#12967F", "#B8578E", "#3A93C4", "#8C7A3D", "#D2514B", "#7C5CC4")
LIFT_TICKS = (0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200)


def latent_map(table: pd.DataFrame, column: str, label: str) -> go.Figure:
    """UMAP map of decoder directions. table: feature, x, y, title (hover text) and the column that colours it."""
    text = pd.api.types.is_numeric_dtype(table[column]) and not pd.api.types.is_bool_dtype(table[column])
    figure = go.Figure(_measured(table, column, label) if text else _grouped(table, column))
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False, scaleanchor="x")
    figure = finish(figure, height=560, top=8, bottom=8)
    return figure.update_layout(
        showlegend=not text,
        dragmode="pan",
        hovermode="closest",
        clickmode="event+select",
        legend={"orientation": "h", "y": 0, "yanchor": "top", "x": 0, "itemsizing": "constant"},
    )


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


def _measured(table: pd.DataFrame, column: str, label: str) -> list[go.Scattergl]:
    table = table.sort_values(column, na_position="first")
    top = table[column].quantile(0.99)
    bar = {"title": {"text": label, "side": "right"}, "thickness": 10, "len": 0.6, "outlinewidth": 0}
    marker = {
        "color": table[column],
        "colorscale": list(SEQUENTIAL),
        "cmax": top,
        "cmin": table[column].min(),
        "colorbar": bar,
    }
    return [_points(table, marker)]


def _grouped(table: pd.DataFrame, column: str) -> list[go.Scattergl]:
    values = table[column].astype(str)
    biggest = [v for v in values.value_counts().index if v][: len(REGION_COLOURS)]
    colours = GROUP_COLOURS if column == "top_group" else dict(zip(biggest, REGION_COLOURS, strict=False))
    groups = [(name, colour, values == name) for name, colour in colours.items() if name]
    other = ~values.isin([name for name, _, _ in groups])
    last = "no significant concept" if column == "top_group" else "others"
    groups = [(last, GROUP_COLOURS[""], other), *groups]
    return [_points(table[rows], {"color": colour}, escape(name)) for name, colour, rows in groups if rows.any()]


def _points(table: pd.DataFrame, marker: dict[str, Any], name: str = "") -> go.Scattergl:
    return go.Scattergl(
        x=table["x"],
        y=table["y"],
        mode="markers",
        name=name,
        customdata=table["feature"],
        marker={"size": 8, "opacity": 0.8, "line": {"width": 0}} | marker,
        text=[escape(t) for t in table["title"]],
        hovertemplate="%{text}<extra></extra>",
    )
