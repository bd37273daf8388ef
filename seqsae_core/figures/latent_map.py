"""The map of latents as a plotly figure: a column as the colour, the neurons as diamonds of their own."""

from html import escape
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from seqsae_core.figures.style import NEURONS, RIVALS, finish

# Five hues stay apart without red-green vision, each beside the other and beside grey; ten categories need two shapes.
HUES = ("#5B6EE8", "#C98613", "#12967F", "#6F7137", "#2776AF")
SHAPES = ("circle", "cross")
LOOKS = tuple((hue, shape) for shape in SHAPES for hue in HUES)
FIXED = {"genre": LOOKS[0], "popularity": LOOKS[1], "decade": LOOKS[2]}
UNNAMED = {"": "no significant concept", "mixed": "mixed", "unclear": "unclear"}
OTHERS = "#5F6673"
SCALE = "Cividis"
TICKS = np.array([m * 10.0**e for e in range(-6, 7) for m in (1, 2, 5)])


def latent_map(
    table: pd.DataFrame, column: str, label: str, neurons: pd.DataFrame | None = None, logarithmic: bool = False
) -> go.Figure:
    """Points of a layout. table: feature, x, y, title (hover text) and the column that colours them.

    Numbers get a colour bar, cut off at the 1st and 99th percentile; of anything else the ten most frequent values get
    a colour and a shape. neurons: x, y and title of points behind them; logarithmic: of numbers that are all positive.
    """
    measured = pd.api.types.is_numeric_dtype(table[column]) and not pd.api.types.is_bool_dtype(table[column])
    behind = [] if neurons is None or neurons.empty else [_neurons(neurons)]
    traces = _measured(table, column, label, logarithmic) if measured else _grouped(table, column)
    figure = go.Figure(behind + traces)
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False, scaleanchor="x")
    figure = finish(figure, height=560, top=8, bottom=8)
    return figure.update_layout(
        showlegend=len(figure.data) > 1 or not measured,
        dragmode="pan",
        hovermode="closest",
        clickmode="event+select",
        legend={"orientation": "h", "y": 0, "yanchor": "top", "x": 0, "itemsizing": "constant"},
    )


def _measured(table: pd.DataFrame, column: str, label: str, logarithmic: bool) -> list[go.Scattergl]:
    """Grey points without a value, then those with one, the largest on top."""
    table = table.assign(value=table[column].astype("Float64").to_numpy(float, na_value=np.nan))
    known = table[np.isfinite(table["value"])].sort_values("value", kind="stable")
    unknown = table[~np.isfinite(table["value"])]
    told = [f"{t}\n{label}: {v:.3g}" for t, v in zip(known["title"], known["value"], strict=True)]
    traces = [_points(unknown, {"color": RIVALS, "opacity": 0.5}, "without a value")] if len(unknown) else []
    if len(known):
        scale = _scale(known["value"].to_numpy(), label, logarithmic)
        traces.append(_points(known.assign(title=told), scale, "Latents"))
    return traces


def _scale(values: np.ndarray, label: str, logarithmic: bool) -> dict[str, Any]:
    """Marker of points with these values, and its colour bar."""
    bar = {"title": {"text": label, "side": "right"}, "thickness": 10, "len": 0.6, "outlinewidth": 0}
    if logarithmic and values.min() > 0:
        bar |= {"tickvals": np.log10(TICKS), "ticktext": [f"{t:g}" for t in TICKS]}
        values = np.log10(values)
    low, high = np.percentile(values, [1, 99])
    outline = {"width": 0.5, "color": RIVALS}
    return {"color": values, "colorscale": SCALE, "cmin": low, "cmax": high, "colorbar": bar, "line": outline}


def _grouped(table: pd.DataFrame, column: str) -> list[go.Scattergl]:
    """One trace a value: what has no name behind, then the others, then the ten most frequent values."""
    values = table[column].fillna("").astype(str)
    frequent = [v for v in values.value_counts().index if v not in UNNAMED][: len(LOOKS)]
    free = iter([look for look in LOOKS if look not in [FIXED.get(v) for v in frequent]])
    looks = {v: FIXED.get(v) or next(free) for v in frequent}
    parts = [(name, values == value, (RIVALS, "circle")) for value, name in UNNAMED.items()]
    parts.append(("others", ~values.isin([*frequent, *UNNAMED]), (OTHERS, "circle")))
    parts += [(escape(value), values == value, look) for value, look in looks.items()]
    return [_points(table[at], {"color": hue, "symbol": shape}, name) for name, at, (hue, shape) in parts if at.any()]


def _neurons(table: pd.DataFrame) -> go.Scattergl:
    marker = {"color": NEURONS, "symbol": "diamond-open", "size": 7, "opacity": 0.9, "line": {"width": 1.2}}
    return _points(table.drop(columns="feature", errors="ignore"), marker, "Neurons")


def _points(table: pd.DataFrame, marker: dict[str, Any], name: str) -> go.Scattergl:
    return go.Scattergl(
        x=table["x"],
        y=table["y"],
        mode="markers",
        name=name,
        customdata=table.get("feature"),
        marker={"size": 8, "opacity": 0.8, "line": {"width": 0}} | marker,
        text=_html(table["title"]),
        hovertemplate="%{text}<extra></extra>",
    )


def _html(texts: pd.Series) -> np.ndarray:
    """An array, because plotly examines a list of texts one by one, which takes longer than to draw them."""
    return np.array([escape(text).replace("\n", "<br>") for text in texts.tolist()], object)
