"""What a training needs to go on after an interruption as if there had been none: one file, replaced after each pass.

The file is safetensors: weights, AdamW's moments, the best weights and torch's generators are its tensors; numpy's
generator and the caller's notes are JSON in its header.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from seqsae_core.files import replacing

Tensors = dict[str, Tensor]
FILE = "training.safetensors"


def save(
    folder: Path, model: torch.nn.Module, optimiser: torch.optim.Optimizer, rng: np.random.Generator, best: Tensors,
    notes: dict[str, Any],
) -> None:  # fmt: skip
    """Replace the checkpoint in a folder; best: the weights to end with; notes: whatever JSON can hold."""
    moments = {str(index): state for index, state in optimiser.state_dict()["state"].items()}
    groups = {
        "model": model.state_dict(),
        "best": best,
        "generator": {name: module.get_rng_state() for name, module in _generators(model).items()},
        **{f"optimiser/{index}": state for index, state in moments.items()},
    }
    tensors = {f"{group}/{name}": t.contiguous() for group, named in groups.items() for name, t in named.items()}
    header = {"numpy": json.dumps(rng.bit_generator.state), "notes": json.dumps(notes, allow_nan=False)}
    folder.mkdir(parents=True, exist_ok=True)
    with replacing(folder / FILE) as aside:
        save_file(tensors, aside, metadata=header)


def load(
    folder: Path, model: torch.nn.Module, optimiser: torch.optim.Optimizer, rng: np.random.Generator
) -> tuple[Tensors, dict[str, Any]] | None:
    """Set model, optimiser and all generators to where they were; the best weights and the notes.

    None, with nothing touched, where there is no checkpoint that can be read.
    """
    try:
        with safe_open(folder / FILE, "pt") as file:
            header, tensors = file.metadata(), {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (FileNotFoundError, SafetensorError):
        return None
    model.load_state_dict(_group(tensors, "model"))
    groups = optimiser.state_dict()["param_groups"]
    indices = [index for group in groups for index in group["params"]]
    state = {index: _group(tensors, f"optimiser/{index}") for index in indices}
    optimiser.load_state_dict({"state": state, "param_groups": groups})
    for name, module in _generators(model).items():
        module.set_rng_state(tensors[f"generator/{name}"])
    rng.bit_generator.state = json.loads(header["numpy"])
    return _group(tensors, "best"), json.loads(header["notes"])


def _group(tensors: Tensors, group: str) -> Tensors:
    """The tensors of one group, under their own names."""
    return {name.removeprefix(f"{group}/"): t for name, t in tensors.items() if name.startswith(f"{group}/")}


def _generators(model: torch.nn.Module) -> dict[str, Any]:
    """The modules whose random states training draws from: torch's own, and that of the model's device."""
    device = next(model.parameters()).device.type
    return {"cpu": torch} | ({} if device == "cpu" else {device: torch.get_device_module(device)})
