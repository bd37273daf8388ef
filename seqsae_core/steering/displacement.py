"""States under displacements of the hidden state: the one place where an edit touches the model."""

import torch
from torch import Tensor

from seqsae_core.errors import UserError
from seqsae_core.recommender.protocol import Hidden, SequenceModel

POSITIONS = ("last", "all")
ROWS = 256


def check_position(position: str) -> str:
    """The position itself. Raises UserError unless it is one of POSITIONS."""
    if position not in POSITIONS:
        raise UserError(f"Unknown position “{position}”. Choose one of: {', '.join(POSITIONS)}.")
    return position


def displaced_states(
    model: SequenceModel, hidden: Hidden, layer: int, displacements: Tensor, position: str = "last"
) -> Tensor:
    """Scored states (batch, variants, width) with each displacement (variants, width) added after `layer`.

    The reconstruction error of the dictionary stays in: hidden + displacement, never the reconstruction.
    `position`: "last" displaces the last position, "all" every real position; padding is never touched.
    A zero displacement is the identity of the activations bit for bit.
    """
    if position == "last":
        last = hidden.activations[:, -1:] + displacements
        return model.resume_last(hidden.activations, last, hidden.item_at, layer)
    size = max(1, ROWS // len(hidden.item_at))
    return torch.cat([_resume_all(model, hidden, layer, part) for part in displacements.split(size)], dim=1)


def _resume_all(model: SequenceModel, hidden: Hidden, layer: int, displacements: Tensor) -> Tensor:
    moved = hidden.activations[:, None] + hidden.mask[:, None, :, None] * displacements[:, None]
    items = hidden.item_at.repeat_interleave(len(displacements), dim=0)
    return model.resume(moved.flatten(0, 1), items, layer).unflatten(0, moved.shape[:2])
