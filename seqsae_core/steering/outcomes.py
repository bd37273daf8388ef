"""What lists under displacements are worth: share, accuracy, what the lists look like, with paired intervals."""

from dataclasses import dataclass

import numpy as np

from seqsae_core.recommender.lists import diversity, gini, novelty
from seqsae_core.recommender.ranking import hr, ndcg
from seqsae_core.steering.evaluation import K, Lists

DRAWS = 1000
PAIRS = 2000


@dataclass(frozen=True)
class Outcome:
    """Of each user and variant, (users, variants): share of the concept in the list, NDCG@10 and HR@10 of the target;
    coverage (variants,): the share of the catalogue that is in anyone's list."""

    share: np.ndarray
    ndcg: np.ndarray
    hr: np.ndarray
    coverage: np.ndarray


def outcome(lists: Lists, labels: np.ndarray) -> Outcome:
    """Outcome of lists for a concept with item values (n_items + 1,), row 0 zero.

    A list of fewer than 10 items counts as one of 10, the missing ones without the concept.
    """
    seen = (np.bincount(column.ravel(), minlength=len(labels)) > 0 for column in lists.items.swapaxes(0, 1))
    coverage = np.array([found[1:].mean() for found in seen])
    return Outcome(labels[lists.items].mean(2), ndcg(lists.ranks, K), hr(lists.ranks, K), coverage)


def looks(lists: Lists, counts: np.ndarray) -> dict[str, np.ndarray]:
    """Gini coefficient, novelty and inter-list diversity of each variant, (variants,), as `recommender.lists` defines
    them, diversity over PAIRS pairs of users, the same for all variants; counts: training events (n_items + 1,)."""
    columns = lists.items.swapaxes(0, 1)
    shown = [np.bincount(items[items > 0], minlength=len(counts))[1:] for items in columns]
    pairs = drawn_pairs(len(lists.items))
    return {
        "gini": np.array([gini(one) if one.any() else 0.0 for one in shown]),
        "novelty": np.array([novelty(one, counts[1:]) if one.any() else 0.0 for one in shown]),
        "diversity": np.array([diversity(items, pairs) or 0.0 for items in columns]),
    }


def drawn_pairs(users: int) -> tuple[np.ndarray, np.ndarray]:
    """PAIRS pairs of two different users, drawn with repetition, the same ones each time; none of a single user."""
    if users < 2:
        return np.zeros(0, int), np.zeros(0, int)
    rng = np.random.default_rng(0)
    one = rng.integers(users, size=PAIRS)
    return one, (one + rng.integers(1, users, PAIRS)) % users


def user_weights(users: int, seed: int, draws: int = DRAWS) -> np.ndarray:
    """Bootstrap weights (1 + draws, users): row 0 weighs all users alike, the others are draws with replacement.

    Rows sum to 1. All variants share them, so that every interval of a change is a paired one.
    """
    counts = np.random.default_rng(seed).multinomial(users, np.full(users, 1 / users), size=draws)
    return np.vstack([np.ones(users), counts]) / users


def lifts(weights: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Mean share of each variant / that of variant 0, (1 + draws, variants); share: (users, variants).

    Means count as half a listed item in all users together at least, so that a lift is always a positive number.
    """
    means = np.maximum(weights @ share, 0.5 / (K * len(share)))
    return means / means[:, :1]


def relative_changes(weights: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Mean of each variant / that of variant 0, less 1, (1 + draws, variants); values: (users, variants), not negative.

    0 where variant 0 has mean 0: there is nothing to lose.
    """
    means = weights @ values
    return np.divide(means, means[:, :1], out=np.ones_like(means), where=means[:, :1] > 0) - 1


def interval(drawn: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """95 % percentile interval over the draws, rows 1… of (1 + draws, …)."""
    low, high = np.percentile(drawn[1:], [2.5, 97.5], axis=0)
    return low, high
