"""What a recommender is judged by: where each user's target ranks, and each user's list (see `lists`)."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch

from seqsae_core.data.sequences import Sequences, windows
from seqsae_core.recommender import ranking
from seqsae_core.recommender.lists import list_figures
from seqsae_core.recommender.names import ACCURACY, LIST
from seqsae_core.recommender.protocol import SequenceModel

DRAWS = 1000
SCORES = 2**24


@dataclass(frozen=True)
class Ranked:
    """ranks: int64 (users,) of the targets; lists: the first ten items, seen ones removed, int32 (users, 10).

    A list has 0 where fewer than ten items are left.
    """

    ranks: np.ndarray
    lists: np.ndarray

    @classmethod
    def empty(cls, users: int) -> "Ranked":
        """To be filled in by `put`."""
        return cls(np.zeros(users, np.int64), np.zeros((users, LIST), np.int32))

    def put(
        self, rows: np.ndarray, scores: torch.Tensor, sequences: Sequences, users: np.ndarray, at: np.ndarray
    ) -> None:
        """Rank event `at` of each user by `scores` (batch, n_items + 1), given the events before it; changes scores."""
        self.ranks[rows] = rank_targets(scores, sequences, users, at).numpy()
        items, values = ranking.top_k(scores, LIST)
        self.lists[rows, : items.shape[1]] = torch.where(values.isfinite(), items, 0).numpy()


def users_at_once(most: int, n_items: int) -> int:
    """How many users' scores are held together: `most`, or fewer over a large catalogue, so that memory has a bound."""
    return max(1, min(most, SCORES // (n_items + 1)))


def scored(
    model: SequenceModel, sequences: Sequences, users: np.ndarray, target_at: np.ndarray, batch_size: int = 256
) -> Iterator[tuple[np.ndarray, torch.Tensor]]:
    """Rows of `users` and their scores (batch, n_items + 1), given the events before `target_at`.

    Users are batched by length, so that padding stays small. The model may be on any device, the scores come to the
    CPU. Call it in inference mode.
    """
    device = model.item_vectors().device
    size = users_at_once(batch_size, sequences.n_items)
    for rows in np.array_split(np.argsort(target_at, kind="stable"), max(1, len(users) // size)):
        items = torch.from_numpy(windows(sequences, users[rows], target_at[rows], model.max_length)).to(device)
        hidden = model.hidden(items, model.n_layers)
        state = model.resume(hidden.activations, hidden.item_at, model.n_layers)
        yield rows, model.scores(state).cpu()


@torch.inference_mode()
def target_ranks(model: SequenceModel, sequences: Sequences, users: np.ndarray, target_at: np.ndarray) -> np.ndarray:
    """Rank of each user's event `target_at[i]` given all events before it, int64 (users,)."""
    ranks = np.zeros(len(users), np.int64)
    for rows, scores in scored(model, sequences, users, target_at):
        ranks[rows] = rank_targets(scores, sequences, users[rows], target_at[rows]).numpy()
    return ranks


@torch.inference_mode()
def rank_users(model: SequenceModel, sequences: Sequences, users: np.ndarray, target_at: np.ndarray) -> Ranked:
    """The same with each user's list."""
    found = Ranked.empty(len(users))
    for rows, scores in scored(model, sequences, users, target_at):
        found.put(rows, scores, sequences, users[rows], target_at[rows])
    return found


def rank_targets(scores: torch.Tensor, sequences: Sequences, users: np.ndarray, at: np.ndarray) -> torch.Tensor:
    """Ranks (batch,) of the events `at`, the events before them removed from `scores` in place."""
    target = torch.from_numpy(sequences.items[sequences.offsets[users] + at]).long()
    ranking.mask_seen(scores, sequences, users, at, target)
    return ranking.rank_of_target(scores, target)


def unseen_targets(sequences: Sequences, users: np.ndarray, at: np.ndarray, counts: np.ndarray) -> float:
    """Share of the users' events `at` whose item has no training event; counts: (n_items + 1,)."""
    return float((counts[sequences.items[sequences.offsets[users] + at]] == 0).mean())


def accuracy(ranks: np.ndarray, seed: int = 0) -> dict[str, float | list[float] | int]:
    """HR, NDCG and MRR at 5, 10 and 20, each with its 95 % bootstrap interval over users, and the number of users."""
    values = np.stack([_gain(name, ranks) for name in ACCURACY], axis=1)
    mean, low, high = ranking.bootstrap_mean(values, DRAWS, seed)
    result: dict[str, float | list[float] | int] = {"users": len(ranks)}
    for name, *figures in zip(ACCURACY, mean.tolist(), low.tolist(), high.tolist(), strict=True):
        result |= {name: figures[0], f"{name}_ci95": figures[1:]}
    return result


def _gain(name: str, ranks: np.ndarray) -> np.ndarray:
    metric, cutoff = name.split("@")
    return {"hr": ranking.hr, "ndcg": ranking.ndcg, "mrr": ranking.mrr}[metric](ranks, int(cutoff))


def summarise(found: Ranked, counts: np.ndarray, seed: int = 0) -> dict[str, float | list[float] | int | None]:
    """Every figure of `accuracy` and of `list_figures`."""
    return accuracy(found.ranks, seed) | list_figures(found.lists, counts)
