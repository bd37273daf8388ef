"""From a folder of a converted model to a model of the protocol, in the study's order of items, checked."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from seqsae_core.adapters import folder as folders
from seqsae_core.adapters import own
from seqsae_core.adapters.adapted import Adapted
from seqsae_core.adapters.gpt2 import GPT2
from seqsae_core.adapters.hooked import Hooked
from seqsae_core.adapters.recbole import RecBoleGRU4Rec, RecBoleSASRec
from seqsae_core.adapters.rectools import RecToolsBERT4Rec, RecToolsSASRec
from seqsae_core.errors import UserError
from seqsae_core.recommender.protocol import SequenceModel

MODELS = (RecToolsSASRec, RecToolsBERT4Rec, RecBoleSASRec, RecBoleGRU4Rec, GPT2)
CLASSES = {cls.architecture: cls for cls in MODELS}
ITEM_TENSORS = ("items.weight", "outputs", "bias", "vectors", "order")
TOLERANCE, LEAST_USERS, BATCH = 1e-4, 100, 32


def make(folder: Path, shape: dict[str, Any]) -> Adapted | Hooked:
    """The empty model of a folder; shape: `architecture` and the arguments of its class.

    Raises UserError where it is the user's own code, which nobody said may run.
    """
    if shape["architecture"] == Hooked.architecture:
        return own.empty(folder, shape)
    more = {name: value for name, value in shape.items() if name not in ("architecture", "library")}
    return CLASSES[shape["architecture"]](**more)


def load(
    folder: str | Path, item_ids: np.ndarray, shared: bool = False
) -> tuple[Adapted | Hooked, dict[str, float | int]]:
    """The model of the items `item_ids`, in their order, and how far its scores are from the library's own.

    Raises UserError for a folder that cannot be read, other items than the data's (`shared`: for items that the model
    does not know), weights of another shape, and scores that differ by more than TOLERANCE.
    """
    folder = Path(folder)
    shape, numbers = folders.describe(folder), folders.item_numbers(folder, item_ids, shared)
    known = len(folders.known_items(folder))
    if known != shape["n_items"]:
        raise UserError(f"{folder}: {folders.ITEMS} has {known} items, {folders.CONFIG} {shape['n_items']}.")
    weights = _tensors(folder / folders.WEIGHTS)
    try:
        agreement = check(_filled(folder, shape, weights), folder)
        return _filled(folder, shape | {"n_items": len(numbers)}, _of_items(weights, numbers)), agreement
    except (RuntimeError, TypeError, IndexError, KeyError) as error:
        reason = " ".join(str(error).split())
        told = f"{folder}: its files do not belong together ({reason})"
        raise UserError(f"{told}. Convert the model again.") from None


def _filled(folder: Path, shape: dict[str, Any], weights: dict[str, Tensor]) -> Adapted | Hooked:
    model = make(folder, shape).eval().requires_grad_(False)
    model.load_state_dict(weights)
    return model


def _of_items(weights: dict[str, Tensor], numbers: np.ndarray) -> dict[str, Tensor]:
    """Padding and then the items of these numbers, in this order, of every tensor that has a row an item."""
    rows = np.concatenate([[0], numbers])
    return {name: t[rows] if name in ITEM_TENSORS else t for name, t in weights.items()}


def copy_code(source: str | Path, folder: Path) -> None:
    """What a model of the user's own code needs beside its weights, into a study."""
    if (Path(source) / folders.CODE).is_file():
        shutil.copy(Path(source) / folders.CODE, folder)


def check(model: Adapted | Hooked, folder: Path) -> dict[str, float | int]:
    """Compare scores with the library's own, of a model in the library's order of items.

    Raises UserError where the largest difference is above TOLERANCE, or the histories are too few to tell.
    """
    golden = _tensors(folder / folders.GOLDEN)
    histories, items = (golden[name].long() for name in ("histories", "items"))
    if len(histories) < LEAST_USERS:
        raise UserError(f"{folder / folders.GOLDEN} has {len(histories)} histories; {LEAST_USERS} are needed.")
    differences = [
        (scores(model, some).gather(1, at) - expected).abs().max()
        for some, at, expected in zip(*(t.split(BATCH) for t in (histories, items, golden["scores"])), strict=True)
    ]
    largest = float(torch.stack(differences).max())
    if not largest <= TOLERANCE:
        raise UserError(
            f"{folder}: scores of {len(histories)} histories differ by up to {largest:.2g} from those that the library "
            f"gave; {TOLERANCE:g} is allowed. Convert the model again, with the version of the library that trained "
            f"it; of a model of your own, name the layer last that the items are scored from."
        )
    return {"largest_difference": largest, "histories": len(histories), "items": items.shape[1]}


@torch.inference_mode()
def scores(model: SequenceModel, histories: Tensor) -> Tensor:
    """Scores (batch, n_items + 1) after histories int64 (batch, length), left-padded with 0."""
    longest = max(int((histories > 0).sum(1).max()), 1)
    hidden = model.hidden(histories[:, -longest:], model.n_layers)
    return model.scores(model.resume(hidden.activations, hidden.item_at, model.n_layers))


def _tensors(path: Path) -> dict[str, Tensor]:
    try:
        found = load_file(path)
    except (OSError, ValueError, SafetensorError) as error:
        raise UserError(f"{path.parent} is no converted model: {error}. See docs/OWN_MODEL.md.") from None
    for name, values in found.items():
        if not values.isfinite().all():
            raise UserError(f"{path}: {name} holds NaN or infinite values. Convert the model again.")
    return found
