"""Recommendations with the reconstruction in place of a layer, beside the original's: what is lost, and for whom."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from seqsae_core.data.sequences import Sequences, windows
from seqsae_core.recommender.protocol import SequenceModel
from seqsae_core.recommender.ranking import hr, mask_seen, ndcg, rank_of_target, top_k
from seqsae_core.sae.autoencoders import Autoencoder

LENGTH, PERSISTENCE, DRAWS, BATCH = 10, 0.9, 1000, 256


@dataclass(frozen=True)
class Spliced:
    """Of each user, original and spliced: ranks of the target (users, 2), lists (users, 2, 10) of items, 0 where there
    is none left; target: its item (users,)."""

    ranks: np.ndarray
    lists: np.ndarray
    target: np.ndarray


@torch.inference_mode()
def rank_both(
    model: SequenceModel, sae: Autoencoder, sequences: Sequences, targets: np.ndarray, users: np.ndarray, layer: int
) -> Spliced:
    """Rank with and without the reconstruction at every real position after `layer`.

    targets: each user's target event, counted from the first (n_users,): `test_at` or `valid_at` of the split. Users
    without a target or a history are left out.
    """
    users = users[targets[users] > 0]
    users = users[np.argsort(targets[users], kind="stable")]
    batches = np.array_split(users, max(1, len(users) // BATCH))
    parts = [_rank_some(model, sae, sequences, targets[who], who, layer) for who in batches if len(who)]
    if not parts:
        return Spliced(np.empty((0, 2), np.int64), np.empty((0, 2, LENGTH), np.int64), np.empty(0, np.int64))
    return Spliced(*(np.concatenate(part) for part in zip(*parts, strict=True)))


def _rank_some(model, sae, sequences: Sequences, at: np.ndarray, who: np.ndarray, layer: int) -> tuple:
    items = torch.from_numpy(windows(sequences, who, at, model.max_length))
    target = torch.from_numpy(sequences.items[sequences.offsets[who] + at]).long()
    hidden = model.hidden(items, layer)
    ranks, lists = [], []
    for activations in (hidden.activations, sae(hidden.activations)):
        scores = model.scores(model.resume(activations, hidden.item_at, layer))
        mask_seen(scores, sequences, who, at, target)
        ranks.append(rank_of_target(scores, target).numpy())
        found, values = top_k(scores, LENGTH)
        lists.append(np.pad(torch.where(values.isfinite(), found, 0).numpy(), [(0, 0), (0, LENGTH - found.shape[1])]))
    return np.stack(ranks, 1), np.stack(lists, 1), target.numpy()


def rbo(one: np.ndarray, other: np.ndarray, p: float = PERSISTENCE) -> np.ndarray:
    """Extrapolated rank-biased overlap of lists, (n,): Webber, Moffat & Zobel (2010), eq. 32, for lists of one depth k.

    X_k/k · p^k + (1 − p)/p · Σ_d X_d/d · p^d, X_d the number of items that the first d of both lists share. 1 for equal
    lists, 0 for disjoint ones. one, other: items (n, k), 0 = none.
    """
    depth = np.arange(1, one.shape[1] + 1)
    same = (one[:, :, None] == other[:, None, :]) & (one[:, :, None] > 0)
    place = np.maximum(*np.meshgrid(depth, depth))
    agreement = np.stack([(same & (place <= d)).sum((1, 2)) / d for d in depth], 1)
    return agreement[:, -1] * p ** depth[-1] + (1 - p) / p * (agreement * p**depth).sum(1)


def changes(found: Spliced, seed: int) -> dict[str, Any]:
    """Relative change of NDCG@10 and HR@10, and the mean RBO of the lists; 95 % bootstrap intervals over users.

    A change is None where the original has nothing to lose.
    """
    overlap = rbo(found.lists[:, 0], found.lists[:, 1])
    weights = _resampled(len(overlap), seed)
    return {
        **_change("ndcg_change", ndcg(found.ranks, LENGTH), weights),
        **_change("hr_change", hr(found.ranks, LENGTH), weights),
        **_mean("rbo@10", overlap, weights),
    }


def by_decile(found: Spliced, decile: np.ndarray, seed: int) -> list[dict[str, Any]]:
    """The same for users whose target is in each tenth of the catalogue by popularity, least popular first.

    decile: of each item, 0..9 (n_items + 1,).
    """
    return [{"decile": d, **_of_some(found, decile[found.target] == d, seed)} for d in range(10)]


def _of_some(found: Spliced, rows: np.ndarray, seed: int) -> dict[str, Any]:
    some = Spliced(found.ranks[rows], found.lists[rows], found.target[rows])
    gains = ndcg(some.ranks, LENGTH)
    means = gains.mean(0).tolist() if len(gains) else [None, None]
    return {"users": int(rows.sum()), "ndcg": means[0], "ndcg_spliced": means[1], **changes(some, seed)}


def _resampled(users: int, seed: int) -> np.ndarray:
    """How often each user is drawn, (draws, users)."""
    if not users:
        return np.empty((DRAWS, 0))
    return np.random.default_rng(seed).multinomial(users, np.full(users, 1 / users), DRAWS).astype(np.float32)


def _change(name: str, values: np.ndarray, weights: np.ndarray) -> dict[str, Any]:
    before, after = values.sum(0)
    if not before:
        return {name: None, f"{name}_ci95": None}
    sums = weights @ values
    drawn = sums[:, 1] / np.maximum(sums[:, 0], 1e-12) - 1
    return {name: float(after / before - 1), f"{name}_ci95": np.percentile(drawn, [2.5, 97.5]).tolist()}


def _mean(name: str, values: np.ndarray, weights: np.ndarray) -> dict[str, Any]:
    if not len(values):
        return {name: None, f"{name}_ci95": None}
    drawn = weights @ values / len(values)
    return {name: float(values.mean()), f"{name}_ci95": np.percentile(drawn, [2.5, 97.5]).tolist()}
