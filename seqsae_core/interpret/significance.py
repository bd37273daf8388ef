"""Is a correlation more than search would find by chance? A permutation null at item level."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from seqsae_core.interpret.alignment import ItemSums, correlation

MIN_ITEMS = 10
BATCH = 250
SPARSE = 0.15


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
    over everything, and Benjamini–Hochberg beside them. All concepts share the same permutations.

    concepts: (n_items + 1, c); strata: (n_items + 1,) popularity decile of each item; free: bool (c,).
    Features that fire on fewer than 10 items and concepts with fewer than 10 items do not compete (z = 0, p = 1).
    """
    features = np.flatnonzero((sums.total > 0).sum(0) >= MIN_ITEMS)
    observed = correlation(sums, concepts)
    z, p = np.zeros(observed.shape), np.ones(observed.shape)
    highest = np.full((permutations, concepts.shape[1]), -np.inf)
    within = _orders(strata, sums.counts > 0, permutations, seed)
    everywhere = _orders(np.zeros_like(strata), sums.counts > 0, permutations, seed) if free.any() else within
    correlate = _null(sums, features)
    for column in np.flatnonzero((concepts > 0).sum(0) >= MIN_ITEMS):
        order = everywhere if free[column] else within
        null = correlate(concepts[:, column].astype(np.float32)[order])
        z[features, column], p[features, column], highest[:, column] = _compare(null, observed[features, column])
    threshold = balanced_thresholds(highest, np.isfinite(highest).all(0))
    return Significance(z, p, threshold, benjamini_hochberg(p) & (p < 1))


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


def _compare(null: np.ndarray, observed: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """z and p of each feature (f,), and each permutation's largest z (permutations,). null: (f, permutations)."""
    mean, spread = null.mean(1), null.std(1)
    ok = spread > 1e-9
    exceed = (null >= observed.astype(np.float32)[:, None]).sum(1)
    p = np.where(ok, (1 + exceed) / (1 + null.shape[1]), 1.0)
    null -= mean[:, None]
    null /= np.where(ok, spread, 1.0)[:, None]
    z = np.where(ok, observed - mean, 0.0) / np.where(ok, spread, 1.0)
    return z, p, null.max(axis=0, where=ok[:, None], initial=-np.inf)


def _null(sums: ItemSums, features: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """A function from permuted values of one concept at the items seen, (seen, permutations), to the correlations
    (f, permutations), float32. Only Σ over items of (Σ a at the item) · y changes: one product, sparse where few items
    fire a feature."""
    seen, n = sums.counts > 0, max(sums.counts.sum(), 1.0)
    weights = (sums.counts[seen] / n).astype(np.float32)
    mean = sums.total[:, features].sum(0) / n
    spread = np.sqrt((sums.square[:, features].sum(0) / n - mean**2).clip(min=1e-24))
    standard = np.ascontiguousarray((sums.total[np.ix_(seen, features)] / (spread * n)).T, dtype=np.float32)
    offset = (mean / spread).astype(np.float32)[:, None]
    product = csr_array(standard) if np.count_nonzero(standard) < SPARSE * standard.size else standard

    def correlate(y: np.ndarray) -> np.ndarray:
        mean_y = weights @ y
        variance = (weights @ (y * y) - mean_y**2).clip(min=1e-12)
        parts = [product @ np.ascontiguousarray(y[:, i : i + BATCH]) for i in range(0, y.shape[1], BATCH)]
        return (np.concatenate(parts, axis=1) - offset * mean_y) / np.sqrt(variance)

    return correlate


def _orders(strata: np.ndarray, seen: np.ndarray, permutations: int, seed: int) -> np.ndarray:
    """Permutations of the items within strata: for each item in `seen` the item whose concepts it gets, int32
    (seen, permutations). Row 0, padding, stays out."""
    rng = np.random.default_rng(seed)
    orders = np.zeros((permutations, len(strata)), np.int32)
    for stratum in np.unique(strata[1:]):
        items = 1 + np.flatnonzero(strata[1:] == stratum)
        orders[:, items] = rng.permuted(np.tile(items, (permutations, 1)), axis=1)
    return np.ascontiguousarray(orders[:, seen].T)
