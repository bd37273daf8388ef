"""Top-10 lists and target ranks of many held-out users under displacements."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from seqsae_core.data.interactions import hash_share
from seqsae_core.data.sequences import FIT, SCORE, SELECT, Sequences, Split, windows
from seqsae_core.recommender import ranking
from seqsae_core.recommender.protocol import Hidden, SequenceModel
from seqsae_core.sae.autoencoders import Autoencoder
from seqsae_core.steering.algebra import Variants
from seqsae_core.steering.displacement import displaced_states
from seqsae_core.steering.sureness import sureness
from seqsae_core.steering.taste import mean_codes

K = 10
ROWS = 192
Report = Callable[[float, str], None]


@dataclass(frozen=True)
class Bucket:
    """Users of similar history length: their places in the whole set, hidden states, seen items and targets.

    at: (batch,); seen: rows and items, both (n_seen,), the whole known history without the target; target: (batch,).
    """

    at: np.ndarray
    hidden: Hidden
    seen_rows: Tensor
    seen_items: Tensor
    target: Tensor


@dataclass(frozen=True)
class Contexts:
    """Held-out histories with one target each, their hidden states after `layer` computed once."""

    model: SequenceModel
    layer: int
    users: np.ndarray
    buckets: tuple[Bucket, ...]


@dataclass(frozen=True)
class Lists:
    """What users are shown: items int32 (users, variants, 10), 0 where there is none left; ranks of the target
    (users, variants), exact up to 10, 11 for anything beyond."""

    items: np.ndarray
    ranks: np.ndarray


def beside(one: Lists, other: Lists) -> Lists:
    """The variants of both, of the same users."""
    return Lists(np.concatenate([one.items, other.items], 1), np.concatenate([one.ranks, other.ranks], 1))


def fit_users(sequences: Sequences, split: Split, count: int) -> np.ndarray:
    """`count` users of the role fit, the first by stable hash, who have a validation target."""
    users = split.users(FIT)
    users = users[split.valid_at[users] >= 1]
    return np.sort(users[np.argsort(hash_share(sequences.users[users], "steering"), kind="stable")[:count]])


def held_out_users(sequences: Sequences, split: Split, each: int) -> np.ndarray:
    """`each` users of the role select and as many of score, the first by stable hash, who have both targets."""
    chosen = []
    for role in (SELECT, SCORE):
        users = split.users(role)
        users = users[(split.valid_at[users] >= 1) & (split.test_at[users] >= 1)]
        order = np.argsort(hash_share(sequences.users[users], "steering"), kind="stable")
        chosen.append(users[order[:each]])
    return np.sort(np.concatenate(chosen))


@torch.inference_mode()
def collect_contexts(
    model: SequenceModel,
    layer: int,
    sequences: Sequences,
    users: np.ndarray,
    target_at: np.ndarray,
    batch_size: int = 256,
) -> Contexts:
    """Each user's history before event `target_at[i]`, (users,), with that event as the target.

    Users are batched by length, so that padding stays small.
    """
    buckets = []
    order = np.argsort(target_at, kind="stable")
    for part in np.array_split(order, max(1, len(users) // batch_size)):
        who, ends = users[part], target_at[part]
        items = torch.from_numpy(windows(sequences, who, ends, model.max_length))
        target = torch.from_numpy(sequences.items[sequences.offsets[who] + ends]).long()
        known = ranking.seen(sequences, who, ends, target)
        buckets.append(Bucket(part, model.hidden(items, layer), *known, target))
    return Contexts(model, layer, users, tuple(buckets))


def workers() -> ThreadPoolExecutor:
    """As many threads as torch may use, each with one torch thread: faster than sharing small products among threads,
    and the same figures for any number of them."""
    return ThreadPoolExecutor(torch.get_num_threads(), initializer=torch.set_num_threads, initargs=(1,))


@torch.inference_mode()
def lists_under(
    contexts: Contexts,
    displacements: Tensor | Variants,
    position: str = "last",
    boosts: Tensor | None = None,
    factors: Tensor | None = None,
) -> Lists:
    """Lists and target ranks under each of the displacements (variants, width), or of variants of edits.

    The rank counts every score at least the target's among the eleven best, so ties count against the model.
    boosts: (variants, n_items + 1) added to the scores, None = nothing added; one displacement may then serve all.
    factors: (users,), what displacements (variants, width) and boosts are multiplied by for each user, None = 1.
    """
    shape = (len(contexts.users), len(displacements) if boosts is None else len(boosts))
    items, ranks = np.zeros((*shape, K), np.int32), np.zeros(shape, np.int8)
    for bucket in contexts.buckets:
        own = displacements if isinstance(displacements, Tensor) else displacements.of(bucket.hidden, position)
        mine = None if factors is None else factors[bucket.at]
        if mine is not None:
            own = mine[:, None, None, None] * own[None, :, None]
        states = displaced_states(contexts.model, bucket.hidden, contexts.layer, own, position)
        for rows, scores in _scored(contexts.model, bucket, states, boosts, mine):
            own = scores.gather(2, bucket.target[rows, None, None].expand(-1, scores.shape[1], 1))
            values, best = scores.topk(min(K + 1, scores.shape[2]), dim=2)
            found = torch.where(values.isfinite(), best, 0)[..., :K].numpy()
            items[bucket.at[rows], :, : found.shape[2]] = found
            ranks[bucket.at[rows]] = (values >= own).sum(2).numpy()
    return Lists(items, ranks)


def _scored(
    model: SequenceModel, bucket: Bucket, states: Tensor, boosts: Tensor | None, factors: Tensor | None = None
) -> Iterator[tuple[slice, Tensor]]:
    """Scores (some users, variants, n_items + 1) with seen items at -inf, in chunks that fit the cache."""
    size = max(1, ROWS // (states.shape[1] if boosts is None else len(boosts)))
    for start in range(0, len(states), size):
        rows = slice(start, min(start + size, len(states)))
        scores = model.scores(states[rows])
        if boosts is not None:
            scores = scores + (boosts if factors is None else factors[rows, None, None] * boosts)
        inside = slice(*torch.searchsorted(bucket.seen_rows, torch.tensor([rows.start, rows.stop])).tolist())
        scores[bucket.seen_rows[inside] - start, :, bucket.seen_items[inside]] = -torch.inf
        yield rows, scores


@torch.inference_mode()
def history_codes(contexts: Contexts, sae: Autoencoder) -> Tensor:
    """Mean code of each latent over each user's history, (users, latents)."""
    means = torch.zeros(len(contexts.users), sae.latents)
    for bucket in contexts.buckets:
        means[bucket.at] = mean_codes(sae, bucket.hidden)
    return means


@torch.inference_mode()
def sureness_of(contexts: Contexts) -> Tensor:
    """The sureness of each user's plain list, (users,)."""
    found = torch.zeros(len(contexts.users))
    for bucket in contexts.buckets:
        states = contexts.model.resume(bucket.hidden.activations, bucket.hidden.item_at, contexts.layer)[:, None]
        for rows, scores in _scored(contexts.model, bucket, states, None):
            found[bucket.at[rows]] = sureness(scores[:, 0].softmax(1))
    return found


@torch.inference_mode()
def score_spread(contexts: Contexts, best: int = 100) -> float:
    """Standard deviation of a user's `best` largest plain scores, where lists are decided; the median over users."""
    model, spreads = contexts.model, []
    for bucket in contexts.buckets:
        hidden = bucket.hidden
        scores = model.scores(model.resume(hidden.activations, hidden.item_at, contexts.layer))
        spreads.append(scores.topk(min(best, model.n_items), dim=1).values.std(1, correction=0))
    return float(torch.cat(spreads).median())
