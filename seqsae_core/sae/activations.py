"""Activations of a layer at all real positions, and their sparse codes."""

import os
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

SPILL_BYTES = 2**30
ROWS = 4096


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
    model: SequenceModel, sequences: Sequences, split: Split, users: np.ndarray, layer: int, batch_size: int = 256,
    spill: Path | None = None,
) -> Activations:  # fmt: skip
    """Activations after `layer` at the last `max_length` events of each user's context (no target among them).

    Users come out in order of context length; users without context are left out. Values of more than SPILL_BYTES are
    written to the file `spill`, where there is one, and read from there through a read-only memory map. Raises
    UserError for a layer that the model has not.
    """
    check_layer(model, layer)
    users = users[split.context_end[users] > 0]
    users = users[np.argsort(split.context_end[users], kind="stable")]
    count = int(np.minimum(split.context_end[users], model.max_length).sum()) + model.mask_tokens * len(users)
    values, at_each = _allocated((count, model.width), spill), np.empty((3, count), np.int32)
    done = 0
    for who in np.array_split(users, max(1, len(users) // batch_size)):
        ends = split.context_end[who]
        items = windows(sequences, who, ends, model.max_length)
        hidden = model.hidden(torch.from_numpy(items), layer)
        row, column = np.nonzero(hidden.mask.numpy())
        rows = slice(done, done := done + len(row))
        values[rows] = hidden.activations.numpy()[row, column]
        at_each[:, rows] = hidden.item_at.numpy()[row, column], who[row], ends[row] - items.shape[1] + column
    return Activations(_read_only(values), *at_each)


def check_layer(model: SequenceModel, layer: int) -> None:
    """Raise UserError for a layer that the model has not."""
    last = model.n_layers + 1
    if not 0 <= layer <= last:
        raise UserError(
            f"The model has no layer {layer}. Choose from 0 (embeddings), 1 to {model.n_layers} (outputs of its "
            f"blocks) and {last} (final norm)."
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


def _allocated(shape: tuple[int, int], spill: Path | None) -> np.ndarray:
    """Room for float32 values in memory, or in the file where they are large."""
    size = 4 * shape[0] * shape[1]
    if spill is None or size <= SPILL_BYTES:
        return np.empty(shape, np.float32)
    with spill.open("wb") as file:
        if hasattr(os, "posix_fallocate"):  # a full disk is an error here; through the map it would end the process
            os.posix_fallocate(file.fileno(), 0, size)
    return np.memmap(spill, np.float32, "r+", shape=shape)


def _read_only(values: np.ndarray) -> np.ndarray:
    if not isinstance(values, np.memmap):
        return values
    values.flush()
    return np.memmap(values.filename, np.float32, "r", shape=values.shape)
