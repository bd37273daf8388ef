"""A concept of which only some items are labelled, or none: what every method gets, and strengths are chosen by."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from scipy.sparse import csr_array

from seqsae_core.steering.directions import Dictionary

LEAST_SEEN = 20


class Known(Protocol):
    """What is known of a concept."""

    def of(self, dictionary: Dictionary, concept: int, labels: np.ndarray) -> tuple[Dictionary, np.ndarray]:
        """The dictionary with correlations by what is known, and what is known in place of labels (n_items + 1,)."""
        ...


@dataclass(frozen=True)
class FewLabels:
    """codes: of the latents at select users' positions, (n, latents); item_at: the input item there, (n,).

    share: of a concept's items that keep their label; where `count` is given, that many of them instead: a typed list.
    """

    codes: csr_array
    item_at: np.ndarray
    seed: int
    share: float = 0.1
    count: int | None = None

    def of(self, dictionary: Dictionary, concept: int, labels: np.ndarray) -> tuple[Dictionary, np.ndarray]:
        """The dictionary with the correlations of one concept's few labels, and those labels (n_items + 1,)."""
        count = self.count or max(1, round(self.share * int((labels > 0.5).sum())))
        few = draw_labels(labels, count, [self.seed, concept])
        correlation = dictionary.correlation.copy()
        correlation[:, concept] = correlations(self.codes, few[self.item_at] > 0.5)
        return replace(dictionary, correlation=correlation), few


@dataclass(frozen=True)
class Regions:
    """No label at all: a cluster of latents, and in place of labels the `count` items at which it is most active.

    codes, item_at: as for FewLabels; units: (latents,). clusters: the latents of each concept's cluster. Items at fewer
    than LEAST_SEEN positions do not count. Latents outside the cluster get a correlation of 0.
    """

    codes: csr_array
    item_at: np.ndarray
    units: np.ndarray
    clusters: dict[int, Sequence[int]]
    count: int = 50

    def of(self, dictionary: Dictionary, concept: int, labels: np.ndarray) -> tuple[Dictionary, np.ndarray]:
        """The dictionary with the cluster's correlations with its items, and those items as labels (n_items + 1,)."""
        cluster = np.asarray(self.clusters.get(concept, ()), int)
        items = self._items(cluster, len(labels))
        correlation, within = dictionary.correlation.copy(), np.zeros(self.codes.shape[1], bool)
        within[cluster] = True
        correlation[:, concept] = np.where(within, correlations(self.codes, items[self.item_at] > 0.5), 0.0)
        return replace(dictionary, correlation=correlation), items

    def _items(self, cluster: np.ndarray, size: int) -> np.ndarray:
        """Labels of the items with the largest mean sum of the cluster's codes, in units."""
        scale = np.divide(1, self.units[cluster], out=np.zeros(len(cluster)), where=self.units[cluster] > 0)
        active, seen = self.codes[:, cluster] @ scale, np.bincount(self.item_at, minlength=size)
        mean = np.bincount(self.item_at, active, size) / np.maximum(seen, 1)
        mean[(seen < LEAST_SEEN) | (np.arange(size) == 0)] = 0
        best = np.argsort(-mean, kind="stable")[: self.count]
        items = np.zeros(size, np.float32)
        items[best[mean[best] > 0]] = 1
        return items


def draw_labels(labels: np.ndarray, count: int, seed: int | list[int]) -> np.ndarray:
    """Labels (n_items + 1,) of `count` items drawn among those labelled, the others 0; all where there are no more."""
    items = np.flatnonzero(labels > 0.5)
    kept = np.random.default_rng(seed).choice(items, min(count, len(items)), replace=False)
    few = np.zeros_like(labels)
    few[kept] = 1
    return few


def correlations(codes: csr_array, has: np.ndarray) -> np.ndarray:
    """Pearson's r of each latent's code with having the concept, (latents,); 0 for what never varies.

    codes: (n, latents); has: bool (n,).
    """
    mean, share = np.asarray(codes.mean(axis=0)).ravel(), has.mean()
    squares = np.asarray(codes.multiply(codes).mean(axis=0)).ravel()
    common = codes.T @ has.astype(np.float64) / len(has) - mean * share
    scale = np.sqrt(np.maximum(squares - mean**2, 0) * share * (1 - share))
    return np.divide(common, scale, out=np.zeros(len(mean)), where=scale > 1e-12)
