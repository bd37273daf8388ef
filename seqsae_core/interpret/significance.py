"""Is a correlation more than search would find by chance? A permutation null at item level."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from seqsae_core.interpret.alignment import ItemSums, correlation

MIN_ITEMS = 10
BATCH = 25


@dataclass(frozen=True)
class Significance:
    """z, p (f, c); threshold (c,): the z that a concept needs, inf where it does not compete; fdr: bool (f, c)."""

    z: np.ndarray
    p: np.ndarray
    threshold: np.ndarray
    fdr: np.ndarray

    @property
    def family_wise(self) -> np.ndarray:
        """Significant at 5 % over all features × concepts, bool (f, c)."""
        return self.z >= self.threshold


def permutation_test(
    sums: ItemSums, concepts: np.ndarray, strata: np.ndarray, free: np.ndarray, permutations: int, seed: int
) -> Significance:
    """Permute concept rows among items within strata, or freely for the concepts in `free`; family-wise thresholds
    over everything, and Benjamini–Hochberg beside them.

    concepts: (n_items + 1, c); strata: (n_items + 1,) popularity decile of each item; free: bool (c,).
    Features that fire on fewer than 10 items and concepts with fewer than 10 items do not compete (z = 0, p = 1).
    """
    competes = np.outer((sums.total > 0).sum(0) >= MIN_ITEMS, (concepts > 0).sum(0) >= MIN_ITEMS)
    observed = correlation(sums, concepts)
    null = _null(sums, concepts, strata, free, permutations, seed)
    mean, spread = null.mean(0), null.std(0)
    ok = competes & (spread > 0)
    p = np.where(ok, (1 + (null >= observed.astype(np.float32)).sum(0)) / (1 + permutations), 1.0)
    null -= mean
    np.divide(null, spread, out=null, where=ok)
    highest = null.max(axis=1, where=ok, initial=-np.inf)
    z = np.divide(observed - mean, spread, out=np.zeros_like(observed), where=ok)
    return Significance(z, p, balanced_thresholds(highest, ok.any(0)), benjamini_hochberg(p) & ok)


def balanced_thresholds(highest: np.ndarray, competes: np.ndarray, rate: float = 0.05) -> np.ndarray:
    """The z that each concept needs so that a share `rate` of permutations exceed any of them, (c,).

    highest: (permutations, c), each concept's largest z in each permutation. The permuted maxima of a concept are
    standardised before the maximum over concepts is taken, for those of rare concepts have heavy tails and would set
    the threshold for all (balanced max-T: Beran, 1988; Westfall & Young, 1993, section 2.4).
    """
    threshold = np.full(highest.shape[1], np.inf)
    if competes.any():
        maxima = highest[:, competes].astype(np.float64)
        needed = np.quantile(_against_others(maxima).max(1), 1 - rate)
        threshold[competes] = maxima.mean(0) + needed * maxima.std(0)
    return threshold


def _against_others(x: np.ndarray) -> np.ndarray:
    """Each row standardised by the mean and spread of all other rows, as a new row is: few rows would else fit
    themselves too well."""
    others = max(len(x) - 1, 1)
    mean = (x.sum(0) - x) / others
    variance = ((x**2).sum(0) - x**2) / others - mean**2
    return (x - mean) / np.sqrt(variance.clip(min=1e-24))


def benjamini_hochberg(p: np.ndarray, rate: float = 0.05) -> np.ndarray:
    """Which p-values are discoveries at false discovery rate `rate` (Benjamini & Hochberg, 1995), same shape."""
    flat = np.sort(p, axis=None)
    passed = flat <= rate * np.arange(1, flat.size + 1) / flat.size
    return p <= (flat[passed].max() if passed.any() else -1.0)


def _null(
    sums: ItemSums, concepts: np.ndarray, strata: np.ndarray, free: np.ndarray, permutations: int, seed: int
) -> np.ndarray:
    """Correlations under permutation, float32 (permutations, f, c): only the products that change, in batches."""
    seen, n = sums.counts > 0, max(sums.counts.sum(), 1.0)
    mean_a = sums.total.sum(0) / n
    spread_a = np.sqrt((sums.square.sum(0) / n - mean_a**2).clip(min=1e-24))
    standard = (sums.total[seen] - np.outer(sums.counts[seen], mean_a)) / spread_a / n
    standard, weights = np.ascontiguousarray(standard.T, dtype=np.float32), (sums.counts[seen] / n).astype(np.float32)
    null = np.empty((permutations, len(standard), concepts.shape[1]), np.float32)
    draws = _shuffled(concepts.astype(np.float32), strata, free, seen, seed)
    for start in range(0, permutations, BATCH):
        size = min(BATCH, permutations - start)
        drawn = np.concatenate([next(draws) for _ in range(size)], axis=1)
        variance = weights @ drawn**2 - (weights @ drawn) ** 2
        drawn /= np.sqrt(variance.clip(min=1e-12))
        null[start : start + size] = (standard @ drawn).reshape(len(standard), size, -1).transpose(1, 0, 2)
    return null


def _shuffled(
    concepts: np.ndarray, strata: np.ndarray, free: np.ndarray, seen: np.ndarray, seed: int
) -> Iterator[np.ndarray]:
    """Endless permutations of the items' rows, those of the items in `seen`, (seen, c); row 0, padding, stays."""
    rng = np.random.default_rng(seed)
    by_stratum = np.argsort(strata, kind="stable")
    within = np.empty(len(concepts), np.int64)
    while True:
        key = rng.random(len(concepts))
        key[0] = 0.0
        within[by_stratum] = np.argsort(strata + key)
        everywhere = np.argsort(key)
        yield np.where(free, concepts[everywhere[seen]], concepts[within[seen]])
