"""Ranks and ranking metrics: one target a user, the whole catalogue ranked, seen items removed."""

import numpy as np
import torch
from torch import Tensor

from seqsae_core.data.sequences import Sequences


def rank_of_target(scores: Tensor, target: Tensor) -> Tensor:
    """1-based rank of the target, int64 (batch,). Ties count against the model: every equal score ranks above.

    scores: (batch, n_items + 1); target: (batch,). A target whose score is not finite ranks last.
    """
    own = scores.gather(1, target[:, None])
    rank = _count(scores >= own)
    return torch.where(own[:, 0].isfinite(), rank, scores.shape[1] - 1)


def mask_seen(scores: Tensor, sequences: Sequences, users: np.ndarray, ends: np.ndarray, target: Tensor) -> None:
    """Set the scores of each user's whole known history (before `ends`) to -inf, in place; never the target's."""
    scores[seen(sequences, users, ends, target)] = -torch.inf


def seen(sequences: Sequences, users: np.ndarray, ends: np.ndarray, target: Tensor) -> tuple[Tensor, Tensor]:
    """Rows 0..len(users) − 1 and items, both (n_seen,), of each user's history before `ends`; never the target's."""
    starts = sequences.offsets[users]
    rows = torch.from_numpy(np.repeat(np.arange(len(users)), ends))
    items = np.concatenate([sequences.items[a : a + n] for a, n in zip(starts, ends, strict=True)])
    items = torch.from_numpy(items).long()
    kept = items != target[rows]
    return rows[kept], items[kept]


def top_k(scores: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """Items and scores of the k best of each row, both (batch, k); ties by lower item id."""
    k = min(k, scores.shape[1])
    values, items = scores.topk(min(k + 1, scores.shape[1]), dim=1)
    if not (values[:, 1:] == values[:, :-1]).any():
        return items[:, :k], values[:, :k]
    values, items = values[:, :k], items[:, :k]
    least = values[:, -1:]
    crossed = torch.nonzero(_count(scores >= least) > k)[:, 0]
    if len(crossed):
        items[crossed] = _lowest_at_the_cut(scores[crossed], items[crossed], values[crossed])
    order = items.argsort(dim=1)
    values, items = values.gather(1, order), items.gather(1, order)
    order = values.argsort(dim=1, descending=True, stable=True)
    return items.gather(1, order), values.gather(1, order)


def _lowest_at_the_cut(scores: Tensor, items: Tensor, values: Tensor) -> Tensor:
    """The items of `topk` (batch, k), those that tie with the last replaced by the lowest that do."""
    row, item = torch.nonzero(scores == values[:, -1:], as_tuple=True)
    place = torch.arange(len(row)) - torch.searchsorted(row, row)
    place += _count(values > values[:, -1:])[row]
    kept = place < values.shape[1]
    items[row[kept], place[kept]] = item[kept]
    return items


def _count(mask: Tensor) -> Tensor:
    """True entries of each row, int64 (batch,); torch's own sum first makes eight bytes of every entry."""
    return torch.from_numpy(np.count_nonzero(mask.cpu().numpy(), axis=1)).to(mask.device)


def hr(ranks: np.ndarray, k: int) -> np.ndarray:
    """Hit rate at k of each user: 1 where the target is among the first k."""
    return (ranks <= k).astype(float)


def ndcg(ranks: np.ndarray, k: int) -> np.ndarray:
    """NDCG at k of each user's one target: 1 / log2(1 + rank) within the first k (Järvelin & Kekäläinen, 2002)."""
    return np.where(ranks <= k, 1 / np.log2(1 + ranks.astype(float)), 0.0)


def mrr(ranks: np.ndarray, k: int) -> np.ndarray:
    """Reciprocal rank of each user's one target within the first k, else 0 (Voorhees, 1999)."""
    return np.where(ranks <= k, 1 / ranks, 0.0)


def bootstrap_mean(values: np.ndarray, draws: int = 1000, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Means with 95 % percentile intervals over bootstrap draws of the users (Efron & Tibshirani, 1993, ch. 13).

    values: (users,) or (users, figures); each result a scalar or (figures,), all figures from the same draws.
    """
    rng = np.random.default_rng(seed)
    means = [values[rng.integers(len(values), size=len(values))].mean(0) for _ in range(draws)]
    low, high = np.percentile(means, [2.5, 97.5], axis=0)
    return values.mean(0), low, high


def bootstrap_ratio(
    values: np.ndarray, draws: int = 1000, seed: int = 0
) -> tuple[float | None, tuple[float, float] | None]:
    """Sum of the first column / sum of the second, and its 95 % percentile interval over draws of the users.

    values: (users, 2), of the same users, so that the interval is a paired one. A ratio whose divisor is not positive
    is None, and so is an interval when this happens in any draw.
    """
    above, below = values.sum(0)
    if below <= 0:
        return None, None
    rng, users = np.random.default_rng(seed), len(values)
    counts = (np.bincount(rng.integers(users, size=users), minlength=users) for _ in range(draws))
    tops, bottoms = np.array([count @ values for count in counts]).T
    bounds = np.percentile(tops / bottoms, [2.5, 97.5]).tolist() if (bottoms > 0).all() else None
    return float(above / below), bounds
