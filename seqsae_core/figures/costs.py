"""What stages cost to build, as a plotly figure."""

from html import escape

import pandas as pd
import plotly.graph_objects as go

from seqsae_core.figures.style import LATENTS, RIVALS, finish

SHARED = ("data", "recommender")


def stage_costs(table: pd.DataFrame) -> go.Figure:
    """A bar a stage; table: stage, dictionary ("" for what all share), seconds. Stages without a time are left out."""
    rows = table[table["seconds"].notna()].iloc[::-1]
    labels = [f"{s} · {escape(d)}" if d else s for s, d in zip(rows["stage"], rows["dictionary"], strict=True)]
    colours = [RIVALS if stage in SHARED else LATENTS for stage in rows["stage"]]
    bars = go.Bar(
        x=rows["seconds"], y=labels, orientation="h", marker_color=colours,
        hovertemplate="%{y}: %{x:,.1f} s<extra></extra>",
    )  # fmt: skip
    figure = go.Figure(bars)
    figure.update_xaxes(title="seconds", rangemode="tozero")
    return finish(figure, height=90 + 28 * len(rows), bargap=0.35)
