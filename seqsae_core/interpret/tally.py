"""Sums over positions that give, for any concept of items, a correlation or a linear probe without a second pass."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csc_array, csr_array

from seqsae_core.interpret.alignment import ItemSums, dense, item_sums
from seqsae_core.interpret.rivals import Features
from seqsae_core.sae.activations import Activations, slices

ALPHA = 1.0


@dataclass(frozen=True)
class Tally:
    """Sums of one kind of feature over the positions of some users.

    counts: positions of each item, (n_items + 1,); total: Σ a at each item, float32 (n_items + 1, f);
    inside: sets of items, bool (s, n_items + 1); mean, spread: of a over positions at the items of each, (s, f).
    """

    counts: np.ndarray
    total: np.ndarray
    inside: np.ndarray
    mean: np.ndarray
    spread: np.ndarray

    @classmethod
    def of(cls, sums: ItemSums, inside: Sequence[np.ndarray]) -> "Tally":
        """From sums by item; `inside` are the sets of items that will be asked for."""
        sets = np.asarray(inside, dtype=bool)
        n = np.maximum(sets @ sums.counts, 1.0)[:, None]
        mean = sets.astype(np.float64) @ sums.total / n
        variance = sets.astype(np.float64) @ sums.square / n - mean**2
        return cls(sums.counts, sums.total.astype(np.float32), sets, mean, np.sqrt(variance.clip(min=0)))

    def correlation(self, concept: np.ndarray, number: int) -> np.ndarray:
        """Pearson r of each feature with a concept over positions at the items of a set, (f,); 0 where constant.

        concept: item values (n_items + 1,); number: which set of items.
        """
        y = concept * self.inside[number]
        n = max(self.counts @ self.inside[number], 1.0)
        level = self.counts @ y / n
        spread = np.sqrt(max(self.counts @ y**2 / n - level**2, 0.0)) * self.spread[number]
        cross = y.astype(np.float32) @ self.total / n - level * self.mean[number]
        return np.divide(cross, spread, out=np.zeros_like(spread), where=spread > 1e-9)


def sums_of(codes: csr_array | csc_array | np.ndarray, item_at: np.ndarray, n_items: int) -> ItemSums:
    """Sums by item of activations (n, f) that are there already; item_at: (n,)."""
    pick = csr_array((np.ones(len(item_at)), (item_at, np.arange(len(item_at)))), (n_items + 1, len(item_at)))
    counts = np.bincount(item_at, minlength=n_items + 1).astype(float)
    return ItemSums(counts, dense(pick @ codes), dense(pick @ (codes * codes)))


@dataclass(frozen=True)
class RidgeSums:
    """What a ridge regression of any concept of items on activations needs (Hoerl & Kennard, 1970).

    tally: of the activations' coordinates; inverse: (Xc'Xc + α I)⁻¹ at the items of each set, (s, width, width).
    """

    tally: Tally
    inverse: np.ndarray

    @classmethod
    def of(cls, fit: Activations, inside: Sequence[np.ndarray]) -> "RidgeSums":
        """inside: sets of items, bool (n_items + 1,) each. Reads some thousand rows at a time."""
        coordinates = tuple(map(str, range(fit.values.shape[1])))
        features = Features("coordinates", coordinates, lambda x: x.astype(np.float64))
        tally = Tally.of(item_sums(features, fit, len(inside[0]) - 1), inside)
        grams = [_gram(fit, items, mean) for items, mean in zip(inside, tally.mean, strict=True)]
        return cls(tally, np.linalg.inv(np.array(grams) + ALPHA * np.eye(len(coordinates))))

    def probe(self, concept: np.ndarray, number: int) -> np.ndarray:
        """Weights (width,) that predict a concept (n_items + 1,) at the items of a set; the intercept is left out."""
        tally, y = self.tally, concept * self.tally.inside[number]
        return self.inverse[number] @ (y @ tally.total - (tally.counts @ y) * tally.mean[number])


def _gram(fit: Activations, items: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """Xc'Xc of activations at the items, (width, width)."""
    gram = np.zeros((len(mean), len(mean)))
    for rows in slices(len(fit.values)):
        centred = fit.values[rows][items[fit.item_at[rows]]] - mean
        gram += centred.T @ centred
    return gram


def weighted_correlation(weights: np.ndarray, a: np.ndarray, y: np.ndarray, keep: np.ndarray) -> np.ndarray:
    """Weighted Pearson r of each column of a with y over some positions, (draws, k); 0 where either is constant.

    weights: (draws, n) float32; a: (n, k); y: (n,); keep: bool (n,). One product gives the sums of every draw.
    """
    a, y = (a - a.mean(0)).astype(np.float32), y.astype(np.float32)[:, None]
    columns = np.hstack([a, a * a, a * y, y, y * y, np.ones_like(y)]) * keep[:, None]
    sums = (weights @ columns).astype(np.float64)
    mean = sums / np.maximum(sums[:, -1:], 1e-9)
    k = a.shape[1]
    a_, aa, ay, y_, yy = mean[:, :k], mean[:, k : 2 * k], mean[:, 2 * k : 3 * k], mean[:, [3 * k]], mean[:, [3 * k + 1]]
    scale = np.sqrt((aa - a_**2).clip(min=0) * (yy - y_**2).clip(min=0))
    return np.divide(ay - a_ * y_, scale, out=np.zeros_like(ay), where=scale > 1e-9)
