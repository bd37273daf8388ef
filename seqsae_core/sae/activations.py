"""Activations of a layer at all real positions, and their sparse codes."""

import math
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import torch
from scipy.sparse import csr_array, vstack

from seqsae_core.data.sequences import Sequences, Split, windows
from seqsae_core.errors import UserError
from seqsae_core.recommender.protocol import SequenceModel
from seqsae_core.sae.autoencoders import Autoencoder

ROWS = 4096


@dataclass(frozen=True)
class Spill:
    """Room for matrices: in memory up to `limit` bytes each, beyond it in files of `folder`, which vanish with them."""

    folder: Path
    limit: float

    def room(self, shape: tuple[int, int]) -> np.ndarray:
        """An array for float32 values, in memory or mapped."""
        size = 4 * shape[0] * shape[1]
        if size <= self.limit:
            return np.empty(shape, np.float32)
        self.folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=self.folder) as file:
            if hasattr(os, "posix_fallocate"):  # a full disk is an error here; through the map it would end the process
                os.posix_fallocate(file.fileno(), 0, size)
            return np.memmap(file, np.float32, "r+", shape=shape)


IN_MEMORY = Spill(Path(), math.inf)


@dataclass(frozen=True)
class Activations:
    """One row a real position: values float32 (n, width), the input item, the user index, and the event's place
    in the user's sequence; the latter three int32 (n,). A model's own mask token has item 0 and the place after."""

    values: np.ndarray
    item_at: np.ndarray
    user_at: np.ndarray
    event_at: np.ndarray

    def at_items(self, spill: Spill = IN_MEMORY) -> "Activations":
        """Without the model's own mask tokens."""
        keep = np.flatnonzero(self.item_at > 0)
        if len(keep) == len(self.item_at):
            return self
        values = spill.room((len(keep), self.values.shape[1]))
        for rows in slices(len(keep)):
            values[rows] = self.values[keep[rows]]
        return Activations(values, *(getattr(self, f.name)[keep] for f in fields(self)[1:]))


@torch.inference_mode()
def collect(
    model: SequenceModel, sequences: Sequences, split: Split, users: np.ndarray, layer: int, batch_size: int = 256,
    spill: Spill = IN_MEMORY,
) -> Activations:  # fmt: skip
    """Activations after `layer` at the last `max_length` events of each user's context (no target among them).

    Users come out in order of context length; users without context are left out. Values take no more memory than
    `spill` allows. Raises UserError for a layer that the model has not.
    """
    check_layer(layer, model.n_layers)
    users = users[split.context_end[users] > 0]
    users = users[np.argsort(split.context_end[users], kind="stable")]
    count = int(np.minimum(split.context_end[users], model.max_length).sum()) + model.mask_tokens * len(users)
    values, at_each = spill.room((count, model.width)), np.empty((3, count), np.int32)
    done = 0
    for who in np.array_split(users, max(1, len(users) // batch_size)):
        ends = split.context_end[who]
        items = windows(sequences, who, ends, model.max_length)
        hidden = model.hidden(torch.from_numpy(items), layer)
        row, column = np.nonzero(hidden.mask.numpy())
        rows = slice(done, done := done + len(row))
        values[rows] = hidden.activations.numpy()[row, column]
        at_each[:, rows] = hidden.item_at.numpy()[row, column], who[row], ends[row] - items.shape[1] + column
    return Activations(values, *at_each)


def check_layer(layer: int, blocks: int) -> None:
    """Raise UserError for a layer that a model of so many blocks has not."""
    if not 0 <= layer <= blocks + 1:
        raise UserError(
            f"The model has no layer {layer}. Choose from 0 (embeddings), 1 to {blocks} (outputs of its blocks) and "
            f"{blocks + 1} (final norm)."
        )


def slices(rows: int) -> Iterator[slice]:
    """A few thousand of the rows at a time, in order."""
    return (slice(start, min(start + ROWS, rows)) for start in range(0, rows, ROWS))


@torch.inference_mode()
def encoded(sae: Autoencoder, values: np.ndarray) -> Iterator[csr_array]:
    """Codes of activations (n, width), float32 (rows, latents) with zeros left out, a few thousand rows at a time."""
    for rows in slices(len(values)):
        yield sae.codes(torch.from_numpy(np.array(values[rows]))).to_csr(sae.latents)


def encode_sparse(sae: Autoencoder, values: np.ndarray) -> csr_array:
    """Codes of activations (n, width) as float32 (n, latents), zeros left out."""
    parts = list(encoded(sae, values))
    return csr_array(vstack(parts)) if parts else csr_array((0, sae.latents), dtype=np.float32)
