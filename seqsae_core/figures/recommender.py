"""How good a recommender is, and how its training went, as plotly figures."""

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from seqsae_core.figures.style import LATENTS, RIVALS, error_bars, finish
from seqsae_core.recommender.names import BASELINES


def contenders(metrics: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The recommender, then its baselines from the best to the worst NDCG@10, under the names that readers see."""
    baselines = sorted(metrics.get("baselines", {}).items(), key=lambda found: -found[1]["ndcg@10"])
    return {"This model": metrics} | {BASELINES.get(name, name): found for name, found in baselines}


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
