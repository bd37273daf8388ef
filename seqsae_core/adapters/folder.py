"""A folder that holds a model of another library, as `converters/` write it; reading it executes nothing.

config.json: the family and its sizes; weights.safetensors; items.json: the items' own ids in the model's order;
golden.safetensors: histories with the best items and scores that the library itself gives them; model.py: only in a
model whose code is the user's own (see `own`).
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from seqsae_core.adapters.names import FAMILIES
from seqsae_core.config import StudyConfig
from seqsae_core.errors import UserError

CONFIG, WEIGHTS, ITEMS, GOLDEN = "config.json", "weights.safetensors", "items.json", "golden.safetensors"
CODE = "model.py"
SIZES = ("n_items", "width", "blocks", "max_length")
SHOWN = 3


def applied(config: StudyConfig, folder: str | Path, shared: bool = False) -> StudyConfig:
    """The same study of the model in `folder` instead of one that is trained; it reads as many items as that does.

    shared: of the items that both the model and the data have. Raises UserError where the folder holds no model.
    """
    shape, path = describe(folder), str(Path(folder).resolve())
    sizes = {name: shape.get(name, 0) for name in ("architecture", "width", "blocks", "heads")}
    recommender = replace(config.recommender, **sizes, seconds=None, imported=path, fingerprint=fingerprint(folder))
    data = replace(config.data, max_length=shape["max_length"], shared_items=shared)
    return replace(config, recommender=recommender, data=data)


def describe(folder: str | Path) -> dict[str, Any]:
    """`architecture` (a name in FAMILIES) and the arguments of its class. Raises UserError where it is none."""
    shape = read_json(Path(folder) / CONFIG, dict)
    if shape.get("architecture") not in FAMILIES:
        raise UserError(
            f"{Path(folder) / CONFIG}: there is no family “{shape.get('architecture')}”. Known: {', '.join(FAMILIES)}."
        )
    for name in SIZES:
        if type(shape.get(name)) is not int or shape[name] < 1:
            raise UserError(f"{Path(folder) / CONFIG}: {name} must be a whole number from 1. Convert the model again.")
    return shape


def fingerprint(folder: str | Path) -> str:
    """The first 16 hex digits of the SHA-256 over the files. Raises UserError where one is missing."""
    digest = hashlib.sha256()
    for name in (CONFIG, WEIGHTS, ITEMS, GOLDEN, *([CODE] if (Path(folder) / CODE).is_file() else [])):
        try:
            digest.update(hashlib.sha256((Path(folder) / name).read_bytes()).digest())
        except OSError as error:
            raise UserError(f"{folder} is no converted model: {error}. See docs/OWN_MODEL.md.") from None
    return digest.hexdigest()[:16]


def known_items(folder: str | Path) -> list[str]:
    """The items' own ids as text, item 1 first. Raises UserError where there are none."""
    return [str(name) for name in read_json(Path(folder) / ITEMS, list)]


def item_numbers(folder: str | Path, item_ids: Sequence[object] | np.ndarray, shared: bool = False) -> np.ndarray:
    """The model's number 1..n of each item of the data, int64 (items,); ids are compared as text.

    Raises UserError with the counts where the model and the data do not have the same items; `shared`: only where the
    model lacks some.
    """
    theirs = known_items(folder)
    ours = [str(name) for name in item_ids]
    number = {name: place for place, name in enumerate(theirs, 1)}
    if len(number) < len(theirs):
        raise UserError(f"{Path(folder) / ITEMS} names an item twice. Convert the model again.")
    new, gone = [name for name in ours if name not in number], sorted(set(theirs) - set(ours))
    if new or (gone and not shared):
        raise UserError(
            f"The model in {folder} and the data do not have the same items: {len(number.keys() & set(ours)):,} are in "
            f"both, {_counted(new)} only in the data, {_counted(gone)} only in the model. Build with the interactions "
            f"that the model was trained on, or with --shared-items, which leaves out what only one of them has."
        )
    return np.array([number[name] for name in ours], np.int64)


def read_json(path: Path, kind: type) -> Any:
    """What a file of the folder holds. Raises UserError where it cannot be read or is of another kind."""
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"{path.parent} is no converted model: {error}. See docs/OWN_MODEL.md.") from None
    if not isinstance(found, kind):
        raise UserError(f"{path} must hold a JSON {'object' if kind is dict else 'list'}. Convert the model again.")
    return found


def _counted(names: list[str]) -> str:
    shown = ", ".join(names[:SHOWN]) + (", …" if len(names) > SHOWN else "")
    return f"{len(names):,} ({shown})" if names else "0"
