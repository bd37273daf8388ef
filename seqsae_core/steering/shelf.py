"""Curves of one concept on the disk, so that a long measurement of many concepts goes on where it was interrupted."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch

from seqsae_core import checkpoint
from seqsae_core.files import replacing
from seqsae_core.steering.summary import Steered

KINDS = ("curves", "lowered")


class Measured(NamedTuple):
    """Curves of one concept, raised and lowered, and of `latents` by segment."""

    curves: list[tuple[pd.DataFrame, Steered]]
    lowered: list[tuple[pd.DataFrame, Steered]]
    segments: pd.DataFrame


def put(folder: Path, measured: Measured) -> None:
    """Keep the curves of a concept in a folder of their own; what is there is replaced. Draws are written last."""
    folder.mkdir(parents=True, exist_ok=True)
    groups = {}
    for kind in KINDS:
        pairs = getattr(measured, kind)
        _write(folder / f"{kind}.parquet", pd.concat([table for table, _ in pairs]))
        groups |= {f"{kind} {one.method}": _tensors(one) for _, one in pairs}
    _write(folder / "segments.parquet", measured.segments)
    checkpoint.save(folder, groups, {})


def get(folder: Path) -> Measured | None:
    """The curves kept in a folder, exactly as they were put there, or None where they are not whole."""
    found = checkpoint.load(folder)
    if found is None:
        return None
    kept = []
    for kind in KINDS:
        table = pd.read_parquet(folder / f"{kind}.parquet")
        pairs = [(rows, str(method)) for method, rows in table.groupby("method", sort=False)]
        kept.append([(rows, _steered(found[0][f"{kind} {method}"], rows, method)) for rows, method in pairs])
    return Measured(*kept, pd.read_parquet(folder / "segments.parquet"))


def _write(path: Path, table: pd.DataFrame) -> None:
    with replacing(path) as aside:
        table.to_parquet(aside)


def _tensors(one: Steered) -> checkpoint.Tensors:
    parts = {"lifts": one.lifts, "changes": one.changes}
    return {f"{part} {split}": torch.tensor(v) for part, of in parts.items() for split, v in of.items()}


def _steered(tensors: checkpoint.Tensors, rows: pd.DataFrame, method: str) -> Steered:
    lifts, changes = (_splits(tensors, part) for part in ("lifts", "changes"))
    return Steered(method, str(rows["concept"].iloc[0]), lifts, changes)


def _splits(tensors: checkpoint.Tensors, part: str) -> dict[str, np.ndarray]:
    return {split: tensors[f"{part} {split}"].numpy() for split in ("validation", "test")}
