"""Users by how often they have watched a concept, each group with its own trade-off curve."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from seqsae_core.data.sequences import FIT, Sequences, Split
from seqsae_core.steering import outcomes
from seqsae_core.steering.outcomes import Outcome

SEGMENTS = ("never", "sometimes", "often")
FEWEST = 10
COLUMNS = [
    "concept", "segment", "cut", "users", "strength", "split", "share", "lift", "lift_low", "lift_high", "ndcg",
    "ndcg_change", "ndcg_change_low", "ndcg_change_high",
]  # fmt: skip


def history_shares(sequences: Sequences, users: np.ndarray, ends: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Share of labelled items among the first `ends[i]` events of each user, (users,); labels: (n_items + 1,).

    0 for a user without events.
    """
    upto = np.concatenate([[0.0], np.cumsum(labels[sequences.items], dtype=float)])
    start = sequences.offsets[users]
    return (upto[start + ends] - upto[start]) / np.maximum(ends, 1)


def cut_point(sequences: Sequences, split: Split, labels: np.ndarray) -> float:
    """The share from which on a user watches a concept often: the median over fit users who have watched it at all.

    Infinite where none has.
    """
    users = split.users(FIT)
    shares = history_shares(sequences, users, split.train_end[users], labels)
    return float(np.median(shares[shares > 0])) if (shares > 0).any() else float("inf")


def segment_of(shares: np.ndarray, cut: float) -> np.ndarray:
    """The place in SEGMENTS of each user: 0 for a share of 0, 2 from the cut on, 1 between."""
    return np.where(shares <= 0, 0, np.where(shares < cut, 1, 2))


def segment_curves(
    found: Mapping[str, Outcome], levels: np.ndarray, weights: np.ndarray, segments: np.ndarray, cut: float
) -> pd.DataFrame:
    """One row a segment, strength and split: figures of its users alone, with intervals over them.

    found: of each split, outcomes at the levels, 0 first; weights: (1 + draws, users); segments: (users,). A segment of
    fewer than FEWEST users is left out.
    """
    tables = []
    for place, name in enumerate(SEGMENTS):
        members = segments == place
        if members.sum() < FEWEST:
            continue
        own = weights[:, members] / weights[:, members].sum(1, keepdims=True)
        for split, one in found.items():
            told = {"segment": name, "cut": cut, "users": int(members.sum()), "strength": levels, "split": split}
            tables.append(pd.DataFrame(told | _figures(own, one.share[members], one.ndcg[members])))
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=COLUMNS[1:])


def _figures(weights: np.ndarray, share: np.ndarray, ndcg: np.ndarray) -> dict[str, np.ndarray]:
    lift, change = outcomes.lifts(weights, share), outcomes.relative_changes(weights, ndcg)
    (lift_low, lift_high), (change_low, change_high) = outcomes.interval(lift), outcomes.interval(change)
    return {
        "share": share.mean(0), "lift": lift[0], "lift_low": lift_low, "lift_high": lift_high, "ndcg": ndcg.mean(0),
        "ndcg_change": change[0], "ndcg_change_low": change_low, "ndcg_change_high": change_high,
    }  # fmt: skip
