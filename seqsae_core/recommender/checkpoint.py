"""A recommender's training on disk: weights, their average, AdamW's moments, the best weights and all generators."""

from pathlib import Path
from typing import Any

import numpy as np
import torch

from seqsae_core import checkpoint
from seqsae_core.checkpoint import Tensors


def save(
    folder: Path, model: torch.nn.Module, average: torch.nn.Module, optimiser: torch.optim.Optimizer,
    rng: np.random.Generator, best: Tensors, notes: dict[str, Any],
) -> None:  # fmt: skip
    """Replace the checkpoint in a folder; best: the weights to end with; notes: whatever JSON can hold."""
    random = checkpoint.generators(next(model.parameters()).device)
    groups = {
        "model": model.state_dict(),
        "average": average.state_dict(),
        "best": best,
        "generator": {name: module.get_rng_state() for name, module in random.items()},
        "optimiser": checkpoint.moments(optimiser),
    }
    checkpoint.save(folder, groups, {"numpy": rng.bit_generator.state, "notes": notes})


def load(
    folder: Path, model: torch.nn.Module, average: torch.nn.Module, optimiser: torch.optim.Optimizer,
    rng: np.random.Generator,
) -> tuple[Tensors, dict[str, Any]] | None:  # fmt: skip
    """Set model, its average, optimiser and all generators to where they were; the best weights and the notes.

    None, with nothing touched, where there is no checkpoint that can be read, or one of another kind of device, whose
    generators are not those of this one.
    """
    found, random = checkpoint.load(folder), checkpoint.generators(next(model.parameters()).device)
    if found is None or found[0]["generator"].keys() != random.keys():
        return None
    groups, notes = found
    model.load_state_dict(groups["model"])
    average.load_state_dict(groups["average"])
    checkpoint.set_moments(optimiser, groups["optimiser"])
    for name, module in random.items():
        module.set_rng_state(groups["generator"][name])
    rng.bit_generator.state = notes["numpy"]
    return groups["best"], notes["notes"]
