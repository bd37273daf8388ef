"""The trade-off of every method on one concept as a plotly figure. No Streamlit, no torch."""

from typing import Any

import pandas as pd
import plotly.graph_objects as go

from seqsae_core.figures.style import GRID, LATENTS, NEURONS, PROMOTED, RIVALS

METHODS = {
    "latents": ("Latents together", LATENTS, "solid"),
    "latent": ("Best latent", LATENTS, "dot"),
    "rerank": ("Re-ranking by label", PROMOTED, "solid"),
    "neurons": ("Best neuron", NEURONS, "solid"),
    "probe": ("Probe direction", RIVALS, "solid"),
    "mean_difference": ("Mean difference", RIVALS, "dash"),
    "random": ("Random direction", RIVALS, "dot"),
}
DEEPEST = -0.3
TIMES = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50)
HOVER = "%{fullData.name}, strength %{customdata:.2g}<br>share ×%{x:.2f}, NDCG@10 %{y:+.1%}<extra></extra>"


def tradeoff(curves: pd.DataFrame, here: dict[str, Any] | None) -> go.Figure:
    """Lift of a concept's share against the change of NDCG@10, one line a method.

    curves: rows of `tradeoff.parquet` of one concept and one split. here: lift and ndcg_change with their `_ci95` of
    the edits on the page, or None. The axis opens at losses down to DEEPEST; beyond them the chart can be dragged.
    """
    figure = go.Figure()
    for method, (name, colour, dash) in METHODS.items():
        rows = curves[curves["method"] == method].sort_values("strength")
        line = {"color": colour, "dash": dash, "width": 2.5 if method == "latents" else 1.6}
        figure.add_trace(go.Scatter(
            x=rows["lift"], y=rows["ndcg_change"], name=name, mode="lines+markers", line=line,
            marker={"size": 4}, customdata=rows["strength"], hovertemplate=HOVER, visible=len(rows) > 0,
        ))  # fmt: skip
    if here is not None:
        figure.add_trace(_here(here))
    axis = {"gridcolor": GRID, "automargin": True}
    figure.update_xaxes(title="share of the concept / unsteered", type="log", zeroline=False, **axis)
    figure.update_xaxes(tickvals=TIMES, ticktext=[f"×{times:g}" for times in TIMES])
    deepest = min(DEEPEST, here["ndcg_change_ci95"][0] - 0.02) if here else DEEPEST
    figure.update_yaxes(title="NDCG@10", tickformat="+.0%", range=[deepest, 0.06], zerolinecolor=RIVALS, **axis)
    clear = "rgba(0,0,0,0)"
    return figure.update_layout(
        height=330, margin={"l": 4, "r": 8, "t": 8, "b": 40}, paper_bgcolor=clear, plot_bgcolor=clear, dragmode="pan",
        legend={"orientation": "h", "y": -0.28, "yanchor": "top", "x": 0, "font": {"size": 11}},
    )  # fmt: skip


def _here(point: dict[str, Any]) -> go.Scatter:
    def bars(key: str) -> dict[str, Any]:
        low, high = point[f"{key}_ci95"]
        value = point[key]
        return {"type": "data", "symmetric": False, "array": [high - value], "arrayminus": [value - low], "width": 3}

    return go.Scatter(
        x=[point["lift"]], y=[point["ndcg_change"]], name="These sliders", mode="markers", error_x=bars("lift"),
        error_y=bars("ndcg_change"), hovertemplate="here: share ×%{x:.2f}, NDCG@10 %{y:+.1%}<extra></extra>",
        marker={"size": 13, "symbol": "star", "color": LATENTS, "line": {"width": 1}},
    )  # fmt: skip
