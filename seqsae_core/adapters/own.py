"""A model whose code is the user's: a file with `make`, `score` and a few names, beside its weights.

Its file is Python that runs, so it is only read where the user said so: `--trust`, or the environment variable TRUST.
"""

import importlib.util
import json
import os
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file
from torch import nn

from seqsae_core.adapters.folder import CODE, CONFIG, GOLDEN, ITEMS, WEIGHTS
from seqsae_core.adapters.hooked import Hooked
from seqsae_core.errors import UserError

TRUST = "SEQSAE_TRUST"
NEEDED = ("LAYERS", "MAX_LENGTH", "make", "score")
OPTIONS = {"PADDING": "padding", "MASK_TOKENS": "mask_tokens"}
HISTORIES, BEST = 128, 1000


def save(folder: str | Path, code: str | Path, module: nn.Module, item_ids: Sequence[object]) -> None:
    """Write what `build --model FOLDER --trust` reads.

    code: a Python file with LAYERS (paths of submodules, the embeddings first and what is scored last), MAX_LENGTH (the
    longest history), make() (an empty module of the same shape) and score(module, items); see `Hooked`. module: the
    trained one; item_ids: the items' own ids, item 1 first. Raises UserError for a file that lacks one of them, layers
    that are not there, and a last layer that scores are no affine function of.
    """
    folder, code = Path(folder), Path(code)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / CODE).write_text(code.read_text())
    model = _hooked(_read(code), module.eval(), {"n_items": len(item_ids)})
    histories, (items, scores) = _histories(model), _golden(model)
    save_file({"histories": histories, "items": items, "scores": scores}, folder / GOLDEN)
    save_file({name: t.detach().contiguous().clone() for name, t in model.state_dict().items()}, folder / WEIGHTS)
    (folder / CONFIG).write_text(json.dumps({"architecture": model.architecture, **model.shape}, indent=1))
    (folder / ITEMS).write_text(json.dumps([n.item() if isinstance(n, np.generic) else n for n in item_ids]))


def empty(folder: Path, shape: dict[str, Any]) -> Hooked:
    """The model of a folder, to be filled with its weights. Raises UserError unless its code is trusted."""
    code = folder / CODE
    if not os.environ.get(TRUST):
        raise UserError(
            f"The model of {folder} is Python code, {code}, which runs when it is opened. Where you know who wrote it, "
            f"say --trust (build, serve), or set the environment variable {TRUST}=1."
        )
    return Hooked(*_parts(_read(code)), **{name: value for name, value in shape.items() if name != "architecture"})


def _parts(code: ModuleType) -> tuple[nn.Module, Any]:
    return code.make().eval(), code.score


def _hooked(code: ModuleType, module: nn.Module, sizes: dict[str, int]) -> Hooked:
    """The adapter of a trained module, its readout measured."""
    more = {argument: getattr(code, name) for name, argument in OPTIONS.items() if hasattr(code, name)}
    sizes |= {"max_length": code.MAX_LENGTH, "width": _width(module, code)}
    model = Hooked(module, code.score, layers=code.LAYERS, **sizes, **more)
    model.measure()
    return model


@torch.no_grad()
def _width(module: nn.Module, code: ModuleType) -> int:
    """Of the last layer's output for one item."""
    probe, found = Hooked(module, code.score, 1, 1, 1, code.LAYERS), []
    handle = probe._module_of(-1).register_forward_hook(lambda _, __, out: found.append(out))
    code.score(module, torch.ones(1, 1, dtype=torch.int64))
    handle.remove()
    if not found:
        raise UserError(f"The layer {code.LAYERS[-1]} does not run when one item is scored: name another one.")
    return int((found[0][0] if isinstance(found[0], tuple) else found[0]).shape[-1])


def _histories(model: Hooked) -> torch.Tensor:
    """HISTORIES of every length, drawn at random, int64 (HISTORIES, max_length), left-padded with 0."""
    rng = np.random.default_rng(0)
    table = np.zeros((HISTORIES, model.max_length), np.int64)
    for row, length in zip(table, np.linspace(1, model.max_length, HISTORIES).astype(int), strict=True):
        row[-length:] = rng.integers(1, model.n_items + 1, length)
    return torch.from_numpy(table)


@torch.no_grad()
def _golden(model: Hooked) -> tuple[torch.Tensor, torch.Tensor]:
    """The best items of each history and their scores, by the user's own function, both (HISTORIES, best)."""
    scores = torch.cat([model.score(model.module, row[row > 0][None])[:, 1:] for row in _histories(model)]).float()
    values, places = scores.topk(min(BEST, model.n_items), dim=1)
    return places + 1, values


def _read(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("own_model", path)
    code = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(code)
    missing = [name for name in NEEDED if not hasattr(code, name)]
    if missing:
        raise UserError(f"{path} defines no {', '.join(missing)}; it needs {', '.join(NEEDED)}. See docs/OWN_MODEL.md.")
    return code
