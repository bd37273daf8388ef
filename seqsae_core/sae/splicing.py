"""Recommendations with the reconstruction in place of a layer, beside the original's: what is lost, and for whom."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from seqsae_core.data.sequences import Sequences, windows
from seqsae_core.recommender.evaluation import Ranked, users_at_once
from seqsae_core.recommender.names import LIST
from seqsae_core.recommender.protocol import SequenceModel
from seqsae_core.recommender.ranking import bootstrap_ratio, hr, ndcg
from seqsae_core.sae.autoencoders import Autoencoder

PERSISTENCE, BATCH = 0.9, 256


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
    at = targets[users]
    original, spliced = Ranked.empty(len(users)), Ranked.empty(len(users))
    size = users_at_once(BATCH, sequences.n_items)
    for rows in np.array_split(np.argsort(at, kind="stable"), max(1, len(users) // size)):
        items = torch.from_numpy(windows(sequences, users[rows], at[rows], model.max_length))
        hidden = model.hidden(items, layer)
        for found, splice in ((original, lambda x: x), (spliced, sae)):
            states = model.resume(splice(hidden.activations), hidden.item_at, layer)
            found.put(rows, model.scores(states), sequences, users[rows], at[rows])
    ranks, lists = (np.stack(pair, 1) for pair in ((original.ranks, spliced.ranks), (original.lists, spliced.lists)))
    return Spliced(ranks, lists, sequences.items[sequences.offsets[users] + at])


def rbo(one: np.ndarray, other: np.ndarray, p: float = PERSISTENCE) -> np.ndarray:
    """Extrapolated rank-biased overlap of lists, (n,): Webber, Moffat & Zobel (2010), eq. 32, for lists of one depth k.

    X_k/k · p^k + (1 − p)/p · Σ_{d ≤ k} X_d/d · p^d, X_d the number of items that the first d of both lists share. 1 for
    equal lists, 0 for disjoint ones. one, other: items (n, depth), 0 = none; a row's k is the number of items in it,
    equal in both.
    """
    depth, k = np.arange(1, one.shape[1] + 1), np.maximum((one > 0).sum(1), 1)
    same = (one[:, :, None] == other[:, None, :]) & (one[:, :, None] > 0)
    shared = same.cumsum(1, dtype=np.int8).cumsum(2, dtype=np.int8).diagonal(axis1=1, axis2=2)
    agreement = shared / depth
    last = np.take_along_axis(agreement, k[:, None] - 1, axis=1)[:, 0]
    return last * p**k + (1 - p) / p * (agreement * p**depth * (depth <= k[:, None])).sum(1)


def changes(found: Spliced, seed: int) -> dict[str, Any]:
    """Relative change of NDCG@10 and HR@10, and the mean RBO of the lists; 95 % bootstrap intervals over users.

    A change is None where the original has nothing to lose, its interval where a draw of the users has not.
    """
    overlap = rbo(found.lists[:, 0], found.lists[:, 1])
    ratios = {
        "ndcg_change": _change(ndcg(found.ranks, LIST)),
        "hr_change": _change(hr(found.ranks, LIST)),
        f"rbo@{LIST}": np.stack([overlap, np.ones_like(overlap)], 1),
    }
    figures: dict[str, Any] = {}
    for name, values in ratios.items():
        figures[name], figures[f"{name}_ci95"] = bootstrap_ratio(values, seed=seed)
    return figures


def by_decile(found: Spliced, decile: np.ndarray, seed: int) -> list[dict[str, Any]]:
    """The same for users whose target is in each tenth of the catalogue by popularity, 1 the least popular.

    decile: of each item, 0..9 (n_items + 1,).
    """
    return [{"decile": d + 1, **_of_some(found, decile[found.target] == d, seed)} for d in range(10)]


def _of_some(found: Spliced, rows: np.ndarray, seed: int) -> dict[str, Any]:
    some = Spliced(found.ranks[rows], found.lists[rows], found.target[rows])
    gains = ndcg(some.ranks, LIST)
    means = gains.mean(0).tolist() if len(gains) else [None, None]
    return {"users": int(rows.sum()), "ndcg": means[0], "ndcg_spliced": means[1], **changes(some, seed)}


def _change(gains: np.ndarray) -> np.ndarray:
    """What is gained and what there was, (users, 2): their ratio is the relative change."""
    return np.stack([gains[:, 1] - gains[:, 0], gains[:, 0]], 1)
