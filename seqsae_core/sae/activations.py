"""Activations of a layer at all real positions, and their sparse codes."""

from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import torch
from scipy.sparse import csr_array, vstack

from seqsae_core.data.sequences import Sequences, Split, windows
from seqsae_core.recommender.protocol import SequenceModel
from seqsae_core.sae.autoencoders import Autoencoder

SPILL_BYTES = 2**30


@dataclass(frozen=True)
class Activations:
    """One row a real position: values float32 (n, width), the input item, the user index, and the event's place
    in the user's sequence; the latter three int32 (n,). A model's own mask token has item 0 and the place after."""

    values: np.ndarray
    item_at: np.ndarray
    user_at: np.ndarray
    event_at: np.ndarray

    def at_items(self) -> "Activations":
        """Without the model's own mask tokens."""
        keep = self.item_at > 0
        return self if keep.all() else Activations(*(getattr(self, f.name)[keep] for f in fields(self)))


@torch.inference_mode()
def collect(
    model: SequenceModel,
    sequences: Sequences,
    split: Split,
    users: np.ndarray,
    layer: int,
    batch_size: int = 256,
    spill: Path | None = None,
) -> Activations:
    """Activations after `layer` at the last `max_length` events of each user's context (no target among them).

    Users come out in order of context length; users without context are left out. Values that would take more than
    SPILL_BYTES go to the file `spill`, where one is given, and are a memory map of it.
    """
    users = users[split.context_end[users] > 0]
    users = users[np.argsort(split.context_end[users], kind="stable")]
    rows = _Rows(model.width, spill if _bytes(model, split, users) > SPILL_BYTES else None)
    for who in np.array_split(users, max(1, len(users) // batch_size)):
        ends = split.context_end[who]
        items = windows(sequences, who, ends, model.max_length)
        hidden = model.hidden(torch.from_numpy(items), layer)
        row, column = np.nonzero(hidden.mask.numpy())
        event = ends[row] - items.shape[1] + column
        rows.add(hidden.activations.numpy()[row, column], hidden.item_at.numpy()[row, column], who[row], event)
    return rows.all()


class _Rows:
    """Gathers parts of activations, their values in memory or in a file."""

    def __init__(self, width: int, file: Path | None):
        self.width, self.file, self.values, self.about = width, file, [], []
        if file:
            file.unlink(missing_ok=True)

    def add(self, values: np.ndarray, *about: np.ndarray) -> None:
        self.about.append([part.astype(np.int32) for part in about])
        if not self.file:
            self.values.append(values)
            return
        with self.file.open("ab") as out:
            values.tofile(out)

    def all(self) -> Activations:
        about = [np.concatenate(parts) for parts in zip(*self.about, strict=True)]
        if not self.file:
            return Activations(np.concatenate(self.values), *about)
        return Activations(np.memmap(self.file, np.float32, "r").reshape(-1, self.width), *about)


def _bytes(model: SequenceModel, split: Split, users: np.ndarray) -> int:
    return int(np.minimum(split.context_end[users], model.max_length).sum()) * model.width * 4


@torch.inference_mode()
def encode_sparse(sae: Autoencoder, values: np.ndarray, batch_size: int = 4096) -> csr_array:
    """Codes of activations (n, width) as float32 (n, latents), zeros left out."""
    batches = (torch.from_numpy(np.array(values[i : i + batch_size])) for i in range(0, len(values), batch_size))
    parts = [sae.codes(x).to_csr(sae.latents) for x in batches]
    return csr_array(vstack(parts)) if parts else csr_array((0, sae.latents), dtype=np.float32)
