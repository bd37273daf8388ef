"""Is a correlation more than search would find by chance? A permutation null at item level."""

from dataclasses import dataclass

import numpy as np

from seqsae_core.interpret.alignment import ItemSums, correlation

MIN_ITEMS = 10
BATCH = 25


@dataclass(frozen=True)
class Significance:
    """z and p: (f, c); threshold: the z that 5 % of permutations exceed anywhere; fdr: bool (f, c)."""

    z: np.ndarray
    p: np.ndarray
    threshold: float
    fdr: np.ndarray

    @property
    def family_wise(self) -> np.ndarray:
        """Significant at 5 % over all features × concepts, bool (f, c)."""
        return self.z >= self.threshold


def permutation_test(
    sums: ItemSums, concepts: np.ndarray, strata: np.ndarray, free: np.ndarray, permutations: int, seed: int
) -> Significance:
    """Permute concept rows among items within strata, or freely for the concepts in `free`; max-z over everything
    (Westfall & Young, 1993) and Benjamini–Hochberg beside it.

    concepts: (n_items + 1, c); strata: (n_items + 1,) popularity decile of each item; free: bool (c,).
    Features that fire on fewer than 10 items and concepts with fewer than 10 items do not compete (z = 0, p = 1).
    """
    competes = np.outer((sums.total > 0).sum(0) >= MIN_ITEMS, (concepts > 0).sum(0) >= MIN_ITEMS)
    observed = correlation(sums, concepts)
    null = _null(sums, concepts, strata, free, permutations, seed)
    mean, spread = null.mean(0), null.std(0)
    ok = competes & (spread > 0)
    p = np.where(ok, (1 + (null >= observed).sum(0)) / (1 + permutations), 1.0)
    null -= mean
    np.divide(null, spread, out=null, where=ok)
    highest = np.where(ok, null, -np.inf).reshape(permutations, -1).max(1)
    z = np.divide(observed - mean, spread, out=np.zeros_like(observed), where=ok)
    return Significance(z, p, float(np.quantile(highest, 0.95)) if ok.any() else np.inf, benjamini_hochberg(p))


def benjamini_hochberg(p: np.ndarray, rate: float = 0.05) -> np.ndarray:
    """Which p-values are discoveries at false discovery rate `rate` (Benjamini & Hochberg, 1995), same shape."""
    flat = np.sort(p, axis=None)
    passed = flat <= rate * np.arange(1, flat.size + 1) / flat.size
    return p <= (flat[passed].max() if passed.any() else -1.0)


def _null(
    sums: ItemSums, concepts: np.ndarray, strata: np.ndarray, free: np.ndarray, permutations: int, seed: int
) -> np.ndarray:
    """Correlations under permutation, float32 (permutations, f, c): the products that `correlation` needs, batched."""
    rng = np.random.default_rng(seed)
    n = max(sums.counts.sum(), 1.0)
    mean_a = sums.total.sum(0) / n
    spread_a = np.sqrt((sums.square.sum(0) / n - mean_a**2).clip(min=1e-24))
    standard = np.ascontiguousarray(((sums.total - np.outer(sums.counts, mean_a)) / spread_a / n).T, dtype=np.float32)
    null = np.empty((permutations, len(standard), concepts.shape[1]), np.float32)
    for start in range(0, permutations, BATCH):
        size = min(BATCH, permutations - start)
        drawn = np.concatenate([_shuffled(concepts, strata, free, rng) for _ in range(size)], axis=1)
        mean_y = sums.counts @ drawn / n
        spread_y = np.sqrt((sums.counts @ drawn**2 / n - mean_y**2).clip(min=1e-24))
        products = standard @ (drawn / spread_y).astype(np.float32)
        null[start : start + size] = products.reshape(len(standard), size, -1).transpose(1, 0, 2)
    return null


def _shuffled(concepts: np.ndarray, strata: np.ndarray, free: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """One permutation of the items' rows (row 0, padding, stays)."""
    key = rng.random(len(concepts))
    key[0] = -1.0
    order = np.lexsort((np.arange(len(concepts)), strata))
    within = np.empty(len(concepts), np.int64)
    within[order] = np.lexsort((key, strata))
    everywhere = np.argsort(key)
    return np.where(free, concepts[everywhere], concepts[within])
