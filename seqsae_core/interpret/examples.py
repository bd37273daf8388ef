"""Example windows of item sequences around positions where a feature fires, across activation quantiles."""

import numpy as np
import pandas as pd

from seqsae_core.data.sequences import Sequences
from seqsae_core.interpret.alignment import activations_of, dense
from seqsae_core.interpret.rivals import Features
from seqsae_core.sae.activations import Activations

BEFORE, AFTER = 9, 2
TOP = 8


def find_examples(
    features: Features,
    wanted: np.ndarray,
    activations: Activations,
    sequences: Sequences,
    per_quantile: int,
    seed: int,
) -> pd.DataFrame:
    """Windows for the features in `wanted`: quantile 0 holds the strongest positions (different items), 1 to 4 a seeded
    sample of each quarter of the firing positions, strongest quarter first (different users), where there are enough.

    Columns: kind, feature, quantile, rank, user, event, activation, at, items, activations, next_item.
    """
    rows: list[dict] = []
    rng = np.random.default_rng(seed)
    columns = activations_of(features, activations, wanted)
    for number, feature in enumerate(wanted):
        column = dense(columns[:, [number]])[:, 0]
        for quantile, rank, position in _positions(column, activations, per_quantile, rng):
            row = {"kind": features.kind, "feature": int(feature), "quantile": quantile, "rank": rank}
            rows.append(row | _window(column, activations, sequences, position))
    return pd.DataFrame(rows, columns=COLUMNS)


COLUMNS = (
    "kind", "feature", "quantile", "rank", "user", "event", "activation", "at", "items", "activations", "next_item",
)  # fmt: skip


def _positions(
    column: np.ndarray, activations: Activations, per_quantile: int, rng: np.random.Generator
) -> list[tuple]:
    """(quantile, rank, position) of the examples of one feature."""
    fires = np.flatnonzero(column > 0)
    fires = fires[np.argsort(-column[fires], kind="stable")]
    top = sorted(_distinct(fires, activations.item_at, TOP), key=lambda p: -column[p])
    picked = [(0, rank, p) for rank, p in enumerate(top)]
    for number, quarter in enumerate(np.array_split(fires, 4), start=1):
        shuffled = rng.permutation(quarter)
        sample = _distinct(shuffled, activations.user_at, per_quantile)
        sample = sorted(sample, key=lambda p: -column[p])
        picked += [(number, rank, p) for rank, p in enumerate(sample)]
    return picked


def _distinct(positions: np.ndarray, key: np.ndarray, count: int) -> list[int]:
    """The first `count` positions whose key has not come before, filled up with repeats where keys run out."""
    taken: dict[int, int] = {}
    for position in positions:
        taken.setdefault(int(key[position]), int(position))
        if len(taken) == count:
            break
    first = list(taken.values())
    if len(first) < min(count, len(positions)):
        first += [int(p) for p in positions[: 2 * count] if p not in set(first)][: count - len(first)]
    return first


def _window(column: np.ndarray, activations: Activations, sequences: Sequences, position: int) -> dict:
    """Rows of one user stand together in order, so the context is the neighbouring rows of the same user."""
    user, event = int(activations.user_at[position]), int(activations.event_at[position])
    around = np.arange(max(0, position - BEFORE), min(len(column), position + AFTER + 1))
    around = around[activations.user_at[around] == user]
    history = sequences.of(user)
    return {
        "user": user,
        "event": event,
        "activation": float(column[position]),
        "at": int(np.searchsorted(around, position)),
        "items": activations.item_at[around].tolist(),
        "activations": column[around].tolist(),
        "next_item": int(history[event + 1]) if event + 1 < len(history) else 0,
    }
