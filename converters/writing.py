"""What every converter writes: a folder that `python -m seqsae_core build --model FOLDER` reads without the library.

Converters run in the environment of their library; this file needs NumPy, torch and safetensors alone.
"""

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file

HISTORIES, BEST = 128, 1000


def arguments(library: str, pickled: bool = True) -> tuple[Path, Path]:
    """CHECKPOINT and FOLDER of the command line; a pickle without --trust ends it: reading one runs what is in it."""
    parser = argparse.ArgumentParser(description=f"A checkpoint of {library} as safetensors, JSON and golden scores.")
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--trust", action="store_true", help="the checkpoint holds a pickle, which may run any code")
    found = parser.parse_args()
    if pickled and not found.trust:
        parser.error(f"{found.checkpoint} holds a pickle, and reading it runs whatever is in it. "
                     f"Where you know who wrote it, say --trust.")  # fmt: skip
    return found.checkpoint, found.folder


def histories(n_items: int, max_length: int, seed: int = 0) -> list[np.ndarray]:
    """HISTORIES of items 1..n_items drawn at random, of every length from 1 to twice what the model reads."""
    rng = np.random.default_rng(seed)
    lengths = np.linspace(1, 2 * max_length, HISTORIES).astype(int)
    return [rng.integers(1, n_items + 1, length) for length in lengths]


def write(
    folder: Path, shape: Mapping[str, Any], weights: Mapping[str, torch.Tensor], item_ids: Sequence[object],
    scores: Callable[[list[np.ndarray]], np.ndarray],
) -> None:  # fmt: skip
    """Write the folder. shape: `architecture`, the arguments of its class, `library` with its version.

    item_ids: the items' own ids, item 1 first; scores(histories): the library's own, (len(histories), n_items), of
    all items after each; the BEST highest are kept.
    """
    folder.mkdir(parents=True, exist_ok=True)
    known = histories(shape["n_items"], shape["max_length"])
    found = np.asarray(scores(known), np.float32)
    best = np.argsort(-found, axis=1, kind="stable")[:, :BEST]
    golden = {
        "histories": torch.from_numpy(_padded(known, shape["max_length"])),
        "items": torch.from_numpy(best + 1),
        "scores": torch.from_numpy(np.take_along_axis(found, best, axis=1)),
    }
    save_file(golden, folder / "golden.safetensors")
    save_file({name: t.detach().float().contiguous().clone() for name, t in weights.items()},
              folder / "weights.safetensors")  # fmt: skip
    (folder / "config.json").write_text(json.dumps(dict(shape), indent=1))
    (folder / "items.json").write_text(json.dumps([_plain(name) for name in item_ids]))
    print(f"{folder}: {shape['architecture']} of {shape['n_items']:,} items, golden scores of {len(known)} histories")


def _padded(found: list[np.ndarray], max_length: int) -> np.ndarray:
    """The last `max_length` items of each history, int64 (histories, max_length), left-padded with 0."""
    table = np.zeros((len(found), max_length), np.int64)
    for row, items in zip(table, found, strict=True):
        row[-min(len(items), max_length) :] = items[-max_length:]
    return table


def _plain(name: object) -> object:
    return name.item() if isinstance(name, np.generic) else name
