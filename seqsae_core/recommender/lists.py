"""What recommended lists look like, over all users: how much of the catalogue, how even, how new, how different."""

import numpy as np

from seqsae_core.recommender.names import LIST, LISTS

PAIRS = 100_000


def list_figures(lists: np.ndarray, counts: np.ndarray) -> dict[str, float | None]:
    """The figures named in `LISTS`; None where there is nothing to measure.

    lists: (users, 10) of items 1..n_items, each once, 0 for none; counts: training events of each item, (n_items + 1,).
    """
    shown, counts = np.bincount(lists[lists > 0], minlength=len(counts))[1:], counts[1:]
    found = {"coverage": float((shown > 0).mean()), "diversity": diversity(lists)}
    if shown.any():
        found |= {"gini": gini(shown), "novelty": novelty(shown, counts), "popularity": popularity(shown, counts)}
    return {name: found.get(name.removesuffix(f"@{LIST}")) for name in LISTS}


def gini(shown: np.ndarray) -> float:
    """Gini coefficient of how often each item of the catalogue is shown, (n_items,): 0 all as often, near 1 a few only.

    Σ (2i − n − 1) xᵢ / (n Σ xᵢ) over rising x, i from 1 (Fleder & Hosanagar, 2009, measure sales so).
    """
    n = len(shown)
    return float((2 * np.arange(1, n + 1) - n - 1) @ np.sort(shown) / (n * shown.sum()))


def novelty(shown: np.ndarray, counts: np.ndarray) -> float:
    """Mean −log₂ share of the training events over all places of all lists, bits (Zhou et al., 2010, self-information).

    shown, counts: (n_items,). An item without a training event counts as one with a single event.
    """
    surprise = -np.log2(np.maximum(counts, 1) / counts.sum())
    return float(shown @ surprise / shown.sum())


def popularity(shown: np.ndarray, counts: np.ndarray) -> float:
    """Mean percentile in training popularity over all places of all lists, ties at their middle; the catalogue has .5.

    shown, counts: (n_items,).
    """
    order = np.sort(counts)
    below, upto = (np.searchsorted(order, counts, side) for side in ("left", "right"))
    return float(shown @ (below + upto) / (2 * len(order) * shown.sum()))


def diversity(lists: np.ndarray, pairs: tuple[np.ndarray, np.ndarray] | None = None) -> float | None:
    """1 − mean Jaccard similarity of two users' lists: over all pairs, or `PAIRS` random ones where there are more.

    lists: (users, 10); pairs: users to compare instead, (pairs,) each. Pairs are the same ones each time; a pair of
    empty lists is left out; None without any other.
    """
    one, other = (lists[side] for side in pairs or _pairs(len(lists)))
    common = ((one[:, :, None] == other[:, None, :]) & (one[:, :, None] > 0)).sum((1, 2))
    union = (one > 0).sum(1) + (other > 0).sum(1) - common
    return float(1 - (common[union > 0] / union[union > 0]).mean()) if union.any() else None


def _pairs(users: int) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of two different users, all of them or `PAIRS` drawn with repetition."""
    if users * (users - 1) // 2 <= PAIRS:
        return np.triu_indices(users, k=1)
    rng = np.random.default_rng(0)
    one = rng.integers(users, size=PAIRS)
    return one, (one + rng.integers(1, users, PAIRS)) % users
