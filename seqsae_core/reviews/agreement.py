"""How far reviewers agree: Cohen's κ for a pair, Krippendorff's α for any number, with bootstrap intervals.

Sources: Cohen (1960); Krippendorff, *Computing Krippendorff's Alpha-Reliability* (2011), section on nominal data with
missing values.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from seqsae_core.reviews.events import Event

RESAMPLES, SEED = 1000, 0
MISSING = -1


@dataclass(frozen=True)
class Estimate:
    """value: None where it is not defined (nothing is shared, or all is one answer); latents: how many it rests on."""

    value: float | None
    low: float | None
    high: float | None
    latents: int


def table(verdicts: Sequence[Event]) -> tuple[np.ndarray, list[str], list[int]]:
    """Verdicts as numbers, int (latents, reviewers), MISSING where a reviewer gave none; the reviewers; the latents."""
    reviewers, latents = sorted({v.reviewer for v in verdicts}), sorted({v.latent for v in verdicts})
    kinds = sorted({str(v.verdict) for v in verdicts})
    values = np.full((len(latents), len(reviewers)), MISSING)
    rows, columns = {f: i for i, f in enumerate(latents)}, {r: i for i, r in enumerate(reviewers)}
    for verdict in verdicts:
        values[rows[verdict.latent], columns[verdict.reviewer]] = kinds.index(str(verdict.verdict))
    return values, reviewers, latents


def kappa(a: np.ndarray, b: np.ndarray) -> float:
    """Cohen's κ of two reviewers' answers to the same questions; NaN where chance alone would always agree."""
    both = (a != MISSING) & (b != MISSING)
    a, b = a[both], b[both]
    if not len(a):
        return float("nan")
    kinds = np.union1d(a, b)
    expected = sum((a == k).mean() * (b == k).mean() for k in kinds)
    return float("nan") if expected >= 1 else float(((a == b).mean() - expected) / (1 - expected))


def alpha(values: np.ndarray) -> float:
    """Krippendorff's α of nominal answers (units, reviewers), 1 − observed / expected disagreement; NaN where all
    pairable answers are one."""
    kinds = np.unique(values[values != MISSING])
    return alpha_of_counts((values[:, :, None] == kinds).sum(1))


def alpha_of_counts(counts: np.ndarray) -> float:
    """The same from how many reviewers gave each answer, (units, answers). Units with fewer than two do not count."""
    counts = counts[counts.sum(1) >= 2].astype(float)
    each, total = counts.sum(1), counts.sum()
    if not total:
        return float("nan")
    observed = ((each**2 - (counts**2).sum(1)) / (each - 1)).sum()
    expected = (total**2 - (counts.sum(0) ** 2).sum()) / (total - 1)
    return float("nan") if expected == 0 else float(1 - observed / expected)


def pairs(values: np.ndarray, reviewers: Sequence[str]) -> dict[tuple[str, str], Estimate]:
    """κ of every two reviewers over the latents that both decided."""
    found = {}
    for i, j in combinations(range(len(reviewers)), 2):
        both = (values[:, [i, j]] != MISSING).all(1)
        found[reviewers[i], reviewers[j]] = _estimate(values[both][:, [i, j]], lambda v: kappa(v[:, 0], v[:, 1]))
    return found


def everybody(values: np.ndarray) -> Estimate:
    """α over the latents that at least two decided."""
    return _estimate(values[(values != MISSING).sum(1) >= 2], alpha)


def _estimate(values: np.ndarray, statistic: Callable[[np.ndarray], float]) -> Estimate:
    """A statistic with the 95 % percentile interval of a bootstrap over latents."""
    n = len(values)
    value = statistic(values) if n else float("nan")
    if np.isnan(value) or n < 2:
        return Estimate(None if np.isnan(value) else value, None, None, n)
    rng = np.random.default_rng(SEED)
    drawn = np.array([statistic(values[rng.integers(0, n, n)]) for _ in range(RESAMPLES)])
    low, high = np.nanpercentile(drawn, [2.5, 97.5])
    return Estimate(value, float(low), float(high), n)
