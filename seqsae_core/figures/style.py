"""What all figures have in common: one colour per meaning, the same on every page; names, intervals, margins.

Hues were chosen to stay apart under deuteranopia and protanopia (they differ in lightness as well), and to keep a
contrast of 3:1 against both the light and the dark background of the theme.
"""

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

LATENTS, NEURONS, RIVALS = "#5B6EE8", "#C98613", "#8B93A1"
PROMOTED, DEMOTED = "#12967F", "#D2514B"
SEQUENTIAL = ("#9AA3B2", "#7383E6", "#3D2FA8")
GRID = "rgba(139,147,161,.22)"
KIND_COLOURS = {"latents": LATENTS, "neurons": NEURONS}
KIND_SYMBOLS = {
    "latents": "circle",
    "neurons": "diamond",
    "pca": "square",
    "random_directions": "x",
    "probe": "triangle-up",
}
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


def kind_name(kind: str) -> str:
    """A feature kind as the pages write it."""
    return KIND_NAMES.get(kind, kind.replace("_", " ").capitalize())


def kind_colour(kind: str) -> str:
    """Latents and neurons have a colour of their own; every other rival shares one."""
    return KIND_COLOURS.get(kind, RIVALS)


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


def finish(figure: go.Figure, height: int, top: int = 10, bottom: int = 46, **layout: Any) -> go.Figure:
    """What all figures have in common: grid, margins, no background."""
    figure.update_xaxes(gridcolor=GRID, zerolinecolor=GRID, automargin=True, fixedrange=False)
    figure.update_yaxes(gridcolor=GRID, zerolinecolor=GRID, automargin=True)
    quiet = {"paper_bgcolor": "rgba(0,0,0,0)", "plot_bgcolor": "rgba(0,0,0,0)", "showlegend": False}
    return figure.update_layout(height=height, margin={"l": 8, "r": 16, "t": top, "b": bottom}, **quiet, **layout)
