"""Recommendations for one history: anybody's, whether or not the model has seen the user.

The ranking that is steered is this one: `steering` uses the same functions.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from seqsae_core.data.lookup import Lookup
from seqsae_core.device import use_threads
from seqsae_core.errors import UserError
from seqsae_core.recommender.protocol import Hidden, SequenceModel
from seqsae_core.recommender.ranking import top_k
from seqsae_core.recommender.single import History, one_history

if TYPE_CHECKING:
    from seqsae_core.study import Study


@dataclass(frozen=True)
class Ranking:
    """The best items first: items int64 (k,), scores float32 (k,); fewer than k when fewer are unseen."""

    items: np.ndarray
    scores: np.ndarray


@dataclass(frozen=True, repr=False)
class Recommendations(Ranking):
    """A ranking with what the items are called: item_ids (k,) as in the data, titles (k,) with the year if known."""

    item_ids: np.ndarray
    titles: np.ndarray

    def table(self) -> pd.DataFrame:
        """One row an item, the best first: rank (from 1), item, item_id, title, score."""
        rank = np.arange(1, len(self.items) + 1)
        columns = {"item": self.items, "item_id": self.item_ids, "title": self.titles, "score": self.scores}
        return pd.DataFrame({"rank": rank, **columns})

    def __repr__(self) -> str:
        return self.table().to_string(index=False)


class Recommender:
    """A model and the catalogue of its items, in model order: item, item_id, title, year, count.

    Any history will do: the model knows no users.
    """

    def __init__(self, model: SequenceModel, catalogue: pd.DataFrame):
        if len(catalogue) != model.n_items:
            raise ValueError(f"{len(catalogue)} items in the catalogue, {model.n_items} in the model")
        self.model, self.lookup = model, Lookup(catalogue)
        self._single = one_history(model)
        self._counts = catalogue["count"].to_numpy(np.float32)

    def __repr__(self) -> str:
        return f"Recommender({type(self.model).__name__}, {self.model.n_items:,} items)"

    @classmethod
    def from_study(cls, study: "Study") -> "Recommender":
        """The recommender of a study, on one torch thread: a single history is too small to share."""
        use_threads(1)
        return cls(study.model(), study.catalogue())

    def recommend(
        self, history: Sequence[object] | np.ndarray, k: int = 10, by: str = "item", exclude_seen: bool = True
    ) -> Recommendations:
        """The k best items after `history`, oldest first; all that are left where k is larger.

        `by` says what the history holds: "item" numbers 1..n, "id" original ids, "title" titles (`Lookup`). The model
        reads the last `max_length` items; `exclude_seen` removes every item of the whole history. Ties go to the
        lower item number. Raises UserError for an empty history, an item that is not there, or k < 1.
        """
        items = history if by == "item" else self.lookup.items(history, by)
        return self._named(rank_items(self._single, items, k, exclude_seen))

    def popular(self, k: int = 10) -> Recommendations:
        """The k items with most training interactions, their numbers the scores: for whoever has no history yet."""
        scores = torch.from_numpy(np.concatenate([[np.float32(-np.inf)], self._counts]))
        return self._named(best(scores[None], (), k)[0])

    def _named(self, ranking: Ranking) -> Recommendations:
        rows = ranking.items - 1
        return Recommendations(ranking.items, ranking.scores, self.lookup.item_ids[rows], self.lookup.titles[rows])


def check_history(history: Sequence[object] | np.ndarray, n_items: int) -> np.ndarray:
    """The history as int64 (length,). Raises UserError when it is empty or names an unknown item."""
    if len(history) == 0:
        raise UserError(
            "The history is empty: add at least one item to get recommendations. "
            "Where there is none yet, `Recommender.popular` lists the most popular items."
        )
    items = np.asarray(history)
    if items.ndim != 1 or items.dtype.kind not in "iu":
        raise UserError(
            "The history holds more than item numbers: give whole numbers, oldest first. "
            'Titles and original ids need by="title" or by="id".'
        )
    wrong = items[(items < 1) | (items > n_items)]
    if len(wrong):
        raise UserError(f"There is no item {wrong[0]}: remove it; item numbers run from 1 to {n_items}.")
    return items.astype(np.int64)


def hidden_of(model: SequenceModel, history: Sequence[int], layer: int) -> Hidden:
    """Activations of one history after `layer`, a batch of one without padding. Errors as in `check_history`."""
    items = check_history(history, model.n_items)[-model.max_length :]
    return model.hidden(torch.from_numpy(items)[None], layer)


@torch.inference_mode()
def rank_items(model: History, history: Sequence[int], k: int, exclude_seen: bool = True) -> Ranking:
    """The plain model's k best items after one history, of any length. Errors as in `check_history` and `best`."""
    items = check_history(history, model.n_items)
    scores = model.scores(torch.from_numpy(items[-model.max_length :]))
    return best(scores, items if exclude_seen else (), k)[0]


@torch.inference_mode()
def best(scores: Tensor, seen: Sequence[int], k: int) -> list[Ranking]:
    """The k best items of each row of scores (rows, n_items + 1), the items `seen` removed in place.

    Raises UserError for k < 1.
    """
    if k < 1:
        raise UserError(f"The length of the list is {k}: ask for at least 1 item.")
    scores.index_fill_(1, torch.from_numpy(np.ascontiguousarray(seen, np.int64)), -torch.inf)
    items, values = (part.numpy() for part in top_k(scores, k))
    return [Ranking(i[np.isfinite(v)], v[np.isfinite(v)]) for i, v in zip(items, values, strict=True)]
