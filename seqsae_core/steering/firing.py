"""Which latents fire in a history, and at which of its items; and which fire on one item, alone and in histories."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import torch

from seqsae_core.data.sequences import Sequences, Split, windows
from seqsae_core.errors import UserError
from seqsae_core.recommender.recommend import hidden_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from seqsae_core.steering.steerer import Steerer

HISTORIES = 200


@torch.inference_mode()
def in_history(steerer: "Steerer", history: "Sequence[int]") -> pd.DataFrame:
    """One row a latent and item that fires it: latent, place (in the history, from 1), item, activation > 0.

    Only the last `max_length` items are read. Errors as in `Steerer.recommend`.
    """
    hidden = hidden_of(steerer.model, history, steerer.layer)
    at_items = hidden.item_at[0] > 0
    items = hidden.item_at[0][at_items].numpy()
    codes = steerer.sae.codes(hidden.activations[0][at_items]).to_csr(steerer.sae.latents).tocoo()
    place = len(history) - len(items) + codes.row + 1
    table = pd.DataFrame({"latent": codes.col, "place": place, "item": items[codes.row], "activation": codes.data})
    return table[table["activation"] > 0].sort_values(["latent", "place"], ignore_index=True)


def strongest(table: pd.DataFrame, count: int) -> list[int]:
    """The latents of `in_history` with the largest sums of activations: decoder directions have length 1, so this is
    how much each writes into the hidden states. Ties go to the lower number."""
    totals = table.groupby("latent")["activation"].sum()
    return totals.sort_values(ascending=False, kind="stable").index[:count].tolist()


@torch.inference_mode()
def on_item(
    steerer: "Steerer", sequences: Sequences, split: Split, users: np.ndarray, item: int, most: int = HISTORIES
) -> tuple[pd.DataFrame, int]:
    """Latents that fire on an item where `users` read it, the largest means first, and how many of them read it.

    Columns: latent, share (of those readings on which it fires), mean (activation over all of them, 0 where it does not
    fire), alone (activation in a history of this item alone); share and mean are NaN where nobody read it. Each user
    counts once, by the first reading within the context; of more than `most` users a spread of them is taken. Raises
    UserError for an unknown item.
    """
    who, ends = _readings(sequences, split, users, item)
    spread = np.linspace(0, len(who) - 1, min(most, len(who))).astype(int)
    fires = _codes_at_last(steerer, windows(sequences, who[spread], ends[spread], steerer.model.max_length))
    alone = _codes_at_last(steerer, np.array([[item]], np.int64))[0]
    share, mean = ((fires > 0).mean(0), fires.mean(0)) if len(who) else (np.nan, np.nan)
    table = pd.DataFrame({"latent": np.arange(len(alone)), "share": share, "mean": mean, "alone": alone})
    table = table[(table["share"] > 0) | (table["alone"] > 0)]
    return table.sort_values(["mean", "alone"], ascending=False, kind="stable", ignore_index=True), len(who)


def _readings(sequences: Sequences, split: Split, users: np.ndarray, item: int) -> tuple[np.ndarray, np.ndarray]:
    """Users whose context holds the item, and the number of events up to and with its first reading."""
    if not 1 <= item <= sequences.n_items:
        raise UserError(f"There is no item {item}: item numbers run from 1 to {sequences.n_items}.")
    at = np.flatnonzero(sequences.items == item)
    owner = np.searchsorted(sequences.offsets, at, side="right") - 1
    owner, first = np.unique(owner, return_index=True)
    ends = at[first] - sequences.offsets[owner] + 1
    keep = np.isin(owner, users) & (ends <= split.context_end[owner])
    return owner[keep], ends[keep]


def _codes_at_last(steerer: "Steerer", items: np.ndarray) -> np.ndarray:
    """Codes (histories, latents) at the last item of each row of left-padded histories, of which there may be none."""
    if not len(items):
        return np.zeros((0, steerer.sae.latents), np.float32)
    hidden = steerer.model.hidden(torch.from_numpy(items), steerer.layer)
    last = hidden.item_at.shape[1] - 1 - (hidden.item_at.flip(1) > 0).int().argmax(1)
    states = hidden.activations[torch.arange(len(items)), last]
    return steerer.sae.codes(states).to_csr(steerer.sae.latents).toarray()
