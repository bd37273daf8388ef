"""What a training needs to go on after an interruption as if there had been none: one file, replaced each time.

The file is safetensors: groups of named tensors, and the caller's notes as JSON in its header.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from seqsae_core.files import replacing

Tensors = dict[str, Tensor]
Groups = dict[str, Tensors]
FILE = "training.safetensors"


def save(folder: Path, groups: Mapping[str, Mapping[str, Tensor]], notes: Mapping[str, Any]) -> None:
    """Replace the checkpoint in a folder; notes: whatever JSON can hold."""
    tensors = {f"{group}/{name}": t.contiguous() for group, named in groups.items() for name, t in named.items()}
    folder.mkdir(parents=True, exist_ok=True)
    with replacing(folder / FILE) as aside:
        save_file(tensors, aside, metadata={"notes": json.dumps(notes, allow_nan=False)})


def load(folder: Path) -> tuple[Groups, dict[str, Any]] | None:
    """Groups and notes, or None where there is no checkpoint that can be read."""
    groups: Groups = {}
    try:
        with safe_open(folder / FILE, "pt") as file:
            notes = json.loads(file.metadata()["notes"])
            for key in file.keys():  # noqa: SIM118
                group, name = key.split("/", 1)
                groups.setdefault(group, {})[name] = file.get_tensor(key)
    except (OSError, SafetensorError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return groups, notes


def moments(optimiser: torch.optim.Optimizer) -> Tensors:
    """What an optimiser such as Adam remembers of each parameter."""
    state = optimiser.state_dict()["state"]
    return {f"{index}/{name}": tensor for index, named in state.items() for name, tensor in named.items()}


def set_moments(optimiser: torch.optim.Optimizer, tensors: Mapping[str, Tensor]) -> None:
    """Make an optimiser of the same parameters remember what `moments` told."""
    groups, state = optimiser.state_dict()["param_groups"], {}
    for key, tensor in tensors.items():
        index, name = key.split("/", 1)
        state.setdefault(int(index), {})[name] = tensor
    optimiser.load_state_dict({"state": state, "param_groups": groups})


def generators(device: torch.device) -> dict[str, Any]:
    """The modules whose random states a training on a device draws from: torch's own, and the device's."""
    return {"cpu": torch} | ({} if device.type == "cpu" else {device.type: torch.get_device_module(device.type)})
