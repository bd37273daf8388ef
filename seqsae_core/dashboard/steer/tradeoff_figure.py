"""The trade-off of every method on one concept as a plotly figure. No Streamlit, no torch."""

from typing import Any, NamedTuple

import pandas as pd
import plotly.graph_objects as go

from seqsae_core.figures.style import DEMOTED, GRID, LATENTS, NEURONS, PROMOTED, RIVALS

METHODS = {
    "edits": ("These sliders", DEMOTED, "solid"),
    "latents": ("Latents together", LATENTS, "solid"),
    "latent": ("Best latent", LATENTS, "dot"),
    "rerank": ("Re-ranking by label", PROMOTED, "solid"),
    "rerank_by_sureness": ("Re-ranking by sureness", PROMOTED, "dash"),
    "neurons": ("Best neuron", NEURONS, "solid"),
    "probe": ("Probe direction", RIVALS, "solid"),
    "probe_by_sureness": ("Probe by sureness", RIVALS, "dashdot"),
    "mean_difference": ("Mean difference", RIVALS, "dash"),
    "random": ("Random direction", RIVALS, "dot"),
}
OPTIONAL, THICK = ("edits",), ("edits", "latents")
DEEPEST = -0.3
TIMES = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50)
SEGMENTS = {"never": (RIVALS, "dot"), "sometimes": (LATENTS, "dash"), "often": (LATENTS, "solid")}
HOVER = "%{fullData.name}, strength %{customdata:.2g}<br>share ×%{x:.2f}, "


class Axis(NamedTuple):
    """A figure that a share is held against: its title and how its ticks and its values are written."""

    title: str
    ticks: str
    hover: str


AXES = {
    "ndcg_change": Axis("NDCG@10", "+.0%", "NDCG@10 %{y:+.1%}"),
    "hr": Axis("HR@10", ".3f", "HR@10 %{y:.3f}"),
    "coverage": Axis("catalogue coverage", ".0%", "coverage %{y:.1%}"),
    "diversity": Axis("inter-list diversity", ".2f", "diversity %{y:.3f}"),
    "novelty": Axis("novelty, bits", ".1f", "novelty %{y:.2f}"),
}


def tradeoff(curves: pd.DataFrame, here: dict[str, Any] | None, figure_of: str = "ndcg_change") -> go.Figure:
    """Lift of a concept's share against a figure of AXES, one line a method.

    curves: rows of `tradeoff.parquet` of one concept and one split. here: lift and ndcg_change with their `_ci95` of
    the edits on the page, or None. Changes of NDCG open at losses down to DEEPEST; below it the chart can be dragged.
    """
    figure = go.Figure()
    for method, (name, colour, dash) in METHODS.items():
        rows = curves[curves["method"] == method]
        if len(rows) or method not in OPTIONAL:
            _line(figure, rows, name, colour, dash, 2.5 if method in THICK else 1.6, figure_of)
    if here is not None and figure_of == "ndcg_change":
        figure.add_trace(_here(here))
    deepest = min(DEEPEST, here["ndcg_change_ci95"][0] - 0.02) if here else DEEPEST
    return _plane(figure, figure_of, deepest, 330)


def by_segment(curves: pd.DataFrame) -> go.Figure:
    """The same plane with one line a segment of users; curves: rows of `segments.parquet` of one concept and split."""
    figure = go.Figure()
    for segment, (colour, dash) in SEGMENTS.items():
        rows = curves[curves["segment"] == segment]
        users = f", {rows['users'].iloc[0]:,} users" if len(rows) else ""
        _line(figure, rows, segment.capitalize() + users, colour, dash, 2.0)
    return _plane(figure, "ndcg_change", DEEPEST, 260)


def _line(
    figure: go.Figure, rows: pd.DataFrame, name: str, colour: str, dash: str, width: float,
    figure_of: str = "ndcg_change",
) -> None:  # fmt: skip
    rows = rows.sort_values("strength", key=abs)
    figure.add_trace(go.Scatter(
        x=rows["lift"], y=rows[figure_of], name=name, mode="lines+markers",
        line={"color": colour, "dash": dash, "width": width}, marker={"size": 4}, customdata=rows["strength"],
        hovertemplate=f"{HOVER}{AXES[figure_of].hover}<extra></extra>", visible=len(rows) > 0,
    ))  # fmt: skip


def _plane(figure: go.Figure, figure_of: str, deepest: float, height: int) -> go.Figure:
    axis = {"gridcolor": GRID, "automargin": True}
    figure.update_xaxes(title="share of the concept / unsteered", type="log", zeroline=False, **axis)
    figure.update_xaxes(tickvals=TIMES, ticktext=[f"×{times:g}" for times in TIMES])
    shown = {"title": AXES[figure_of].title, "tickformat": AXES[figure_of].ticks, "zerolinecolor": RIVALS}
    figure.update_yaxes(**shown, **({"range": [deepest, 0.06]} if figure_of == "ndcg_change" else {}), **axis)
    clear = "rgba(0,0,0,0)"
    return figure.update_layout(
        height=height, margin={"l": 4, "r": 8, "t": 8, "b": 40}, paper_bgcolor=clear, plot_bgcolor=clear,
        dragmode="pan", legend={"orientation": "h", "y": -0.28, "yanchor": "top", "x": 0, "font": {"size": 11}},
    )  # fmt: skip


def _here(point: dict[str, Any]) -> go.Scatter:
    def bars(key: str) -> dict[str, Any]:
        low, high = point[f"{key}_ci95"]
        value = point[key]
        return {"type": "data", "symmetric": False, "array": [high - value], "arrayminus": [value - low], "width": 3}

    return go.Scatter(
        x=[point["lift"]], y=[point["ndcg_change"]], name="At these strengths", mode="markers", error_x=bars("lift"),
        error_y=bars("ndcg_change"), hovertemplate="here: share ×%{x:.2f}, NDCG@10 %{y:+.1%}<extra></extra>",
        marker={"size": 13, "symbol": "star", "color": LATENTS, "line": {"width": 1}},
    )  # fmt: skip
