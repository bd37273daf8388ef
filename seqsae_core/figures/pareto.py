"""Dictionaries of a sweep as plotly figures: what each gives for its active latents."""

from typing import Any

import pandas as pd
import plotly.graph_objects as go

from seqsae_core.figures.style import GRID, RIVALS, SEQUENTIAL

SYMBOLS = {"topk": "circle", "batchtopk": "diamond", "matryoshka": "square", "relu": "triangle-up"}
FAMILY, PALE = ["variant_name", "imported", "layer", "latents", "out_of_date"], 0.35
TICKS = tuple(2**n for n in range(12))
HOVER = "%{hovertext}<br>%{customdata}<br>L0 %{x:.1f}, %{yaxis.title.text} %{y:.3f}<extra></extra>"


def pareto(table: pd.DataFrame, figure: str, label: str, colour: str, colour_label: str, default: str) -> go.Figure:
    """One figure of every dictionary against its L0, the points coloured by another and marked with their layer.

    table: one row a dictionary: name, variant, variant_name, imported (its name or ""), layer, latents, l0,
    out_of_date, the columns `figure` and `colour`, and `<figure>_ci95` where there are intervals. A line joins what
    differs in sparsity only; `default` is the name of the dictionary with a ring. What is out of date is pale; rows
    without the figure are left out.
    """
    rows = table[table[figure].notna()].sort_values("l0")
    chart = go.Figure([_line(family, figure) for _, family in rows.groupby(FAMILY)])
    chart.add_trace(_ring(rows[rows["name"] == default], figure))
    for _, some in rows.groupby("variant_name", sort=False):
        chart.add_traces([_points(some, figure, colour, colour_label), _legend(some.iloc[0])])
    axis = {"gridcolor": GRID, "automargin": True, "zerolinecolor": RIVALS}
    wide = len(rows) == 1 or rows["l0"].max() > 2 * rows["l0"].min()
    ticks = {"tickvals": TICKS} if wide else {"nticks": 5, "tickformat": ".1f"}
    chart.update_xaxes(title="active latents a position (L0, log scale)", type="log", **ticks, **axis)
    chart.update_yaxes(title=label, tickformat="+.0%" if rows[figure].min() < 0 else None, **axis)
    clear = "rgba(0,0,0,0)"
    return chart.update_layout(
        height=430, margin={"l": 4, "r": 8, "t": 8, "b": 40}, paper_bgcolor=clear, plot_bgcolor=clear,
        dragmode="pan", hovermode="closest", clickmode="event+select", coloraxis=_colours(rows[colour], colour_label),
        showlegend=rows["variant_name"].nunique() > 1, legend={"orientation": "h", "y": -0.2, "yanchor": "top", "x": 0},
    )  # fmt: skip


def _points(rows: pd.DataFrame, figure: str, colour: str, colour_label: str) -> go.Scatter:
    measured = rows[colour].notna().all()
    paint: dict[str, Any] = {"color": rows[colour], "coloraxis": "coloraxis"} if measured else {"color": RIVALS}
    shades = [f", {colour_label} {shade:.3f}" if measured else "" for shade in rows[colour]]
    shades = [shade + ", out of date" * old for shade, old in zip(shades, rows["out_of_date"], strict=True)]
    about = zip(rows["variant_name"], rows["layer"], rows["latents"], shades, strict=True)
    paint["opacity"] = [PALE if old else 1.0 for old in rows["out_of_date"]]
    return go.Scatter(
        x=rows["l0"], y=rows[figure], mode="markers+text", text=rows["layer"].astype(str), showlegend=False,
        textfont={"size": 10, "color": "white"}, error_y=_bars(rows, figure), customdata=rows["name"],
        hovertext=[f"{name}, layer {layer}, {latents:,} latents{shade}" for name, layer, latents, shade in about],
        hovertemplate=HOVER, marker={"size": 18, "symbol": SYMBOLS.get(rows["variant"].iloc[0], "cross"), **paint},
    )  # fmt: skip


def _bars(rows: pd.DataFrame, figure: str) -> dict[str, Any] | None:
    if f"{figure}_ci95" not in rows:
        return None
    low, high = (rows[f"{figure}_ci95"].str[end].astype(float) for end in (0, 1))
    return {
        "type": "data", "symmetric": False, "array": high - rows[figure], "arrayminus": rows[figure] - low,
        "thickness": 1.2, "width": 3, "color": RIVALS,
    }  # fmt: skip


def _line(family: pd.DataFrame, figure: str) -> go.Scatter:
    line = {"color": GRID, "width": 2}
    return go.Scatter(x=family["l0"], y=family[figure], mode="lines", line=line, hoverinfo="skip", showlegend=False)


def _legend(row: pd.Series) -> go.Scatter:
    marker = {"size": 10, "symbol": SYMBOLS.get(row["variant"], "cross"), "color": RIVALS}
    return go.Scatter(x=[None], y=[None], mode="markers", name=row["variant_name"], marker=marker)


def _ring(rows: pd.DataFrame, figure: str) -> go.Scatter:
    marker = {"size": 28, "symbol": "circle-open", "color": RIVALS, "line": {"width": 2.5}}
    return go.Scatter(x=rows["l0"], y=rows[figure], mode="markers", marker=marker, hoverinfo="skip", showlegend=False)


def _colours(values: pd.Series, label: str) -> dict[str, Any]:
    """From 0, so that small differences look small."""
    bar = {"title": {"text": label, "side": "right"}, "thickness": 10, "len": 0.8, "outlinewidth": 0}
    highest = values.max() if values.gt(0).any() else 1.0
    return {"colorscale": list(SEQUENTIAL), "colorbar": bar, "cmin": min(0.0, values.min()), "cmax": highest}
