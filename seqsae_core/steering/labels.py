"""A concept of which only some items are labelled: what every method gets. Shares are measured with all labels."""

from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import csr_array

from seqsae_core.steering.directions import Dictionary


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
