"""The blind test of latents against neurons: which of two lists of examples is more coherent?"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

ENOUGH = 30
CLOSE = 0.02


@dataclass(frozen=True)
class Pair:
    """A latent and a neuron that tell the same concept about equally well; left: which of them stands on the left."""

    concept: str
    latent: int
    neuron: int
    r_latent: float
    r_neuron: float
    left: str


@dataclass(frozen=True)
class Preference:
    """Votes for latents among those that chose a side, with the exact (Clopper and Pearson, 1934) 95 % interval."""

    votes: int
    latents: int
    ties: int
    share: float
    low: float
    high: float


def pairs(latents: pd.DataFrame, neurons: pd.DataFrame, seed: int = 0) -> list[Pair]:
    """Latents and neurons with the same top concept, significant for both, whose correlations differ by at most CLOSE:
    each used once, the closest first; order and sides drawn by the seed.

    latents, neurons: feature, alive, significant, top_concept, correlation.
    """
    ours, theirs = (t[t["alive"] & t["significant"]] for t in (latents, neurons))
    columns = ["feature", "top_concept", "correlation"]
    both = ours[columns].merge(theirs[columns], on="top_concept", suffixes=("_latent", "_neuron"))
    both["apart"] = (both["correlation_latent"] - both["correlation_neuron"]).abs()
    chosen = _each_once(both[both["apart"] <= CLOSE].sort_values(["apart", "feature_latent", "feature_neuron"]))
    rng = np.random.default_rng(seed)
    sides = rng.permutation(np.arange(len(chosen)) % 2)
    made = [_pair(row, "latent" if side else "neuron") for row, side in zip(chosen, sides, strict=True)]
    return [made[i] for i in rng.permutation(len(made))]


def preference(votes: list[str]) -> Preference:
    """What votes ("latent", "neuron", "tie") amount to; ties are counted, but prefer nobody."""
    from scipy.stats import binomtest

    latents, neurons = votes.count("latent"), votes.count("neuron")
    n = latents + neurons
    if not n:
        return Preference(0, 0, votes.count("tie"), float("nan"), 0.0, 1.0)
    bounds = binomtest(latents, n).proportion_ci(method="exact")
    return Preference(n, latents, votes.count("tie"), latents / n, float(bounds.low), float(bounds.high))


def _each_once(rows: pd.DataFrame) -> list[dict]:
    used: set[tuple[str, int]] = set()
    kept = []
    for row in rows.to_dict("records"):
        keys = {("latent", int(row["feature_latent"])), ("neuron", int(row["feature_neuron"]))}
        if not keys & used:
            used |= keys
            kept.append(row)
    return kept


def _pair(row: dict, left: str) -> Pair:
    r_latent, r_neuron = float(row["correlation_latent"]), float(row["correlation_neuron"])
    return Pair(
        str(row["top_concept"]), int(row["feature_latent"]), int(row["feature_neuron"]), r_latent, r_neuron, left
    )
