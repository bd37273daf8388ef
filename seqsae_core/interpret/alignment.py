"""Correlation of features with item concepts, from sums over items.

A concept is a property of the item, so Σ a·y over positions is Σ over items of (Σ a at that item) · y(item): one pass
over positions gives `ItemSums`, and every correlation, subset of items and permutation of concepts follows from it.
"""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csc_array, csr_array, vstack
from scipy.special import gammaln

from seqsae_core.data.concepts import ConceptTable
from seqsae_core.interpret.rivals import Features
from seqsae_core.sae.activations import Activations

CHUNK = 8192


@dataclass(frozen=True)
class ItemSums:
    """counts: positions of each item (n_items + 1,); total and square: Σ a and Σ a² at each item, (n_items + 1, f)."""

    counts: np.ndarray
    total: np.ndarray
    square: np.ndarray

    def per_item(self) -> "ItemSums":
        """Every item once, with the square root of its mean activation: what the test of significance works on, so that
        neither the most watched items nor the few that fire a latent most decide it alone."""
        seen = (self.counts > 0).astype(np.float64)
        mean = self.total / self.counts.clip(min=1)[:, None]
        return ItemSums(seen, np.sqrt(mean.clip(min=0)), mean)

    def only(self, items: np.ndarray) -> "ItemSums":
        """The same over positions whose item is in the boolean mask (n_items + 1,)."""
        keep = items.astype(np.float64)
        return ItemSums(self.counts * keep, self.total * keep[:, None], self.square * keep[:, None])


def item_sums(
    features: Features, activations: Activations, n_items: int, rows: np.ndarray | None = None
) -> ItemSums:
    """One pass over positions in chunks; rows: the positions that count, all where None."""
    rows = np.arange(len(activations.item_at)) if rows is None else rows
    size = (n_items + 1, features.count)
    total, square = np.zeros(size), np.zeros(size)
    for start in range(0, len(rows), CHUNK):
        part = rows[start : start + CHUNK]
        items = activations.item_at[part]
        present, row = np.unique(items, return_inverse=True)
        pick = csr_array((np.ones(len(items)), (row, np.arange(len(items)))), (len(present), len(items)))
        a = features.encode(activations.values[part])
        total[present] += dense(pick @ a)
        square[present] += dense(pick @ (a * a))
    counts = np.bincount(activations.item_at[rows], minlength=n_items + 1).astype(float)
    return ItemSums(counts, total, square)


def activations_of(features: Features, activations: Activations, wanted: np.ndarray) -> np.ndarray | csc_array:
    """Activations of some features at all positions, float32 (n, len(wanted)); sparse where the features are."""
    values = activations.values
    parts = [features.encode(values[start : start + CHUNK])[:, wanted] for start in range(0, len(values), CHUNK)]
    if isinstance(parts[0], csr_array):
        return csc_array(vstack(parts))
    return np.concatenate(parts)


def correlation(sums: ItemSums, concepts: np.ndarray) -> np.ndarray:
    """Pearson r over positions of each feature with each concept, (f, c); 0 where either is constant.

    concepts: item values (n_items + 1, c).
    """
    n = max(sums.counts.sum(), 1.0)
    mean_a, mean_y = sums.total.sum(0) / n, sums.counts @ concepts / n
    var_a = sums.square.sum(0) / n - mean_a**2
    var_y = sums.counts @ concepts**2 / n - mean_y**2
    covariance = sums.total.T @ concepts / n - np.outer(mean_a, mean_y)
    return _ratio(covariance, np.sqrt(np.outer(var_a.clip(min=0), var_y.clip(min=0))))


def partial_correlation(sums: ItemSums, concepts: np.ndarray, controls: np.ndarray) -> np.ndarray:
    """Correlation (f, c) with item-level controls (n_items + 1, k) partialled out of both sides.

    (r_ay − r_a' R⁻¹ r_y) / sqrt((1 − r_a' R⁻¹ r_a)(1 − r_y' R⁻¹ r_y)), r_a and r_y with the controls, R among them
    (Anderson, 2003, section 2.5.3).
    """
    r_ay, r_a = correlation(sums, concepts), correlation(sums, controls)
    among, r_y = (_weighted_correlation(sums.counts, controls, other) for other in (controls, concepts))
    inverse = np.linalg.pinv(among)
    left_a = 1 - np.einsum("fk,kl,fl->f", r_a, inverse, r_a)
    left_y = 1 - np.einsum("kc,kl,lc->c", r_y, inverse, r_y)
    return _ratio(r_ay - r_a @ inverse @ r_y, np.sqrt(np.outer(left_a.clip(min=0), left_y.clip(min=0))))


def best_features(select: np.ndarray) -> np.ndarray:
    """For each concept the feature with the largest r on select users, (c,); ties: the lower feature."""
    return select.argmax(0)


def new_items(
    select: ItemSums, score: ItemSums, concepts: np.ndarray, halves: list[np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Items disjoint as well: chosen on one half of the items (select users), scored on the other (score users).

    Returns r (halves, c) and the chosen features (halves, c). halves: boolean masks (n_items + 1,).
    """
    scores, chosen = [], []
    for half in halves:
        best = best_features(correlation(select.only(half), concepts))
        scores.append(correlation(score.only(~half), concepts)[best, np.arange(concepts.shape[1])])
        chosen.append(best)
    return np.array(scores), np.array(chosen)


def random_halves(n_items: int, count: int, seed: int) -> list[np.ndarray]:
    """Random halves of the items as masks (n_items + 1,); padding is in none of them."""
    rng = np.random.default_rng(seed)
    halves = []
    for _ in range(count):
        half = np.zeros(n_items + 1, bool)
        half[rng.permutation(n_items)[: n_items // 2] + 1] = True
        halves.append(half)
    return halves


def matched_expectation(select: np.ndarray, score: np.ndarray, drawn: int) -> np.ndarray:
    """Expected score r of the best when only `drawn` of the N features may compete, (c,).

    Ranked by selection r, the j-th of N wins with probability C(N − j, m − 1) / C(N, m).
    """
    count = len(select)
    drawn = min(drawn, count)
    j = np.arange(1, count - drawn + 2)
    log_win = _log_choose(count - j, drawn - 1) - _log_choose(count, drawn)
    order = np.argsort(-select, axis=0, kind="stable")[: len(j)]
    return np.exp(log_win) @ np.take_along_axis(score, order, axis=0)


def measured_genres(concepts: ConceptTable, counts: np.ndarray, min_positives: int) -> np.ndarray:
    """Columns of the genres with at least `min_positives` positive positions; counts: (n_items + 1,) positions."""
    genres = concepts.group("genre")
    return genres[counts @ concepts.values[:, genres] >= min_positives]


def _weighted_correlation(weights: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    w = weights / max(weights.sum(), 1.0)
    x, y = x - w @ x, y - w @ y
    return _ratio((x * w[:, None]).T @ y, np.sqrt(np.outer(w @ x**2, w @ y**2)))


def _log_choose(n: np.ndarray | int, k: int) -> np.ndarray:
    return gammaln(np.asarray(n) + 1.0) - gammaln(k + 1.0) - gammaln(np.asarray(n) - k + 1.0)


def _ratio(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.divide(a, b, out=np.zeros_like(a), where=b > 1e-12)


def dense(matrix: np.ndarray | csr_array | csc_array) -> np.ndarray:
    """The same as an ordinary array."""
    return matrix if isinstance(matrix, np.ndarray) else matrix.toarray()
