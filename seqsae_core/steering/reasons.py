"""Why an item is recommended: what its score and rank lose without each latent and each item of the history; and what
would bring an item up: latents by gradient, confirmed by real passes.

Ranks are among the items that are not in the history, ties to the lower item, as in every list.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from seqsae_core.errors import UserError
from seqsae_core.recommender.protocol import Hidden
from seqsae_core.recommender.recommend import check_history, hidden_of
from seqsae_core.steering.algebra import Variants, changes
from seqsae_core.steering.displacement import positions
from seqsae_core.steering.edits import Edit, check, check_strength
from seqsae_core.steering.steerer import Steerer

ROWS = 256
RIVALS = 10
STRENGTH = 2.0


@dataclass(frozen=True)
class Reasons:
    """Score and rank of an item for a history, and what each part of the history's evidence does for it.

    latents: one row an active latent: latent, code (the largest where it is ablated), score_change, rank, rank_change.
    items: one row an event that the model reads: position (1 = the oldest of the whole history), item, and the same.
    Changes are without it − with it, so what speaks for the item has negative score changes; those come first.
    """

    item: int
    score: float
    rank: int
    latents: pd.DataFrame
    items: pd.DataFrame


@torch.inference_mode()
def why(steerer: Steerer, history: Sequence[int], item: int, edits: Sequence[Edit] = ()) -> Reasons:
    """Exact ablation of each latent that is active where the steerer edits, and of each item of the history.

    Under `edits` the codes that they leave are ablated, and a shorter history is edited as the whole one is.
    One batched pass: the row to compare with, a row an ablated latent (code to 0, the reconstruction error stays in), a
    row an event (the model reads the history without it; it stays out of the list). A history of one event has no rows
    of items: without it there is nothing to read. Raises UserError for a history, an item or edits that cannot be.
    """
    events, window = _checked(steerer, history, item), steerer.model.max_length
    edits = check(edits, steerer.sae.latents)
    places = np.arange(max(0, len(events) - window), len(events)) if len(events) > 1 else np.arange(0)
    hidden = _hidden_together(steerer, [events, *(np.delete(events, place) for place in places)])
    edited = hidden.activations + _moved(steerer, hidden, edits)
    latents, codes = _codes(steerer, Hidden(*(part[:1] for part in hidden)), edits)
    activations = torch.cat([edited, edited[:1] + _ablated(steerer, latents, codes)])
    item_at = torch.cat([hidden.item_at, hidden.item_at[:1].expand(len(latents), -1)])
    scores = _scores(steerer, activations, item_at)
    own, ranks = scores[:, item].double(), _ranks(scores, item, events)
    table = pd.DataFrame(
        {"score_change": (own - own[0]).numpy(), "rank": ranks, "rank_change": ranks - ranks[0]}
    ).iloc[1:]
    of_items, of_latents = (part.reset_index(drop=True) for part in (table[: len(places)], table[len(places) :]))
    return Reasons(
        item, float(own[0]), int(ranks[0]),
        _strongest_first(pd.DataFrame({"latent": latents, "code": _largest(codes)}).join(of_latents)),
        _strongest_first(pd.DataFrame({"position": places + 1, "item": events[places]}).join(of_items)),
    )  # fmt: skip


def what_would_raise(
    steerer: Steerer,
    history: Sequence[int],
    item: int,
    count: int = 10,
    strength: float = STRENGTH,
    edits: Sequence[Edit] = (),
) -> pd.DataFrame:
    """The `count` latents that would raise an item most, each added with `strength` units, up or down, after `edits`.

    They are found by the gradient of the item's lead (its score − the mean of the RIVALS best other scores), times unit
    and strength, and confirmed by real passes: latent, strength (signed), estimated and real lead_change, rank (with
    `edits` alone), new_rank; the largest real rise first. A latent without a unit takes no part. Errors as in `why`,
    and for a strength that is no number above 0.
    """
    events, edits = _checked(steerer, history, item), check(edits, steerer.sae.latents)
    if not check_strength(strength) > 0:
        raise UserError(f"The strength is {strength:g}: give a number above 0; the direction is found.")
    slopes = _slopes(steerer, events, item, edits)
    best = slopes.abs().argsort(descending=True, stable=True)[:count]
    best = best[slopes[best] != 0]
    signed = torch.sign(slopes[best]) * strength
    scores = steerer.scores(events, _each_added(steerer, edits, best, signed))[1:]
    lead = (scores[:, item] - scores[:, _rivals(scores[0], item, events)].mean(1)).double()
    ranks = _ranks(scores, item, events)
    found = pd.DataFrame(
        {
            "latent": best.numpy(), "strength": signed.numpy(), "estimated": (slopes[best].abs() * strength).numpy(),
            "lead_change": (lead - lead[0])[1:].numpy(), "rank": ranks[0], "new_rank": ranks[1:],
        }
    )  # fmt: skip
    return found.sort_values("lead_change", ascending=False, kind="stable", ignore_index=True)


def _checked(steerer: Steerer, history: Sequence[int], item: int) -> np.ndarray:
    """The history's items. Raises UserError unless the item may be recommended after them."""
    events = check_history(history, steerer.model.n_items)
    if not 1 <= item <= steerer.model.n_items:
        raise UserError(f"There is no item {item}: choose one; item numbers run from 1 to {steerer.model.n_items}.")
    if item in events:
        raise UserError(f"Item {item} is in the history, so it is never recommended: choose another one.")
    return events


def _hidden_together(steerer: Steerer, histories: Sequence[np.ndarray]) -> Hidden:
    """Activations of histories in one batch, padded to the length of the longest that is read."""
    length = min(len(histories[0]), steerer.model.max_length)
    items = torch.zeros(len(histories), length, dtype=torch.long)
    for row, events in zip(items, histories, strict=True):
        read = torch.from_numpy(events[-length:])
        row[length - len(read) :] = read
    return steerer.model.hidden(items, steerer.layer)


def _moved(steerer: Steerer, hidden: Hidden, edits: Sequence[Edit]) -> Tensor:
    """What edits add to activations, (batch, length, width), 0 where the steerer does not edit."""
    if not edits:
        return torch.zeros_like(hidden.activations)
    moved = steerer.single(edits).of(hidden, "all")[:, 0]
    return positions(hidden, steerer.position)[..., None] * moved


def _codes(steerer: Steerer, hidden: Hidden, edits: Sequence[Edit]) -> tuple[np.ndarray, Tensor]:
    """Latents that fire where the steerer edits, ascending, and their edited codes (length, latents), 0 elsewhere."""
    codes = steerer.sae.encode(hidden.activations)
    own = steerer.single(edits).for_users(codes, hidden.item_at)
    codes = codes + changes(codes, torch.arange(codes.shape[-1]), edits, own, steerer.units)[:, 0]
    codes = codes[0] * positions(hidden, steerer.position)[0, :, None]
    latents = torch.nonzero(codes.any(0))[:, 0]
    return latents.numpy(), codes[:, latents]


def _largest(codes: Tensor) -> np.ndarray:
    """The code of largest size of each latent, (latents,), of codes (length, latents)."""
    return codes.gather(0, codes.abs().argmax(0, keepdim=True))[0].numpy()


def _each_added(steerer: Steerer, edits: Sequence[Edit], latents: Tensor, strengths: Tensor) -> Variants:
    """The edits alone, then with each of the latents added by its strength."""
    added = tuple(Edit(int(latent), 1.0) for latent in latents)
    every = steerer.single((*edits, *added))
    held = every.strengths[: len(edits)].expand(-1, len(added) + 1)
    own = torch.cat([torch.zeros(len(added), 1), torch.diag(strengths)], dim=1)
    return replace(every, strengths=torch.cat([held, own]))


def _ablated(steerer: Steerer, latents: np.ndarray, codes: Tensor) -> Tensor:
    """What ablating each latent alone adds to the activations: − code × decoder direction, (latents, length, width)."""
    return -codes.T[:, :, None] * steerer.sae.W_dec[torch.from_numpy(latents)][:, None]


def _scores(steerer: Steerer, activations: Tensor, item_at: Tensor) -> Tensor:
    pairs = zip(activations.split(ROWS), item_at.split(ROWS), strict=True)
    return torch.cat([steerer.model.scores(steerer.model.resume(x, items, steerer.layer)) for x, items in pairs])


def _ranks(scores: Tensor, item: int, seen: np.ndarray) -> np.ndarray:
    """1-based ranks of an item in rows of scores (rows, n_items + 1), the items seen left out."""
    scores = scores.clone()
    scores[:, torch.from_numpy(np.append(seen, 0))] = -torch.inf
    own = scores[:, item, None]
    return (1 + (scores > own).sum(1) + (scores[:, :item] == own).sum(1)).numpy()


def _rivals(scores: Tensor, item: int, seen: np.ndarray) -> Tensor:
    """The RIVALS best items other than this one and those seen."""
    scores = scores.clone()
    scores[torch.from_numpy(np.append(seen, [0, item]))] = -torch.inf
    values, items = scores.topk(min(RIVALS, len(scores)))
    return items[values.isfinite()]


def _slopes(steerer: Steerer, events: np.ndarray, item: int, edits: Sequence[Edit]) -> Tensor:
    """Change of the item's lead by one unit of each latent, to first order, (latents,)."""
    with torch.no_grad():
        hidden = hidden_of(steerer.model, events, steerer.layer)
        edited = hidden.activations + _moved(steerer, hidden, edits)
    with torch.enable_grad():
        moved = torch.zeros(steerer.model.width, requires_grad=True)
        where = positions(hidden, steerer.position)[..., None]
        state = steerer.model.resume(edited + where * moved, hidden.item_at, steerer.layer)
        scores = steerer.model.scores(state)[0]
        lead = scores[item] - scores[_rivals(scores.detach(), item, events)].mean()
        (gradient,) = torch.autograd.grad(lead, moved)
    return steerer.units * (steerer.sae.W_dec.detach() @ gradient)


def _strongest_first(table: pd.DataFrame) -> pd.DataFrame:
    return table.sort_values("score_change", kind="stable", ignore_index=True)
