"""Ranks and ranking metrics: one target a user, the whole catalogue ranked, seen items removed."""

import numpy as np
import torch
from torch import Tensor

from seqsae_core.data.sequences import Sequences, windows
from seqsae_core.recommender.protocol import SequenceModel


def rank_of_target(scores: Tensor, target: Tensor) -> Tensor:
    """1-based rank of the target, int64 (batch,). Ties count against the model: every equal score ranks above.

    scores: (batch, n_items + 1); target: (batch,). A target whose score is not finite ranks last.
    """
    own = scores.gather(1, target[:, None])
    rank = (scores >= own).sum(1)
    return torch.where(own[:, 0].isfinite(), rank, scores.shape[1] - 1)


def mask_seen(scores: Tensor, sequences: Sequences, users: np.ndarray, ends: np.ndarray, target: Tensor) -> None:
    """Set the scores of each user's whole known history (before `ends`) to -inf, in place; never the target's."""
    own = scores.gather(1, target[:, None])
    starts = sequences.offsets[users]
    rows = np.repeat(np.arange(len(users)), ends)
    columns = np.concatenate([sequences.items[a : a + n] for a, n in zip(starts, ends, strict=True)])
    scores[torch.from_numpy(rows), torch.from_numpy(columns).long()] = -torch.inf
    scores.scatter_(1, target[:, None], own)


def top_k(scores: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """Items and scores of the k best of each row, both (batch, k); ties by lower item id."""
    k = min(k, scores.shape[1])
    least = scores.topk(k, dim=1).values[:, -1:]
    with_ties = int((scores >= least).sum(1).max())
    values, items = scores.topk(with_ties, dim=1)
    order = items.argsort(dim=1)
    values, items = values.gather(1, order), items.gather(1, order)
    order = values.argsort(dim=1, descending=True, stable=True)[:, :k]
    return items.gather(1, order), values.gather(1, order)


def hr(ranks: np.ndarray, k: int) -> np.ndarray:
    """Hit rate at k of each user: 1 where the target is among the first k."""
    return (ranks <= k).astype(float)


def ndcg(ranks: np.ndarray, k: int) -> np.ndarray:
    """NDCG at k of each user's one target: 1 / log2(1 + rank) within the first k (Järvelin & Kekäläinen, 2002)."""
    return np.where(ranks <= k, 1 / np.log2(1 + ranks), 0.0)


def bootstrap_mean(values: np.ndarray, draws: int = 1000, seed: int = 0) -> tuple[float, float, float]:
    """Mean with its 95 % percentile interval over bootstrap draws of the users (Efron & Tibshirani, 1993, ch. 13)."""
    rng = np.random.default_rng(seed)
    means = [values[rng.integers(len(values), size=len(values))].mean() for _ in range(draws)]
    low, high = np.percentile(means, [2.5, 97.5])
    return float(values.mean()), float(low), float(high)


@torch.inference_mode()
def target_ranks(
    model: SequenceModel,
    sequences: Sequences,
    users: np.ndarray,
    target_at: np.ndarray,
    batch_size: int = 256,
) -> np.ndarray:
    """Rank of each user's event `target_at[i]` given all events before it, (len(users),).

    users, target_at: (n,). Users are batched by length, so that padding stays small.
    """
    ranks = np.zeros(len(users), np.int64)
    for part in np.array_split(np.argsort(target_at, kind="stable"), max(1, len(users) // batch_size)):
        who, at = users[part], target_at[part]
        items = torch.from_numpy(windows(sequences, who, at, model.max_length))
        target = torch.from_numpy(sequences.items[sequences.offsets[who] + at]).long()
        scores = model.scores(model.resume(model.hidden(items, model.n_layers).activations, items, model.n_layers))
        mask_seen(scores, sequences, who, at, target)
        ranks[part] = rank_of_target(scores, target).numpy()
    return ranks


def summarise(ranks: np.ndarray, seed: int = 0) -> dict[str, float | list[float]]:
    """HR@10 and NDCG@10 with their 95 % intervals over users, and the number of users."""
    result: dict[str, float | list[float]] = {"users": len(ranks)}
    for name, metric in (("hr@10", hr), ("ndcg@10", ndcg)):
        mean, low, high = bootstrap_mean(metric(ranks, 10), seed=seed)
        result |= {name: mean, f"{name}_ci95": [low, high]}
    return result
