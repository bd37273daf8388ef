"""Concepts as edits: the latents that name a concept best, weighted by how well, on one slider."""

import pandas as pd

from seqsae_core.dashboard.loading import Opened
from seqsae_core.dashboard.steer.scene import steerable
from seqsae_core.steering.edits import Edit

LATENTS, LEAST = 5, 2


def of_study(opened: Opened) -> dict[str, Edit]:
    """Every concept that at least LEAST significant latents name first, as an edit of strength 0, by name."""
    rows = steerable(opened)
    rows = rows[rows["significant"] & (rows["correlation"] > 0) & rows["top_concept"].astype(bool)]
    groups = {str(name): group for name, group in rows.groupby("top_concept") if len(group) >= LEAST}
    return {name: Edit(_weights(group), 0.0) for name, group in sorted(groups.items())}


def _weights(rows: pd.DataFrame) -> tuple[tuple[int, float], ...]:
    """(latent, correlation relative to the largest) of the LATENTS best."""
    rows = rows.sort_values("correlation", ascending=False).head(LATENTS)
    weights = (rows["correlation"] / rows["correlation"].iloc[0]).clip(lower=0.01).round(2)
    return tuple((int(latent), float(weight)) for latent, weight in weights.items())
