"""How alike the items are on which a feature fires, and over how many concepts it spreads."""

import numpy as np

from seqsae_core.interpret.alignment import ItemSums


def monosemanticity(sums: ItemSums, vectors: np.ndarray) -> np.ndarray:
    """MS score of each feature minus its value for equal weights, (f,); Pach et al. (2025), in closed form.

    MS = (‖Σ aᵢeᵢ‖² − Σ aᵢ²‖eᵢ‖²) / ((Σ aᵢ)² − Σ aᵢ²) over distinct items: aᵢ the min–max scaled mean activation
    on item i, eᵢ its centred unit vector (see `unit_vectors`). Features that fire on fewer than two items get 0.
    vectors: (n_items + 1, d).
    """
    seen = sums.counts > 0
    vectors = vectors[seen]
    mean = sums.total[seen] / sums.counts[seen, None]
    low, high = mean.min(0), mean.max(0)
    weights = (mean - low) / np.where(high > low, high - low, 1.0)
    above = _weighted_similarity(weights, vectors) - _weighted_similarity(np.ones((len(vectors), 1)), vectors)
    return np.where((mean > 0).sum(0) >= 2, above, 0.0)


def concept_entropy(sums: ItemSums, concepts: np.ndarray) -> np.ndarray:
    """Entropy in bits of each feature's activation over concepts, (f,); 0 = one concept alone.

    A position's activation is shared equally by the concepts of its item; items without any are left out. concepts:
    (n_items + 1, c).
    """
    shared = concepts / concepts.sum(1, keepdims=True).clip(min=1)
    mass = shared.T @ sums.total
    share = mass / mass.sum(0).clip(min=1e-12)
    return -(share * np.log2(share, out=np.zeros_like(share), where=share > 0)).sum(0) + 0.0


def unit_vectors(rows: np.ndarray) -> np.ndarray:
    """Item rows centred over items and scaled to unit length, (n_items + 1, d); padding and empty rows are zero."""
    centred = rows - rows[1:].mean(0)
    norm = np.linalg.norm(centred, axis=1, keepdims=True)
    vectors = np.divide(centred, norm, out=np.zeros_like(centred), where=norm > 1e-12)
    vectors[0] = 0
    return vectors


def _weighted_similarity(weights: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """Mean cosine over pairs of distinct items, weighted aᵢaⱼ. weights: (n, f); vectors: (n, c)."""
    together = ((weights.T @ vectors) ** 2).sum(1) - (weights**2).T @ (vectors**2).sum(1)
    pairs = weights.sum(0) ** 2 - (weights**2).sum(0)
    enough = (pairs > 1e-9) & ((weights > 0).sum(0) >= 2)
    return np.divide(together, pairs, out=np.zeros_like(pairs), where=enough)
