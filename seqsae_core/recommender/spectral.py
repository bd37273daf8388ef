"""Spectral warm start: item embeddings from co-occurrence, before any training.

Positive pointwise mutual information of items that stand near each other, factorised by a truncated SVD:
what skip-gram with negative sampling converges to (Levy & Goldberg, 2014, section 3; eq. 10 for U·sqrt(S)).
"""

import numpy as np
from scipy.sparse import coo_array, csr_array
from sklearn.utils.extmath import randomized_svd


def spectral_embeddings(items: np.ndarray, owner: np.ndarray, n_items: int, width: int, seed: int) -> np.ndarray:
    """Item vectors, float32 (n_items + 1, width), row 0 zero; unit standard deviation over all entries, times 0.1.

    items: (n,) training items in order; owner: (n,) the user of each. Missing columns (width > rank) are zero.
    """
    matrix = ppmi(cooccurrence(items, owner, n_items))
    u, s, _ = randomized_svd(matrix, n_components=min(width, n_items), n_iter=4, random_state=seed)
    vectors = np.zeros((n_items + 1, width), np.float32)
    vectors[1:, : u.shape[1]] = (u * np.sqrt(s))[1:]
    return 0.1 * vectors / max(vectors[1:].std(), 1e-12)


def cooccurrence(items: np.ndarray, owner: np.ndarray, n_items: int, window: int = 5) -> csr_array:
    """Symmetric counts of items at most `window` events apart, weighted 1/distance, (n_items + 1, n_items + 1)."""
    total = csr_array((n_items + 1, n_items + 1), dtype=np.float64)
    for distance in range(1, window + 1):
        near = owner[distance:] == owner[:-distance]
        a, b = items[:-distance][near], items[distance:][near]
        total = total + coo_array((np.full(len(a), 1 / distance), (a, b)), total.shape).tocsr()
    return total + total.T


def ppmi(counts: csr_array) -> csr_array:
    """max(0, log(n · n_ab / (n_a · n_b))) of each stored pair; Levy & Goldberg (2014), eq. 8 and 9."""
    pairs = counts.tocoo()
    row_sum = counts.sum(axis=1)
    value = np.log(pairs.data * row_sum.sum() / (row_sum[pairs.row] * row_sum[pairs.col]))
    keep = value > 0
    return csr_array((value[keep], (pairs.row[keep], pairs.col[keep])), counts.shape)
