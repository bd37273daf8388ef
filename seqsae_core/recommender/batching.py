"""What a model trains on: the training events, and one pass of windows of similar length."""

from collections.abc import Iterator

import numpy as np
import torch

from seqsae_core.data.sequences import Sequences, Split, windows


def training_events(sequences: Sequences, split: Split) -> tuple[np.ndarray, np.ndarray]:
    """All events that may train a model, in order: items (n,) and the user index of each (n,)."""
    owner = np.repeat(np.arange(len(sequences)), sequences.lengths)
    place = np.arange(len(owner)) - sequences.offsets[owner]
    keep = place < split.train_end[owner]
    return sequences.items[keep], owner[keep]


def item_counts(sequences: Sequences, split: Split) -> np.ndarray:
    """Training events of each item, int64 (n_items + 1,)."""
    return np.bincount(training_events(sequences, split)[0], minlength=sequences.n_items + 1)


def batches(
    sequences: Sequences, split: Split, max_length: int, batch_size: int, rng: np.random.Generator
) -> Iterator[torch.Tensor]:
    """One pass: windows of max_length + 1 events, int64 (batch, length), left-padded.

    Long histories are cut into windows at a random offset; a batch holds `batch_size` windows of similar length.
    """
    users = np.flatnonzero(split.train_end >= 2)
    users, ends = _cut(users, split.train_end[users], max_length, rng)
    order = np.lexsort((rng.random(len(users)), np.minimum(ends, max_length + 1)))
    groups = [order[i : i + batch_size] for i in range(0, len(order), batch_size)]
    for index in rng.permutation(len(groups)):
        group = groups[index]
        yield torch.from_numpy(windows(sequences, users[group], ends[group], max_length + 1))


def _cut(users: np.ndarray, ends: np.ndarray, length: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """The windows' users and ends: from each user's end, or a random point before it, back in steps of `length`."""
    jitter = np.where(ends > length + 1, rng.integers(0, length, len(ends)), 0)
    pieces = [
        np.unique(np.append(np.arange(e - j, 1, -length), e)) if e > length + 1 else [e]
        for e, j in zip(ends, jitter, strict=True)
    ]
    sizes = [len(p) for p in pieces]
    return np.repeat(users, sizes), np.concatenate(pieces).astype(np.int64)
