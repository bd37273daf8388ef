"""Kinds of features against each other: the best feature per genre, on the same items and on new ones."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from seqsae_core.data.concepts import ConceptTable
from seqsae_core.interpret import alignment, rivals
from seqsae_core.interpret.alignment import ItemSums
from seqsae_core.interpret.rivals import Features
from seqsae_core.sae.activations import Activations


@dataclass(frozen=True)
class Entrant:
    """What one kind of feature brings: the best feature per genre and its activations on score users.

    best: (g,); r, r_new: (g,) and (halves, g) on score users; same: (n, g) activations of the best features;
    new: (halves, n, g) of those chosen on each half of the items.
    """

    kind: str
    best: np.ndarray
    r: np.ndarray
    r_new: np.ndarray
    same: np.ndarray
    new: np.ndarray


@dataclass(frozen=True)
class Weights:
    """Two-way bootstrap (Owen, 2007): weight of each score position in each draw, (draws, n)."""

    values: np.ndarray

    @classmethod
    def draw(cls, score: Activations, n_items: int, draws: int, seed: int) -> "Weights":
        """Multinomial weights of users times those of items."""
        rng = np.random.default_rng(seed)
        users, user = np.unique(score.user_at, return_inverse=True)
        by_user = rng.multinomial(len(users), np.full(len(users), 1 / len(users)), draws).astype(np.float32)
        by_item = rng.multinomial(n_items, np.full(n_items, 1 / n_items), draws).astype(np.float32)
        return cls(by_user[:, user] * by_item[:, score.item_at - 1])


def enter(
    features: Features,
    select: ItemSums,
    score_sums: ItemSums,
    score: Activations,
    genres: np.ndarray,
    halves: list[np.ndarray],
) -> Entrant:
    """Choose on select users, score on score users. genres: item values (n_items + 1, g)."""
    best = alignment.best_features(alignment.correlation(select, genres))
    r = alignment.correlation(score_sums, genres)[best, np.arange(len(best))]
    r_new, chosen = alignment.new_items(select, score_sums, genres, halves)
    wanted, place = np.unique(np.concatenate([best[None], chosen]), return_inverse=True)
    columns = alignment.dense(alignment.activations_of(features, score, wanted))
    columns = columns[:, place.reshape(len(halves) + 1, -1)]
    return Entrant(features.kind, best, r, r_new, columns[:, 0], columns[:, 1:].transpose(1, 0, 2))


def enter_probe(
    fit: Activations, score: Activations, genres: np.ndarray, names: list[str], halves: list[np.ndarray]
) -> Entrant:
    """The ceiling: a ridge probe a genre, fitted on all items, and for new items on one half of them."""
    whole = rivals.probe(fit.values, genres[fit.item_at], names).encode(score.values)
    r = _correlations(np.ones((1, len(whole)), np.float32), whole, genres[score.item_at])[0]
    new, r_new = [], []
    for half in halves:
        rows = half[fit.item_at]
        new.append(rivals.probe(fit.values[rows], genres[fit.item_at[rows]], names).encode(score.values))
        left = (~half[score.item_at])[None].astype(np.float32)
        r_new.append(_correlations(left, new[-1], genres[score.item_at])[0])
    return Entrant("probe", np.arange(len(names)), r, np.array(r_new), whole, np.array(new))


def bootstrap(
    entrant: Entrant, weights: Weights, score: Activations, genres: np.ndarray, halves: list[np.ndarray]
) -> dict[str, np.ndarray]:
    """The two headline figures in each draw: same_items (draws,) and new_items (draws,)."""
    if not len(entrant.r):
        return {name: np.empty(0) for name in ("same_items", "new_items")}
    labels = genres[score.item_at]
    same = _correlations(weights.values, entrant.same, labels).mean(1)
    new = [
        _correlations(weights.values * ~half[score.item_at], columns, labels).mean(1)
        for half, columns in zip(halves, entrant.new, strict=True)
    ]
    return {"same_items": same, "new_items": np.mean(new, axis=0)}


def headline(entrant: Entrant, drawn: dict[str, np.ndarray]) -> dict[str, Any]:
    """mean_max_correlation of a kind and its new-items figure, each with a two-way bootstrap interval; None where no
    genre has enough positives."""
    return {
        "mean_max_correlation": mean(entrant.r),
        "ci95": _interval(drawn["same_items"]),
        "mean_max_correlation_new_items": mean(entrant.r_new),
        "ci95_new_items": _interval(drawn["new_items"]),
        "concepts": len(entrant.r),
    }


def difference(one: Entrant, other: Entrant, drawn: dict[str, dict[str, np.ndarray]]) -> dict[str, Any]:
    """Paired difference of two kinds on both figures, and on how many genres the first is ahead."""
    result = {}
    for name, a, b in (("same_items", one.r, other.r), ("new_items", one.r_new.mean(0), other.r_new.mean(0))):
        gap = drawn[one.kind][name] - drawn[other.kind][name]
        result[name] = {
            "mean": mean(a - b),
            "ci95": _interval(gap),
            "ahead": int((a > b).sum()),
            "of": len(a),
        }
    return result


BEST_COLUMNS = (
    "kind", "concept", "group", "feature", "label", "positives", "r_select", "r_score", "low", "high", "r_new_items",
    "r_partial",
)  # fmt: skip


def best_table(
    entrant: Entrant, weights: Weights, score: Activations, concepts: ConceptTable, columns: np.ndarray
) -> pd.DataFrame:
    """The best feature of one kind per concept, with two-way bootstrap intervals. columns: the entrant's concepts."""
    values = concepts.values[:, columns][score.item_at]
    drawn = _correlations(weights.values, entrant.same, values)
    return pd.DataFrame(
        {
            "kind": entrant.kind,
            "concept": [concepts.names[c] for c in columns],
            "group": [concepts.groups[c] for c in columns],
            "feature": entrant.best.astype(np.int32),
            "positives": (values > 0).sum(0),
            "r_score": entrant.r,
            "low": np.percentile(drawn, 2.5, axis=0),
            "high": np.percentile(drawn, 97.5, axis=0),
            "r_new_items": entrant.r_new.mean(0),
        }
    )


def _correlations(weights: np.ndarray, a: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Weighted Pearson r of matching columns, (draws, g). weights: (draws, n); a, y: (n, g); 0 where constant."""
    a, y = (a - a.mean(0)).astype(np.float32), y.astype(np.float32)
    total = np.maximum(weights.sum(1, keepdims=True), 1e-9)
    mean_a, mean_y = weights @ a / total, weights @ y / total
    covariance = weights @ (a * y) / total - mean_a * mean_y
    spread = (weights @ (a * a) / total - mean_a**2).clip(min=0) * (weights @ (y * y) / total - mean_y**2).clip(min=0)
    return np.divide(covariance, np.sqrt(spread), out=np.zeros_like(covariance), where=spread > 1e-12)


def mean(values: np.ndarray) -> float | None:
    """The mean, or None of nothing."""
    return float(values.mean()) if values.size else None


def _interval(drawn: np.ndarray) -> list[float] | None:
    return [float(v) for v in np.percentile(drawn, [2.5, 97.5])] if drawn.size else None
