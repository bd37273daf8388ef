"""Tables to plotly figures. No Streamlit, no torch; one colour per meaning, the same on every page.

Hues were chosen to stay apart under deuteranopia and protanopia (they differ in lightness as well), and to keep a
contrast of 3:1 against both the light and the dark background of the theme.
"""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from seqsae_core.recommender.names import BASELINES

LATENTS, NEURONS, RIVALS = "#5B6EE8", "#C98613", "#8B93A1"
PROMOTED, DEMOTED = "#12967F", "#D2514B"
KIND_COLOURS = {"latents": LATENTS, "neurons": NEURONS}
KIND_SYMBOLS = {
    "latents": "circle",
    "neurons": "diamond",
    "pca": "square",
    "random_directions": "x",
    "probe": "triangle-up",
}
GROUP_COLOURS = {"genre": "#5B6EE8", "decade": "#12967F", "popularity": "#C98613", "": "#8B93A1"}
REGION_COLOURS = ("#5B6EE8", "#C98613", "#12967F", "#B8578E", "#3A93C4", "#8C7A3D", "#D2514B", "#7C5CC4")
SEQUENTIAL = ("#9AA3B2", "#7383E6", "#3D2FA8")
LIFT_TICKS = (0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200)
GRID = "rgba(139,147,161,.22)"
KIND_NAMES = {
    "latents": "Latents",
    "neurons": "Neurons",
    "pca": "PCA",
    "ica": "ICA",
    "random_directions": "Random directions",
    "probe": "Probe (ceiling)",
    "untrained_model_sae": "SAE of an untrained model",
    "spectral_untrained": "Spectral, untrained blocks",
    "static_embedding_sae": "SAE of item embeddings",
    "shuffled_sequence_sae": "SAE, shuffled sequences",
}
SAME, NEW = "mean_max_correlation", "mean_max_correlation_new_items"


def kind_name(kind: str) -> str:
    """A feature kind as the pages write it."""
    return KIND_NAMES.get(kind, kind.replace("_", " ").capitalize())


def kind_colour(kind: str) -> str:
    """Latents and neurons have a colour of their own; every other rival shares one."""
    return KIND_COLOURS.get(kind, RIVALS)


def contenders(metrics: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The recommender and its baselines under the names that readers see."""
    baselines = metrics.get("baselines", {})
    return {"This model": metrics} | {BASELINES.get(name, name): found for name, found in baselines.items()}


def quality(metrics: Mapping[str, Any]) -> go.Figure:
    """HR@10 and NDCG@10 of the recommender and of its baselines, with 95 % intervals over users."""
    rows = contenders(metrics)
    names = sorted(rows, key=lambda name: rows[name]["ndcg@10"])
    figure = make_subplots(cols=2, shared_yaxes=True, horizontal_spacing=0.06)
    for column, (key, label) in enumerate({"hr@10": "HR@10", "ndcg@10": "NDCG@10"}.items(), start=1):
        values = [rows[n][key] for n in names]
        bars = go.Bar(
            x=values,
            y=names,
            orientation="h",
            error_x=error_bars(values, [rows[n].get(f"{key}_ci95") for n in names]),
            marker_color=[LATENTS if n == "This model" else RIVALS for n in names],
            hovertemplate="%{y}: %{x:.4f}<extra>" + label + "</extra>",
        )
        figure.add_trace(bars, row=1, col=column)
        figure.update_xaxes(title=f"{label}, test users", rangemode="tozero", row=1, col=column)
    return finish(figure, height=90 + 48 * len(names), bargap=0.35)


def training(log: Sequence[Mapping[str, Any]]) -> go.Figure:
    """Loss and validation NDCG@10 over the passes of a training, finished or not.

    log: one row a pass; `losses`, pairs of the passes done and a mean loss, or `loss` alone; `ndcg@10` once validated.
    """
    rows = [(row, row["losses"] if "losses" in row else [[row["pass"], row["loss"]]]) for row in log]
    losses = [pair for _, pairs in rows for pair in pairs]
    scores = [(pairs[-1][0], row["ndcg@10"]) for row, pairs in rows if "ndcg@10" in row]
    figure = make_subplots(cols=2, shared_xaxes="all", horizontal_spacing=0.1)
    curves = (("training loss", losses, "lines", RIVALS), ("validation NDCG@10", scores, "lines+markers", LATENTS))
    for column, (label, points, mode, colour) in enumerate(curves, start=1):
        x, y = zip(*points, strict=True) if points else ((), ())
        hover = "%{y:.4f} after %{x:.2f} passes<extra>" + label + "</extra>"
        figure.add_trace(go.Scatter(x=x, y=y, mode=mode, line_color=colour, hovertemplate=hover), row=1, col=column)
        figure.update_xaxes(title="passes", rangemode="tozero", row=1, col=column)
        figure.update_yaxes(title=label, rangemode="nonnegative", row=1, col=column)
    return finish(figure, height=240)


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
    return figure.update_layout(showlegend=True, legend={"orientation": "h", "y": 1, "yanchor": "bottom", "x": 0})


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


def error_bars(values: Sequence[float], bounds: Sequence[Sequence[float] | None]) -> dict[str, Any] | None:
    """Intervals as plotly's error bars about the values; none where a bound is missing."""
    if not any(bounds):
        return None
    pairs = [b if b and None not in b else (v, v) for v, b in zip(values, bounds, strict=True)]
    high = [b[1] - v for v, b in zip(values, pairs, strict=True)]
    low = [v - b[0] for v, b in zip(values, pairs, strict=True)]
    return {
        "type": "data",
        "symmetric": False,
        "array": high,
        "arrayminus": low,
        "thickness": 1.4,
        "width": 4,
        "color": RIVALS,
    }


def _spoken(interval: Sequence[float] | None) -> str:
    return f" (95 %: {interval[0]:.3f} to {interval[1]:.3f})" if interval and None not in interval else ""


def _number(value: Any) -> float | None:
    return None if value is None or np.isnan(value) else float(value)


def finish(figure: go.Figure, height: int, top: int = 10, bottom: int = 46, **layout: Any) -> go.Figure:
    """What all figures have in common: grid, margins, no background."""
    figure.update_xaxes(gridcolor=GRID, zerolinecolor=GRID, automargin=True, fixedrange=False)
    figure.update_yaxes(gridcolor=GRID, zerolinecolor=GRID, automargin=True)
    quiet = {"paper_bgcolor": "rgba(0,0,0,0)", "plot_bgcolor": "rgba(0,0,0,0)", "showlegend": False}
    return figure.update_layout(height=height, margin={"l": 8, "r": 16, "t": top, "b": bottom}, **quiet, **layout)
