"""States under displacements of the hidden state: the one place where an edit touches the model."""

import re

import torch
from torch import Tensor

from seqsae_core.errors import UserError
from seqsae_core.recommender.protocol import Hidden, SequenceModel

POSITIONS = ("last", "all", "from N")
FROM = re.compile(r"from (-?[1-9][0-9]{0,5})")
ROWS = 256


def check_position(position: str) -> str:
    """The position itself. Raises UserError unless it is one of POSITIONS."""
    if position not in POSITIONS[:2] and not FROM.fullmatch(position):
        raise UserError(
            f"Unknown position “{position}”. Choose one of: {', '.join(POSITIONS)} (N counts the items that the model "
            "reads from the oldest, or, below 0, from the newest)."
        )
    return position


def positions(hidden: Hidden, position: str) -> Tensor:
    """Which positions an edit touches, bool (batch, length); never padding.

    "last" is the last one, "all" every real one, "from N" those from the N-th item that the model reads on (N < 0: the
    last −N items), a mask token after them too, and at least the last one.
    """
    if position == "all":
        return hidden.mask
    last = torch.arange(hidden.mask.shape[1]) == hidden.mask.shape[1] - 1
    if position == "last":
        return hidden.mask & last
    is_item, start = hidden.item_at > 0, int(FROM.fullmatch(position).group(1))
    upto = is_item.cumsum(1)
    later = upto >= start if start > 0 else is_item.sum(1, keepdim=True) - upto + is_item.int() <= -start
    return hidden.mask & (later | last)


def displaced_states(
    model: SequenceModel, hidden: Hidden, layer: int, displacements: Tensor, position: str = "last"
) -> Tensor:
    """Scored states (batch, variants, width) with each displacement added after `layer`.

    displacements: (variants, width) for every history and position alike, or (batch, variants, positions, width), one
    position where only the last is displaced. The reconstruction error of the dictionary stays in: hidden +
    displacement, never the reconstruction. Padding is never touched; see `positions`.
    A zero displacement is the identity of the activations bit for bit.
    """
    if position == "last":
        own = displacements if displacements.ndim == 2 else displacements[:, :, -1]
        return model.resume_last(hidden.activations, hidden.activations[:, -1:] + own, hidden.item_at, layer)
    if displacements.ndim == 2:
        displacements = displacements[None, :, None]
    where, size = positions(hidden, position), max(1, ROWS // len(hidden.item_at))
    parts = displacements.split(size, dim=1)
    return torch.cat([_resume_all(model, hidden, layer, where, part) for part in parts], dim=1)


def displaced(hidden: Hidden, displacements: Tensor, position: str) -> Tensor:
    """Activations (batch, variants, length, width) with displacements as `displaced_states` takes them."""
    rows = displacements[None, :, None] if displacements.ndim == 2 else displacements
    return _moved(hidden, positions(hidden, position), rows)


def _moved(hidden: Hidden, where: Tensor, displacements: Tensor) -> Tensor:
    return hidden.activations[:, None] + where[:, None, :, None] * displacements


def _resume_all(model: SequenceModel, hidden: Hidden, layer: int, where: Tensor, displacements: Tensor) -> Tensor:
    moved = _moved(hidden, where, displacements)
    items = hidden.item_at.repeat_interleave(moved.shape[1], dim=0)
    return model.resume(moved.flatten(0, 1), items, layer).unflatten(0, moved.shape[:2])
