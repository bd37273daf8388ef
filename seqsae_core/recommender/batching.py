"""What a model trains on: the training events, and one pass of windows of similar length."""

from collections.abc import Iterator
from dataclasses import dataclass

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


@dataclass(frozen=True)
class Batches:
    """The batches of one pass, each made when it is asked for: int64 (windows, length), left-padded with 0.

    groups: users and ends of each batch's windows, both (windows,); width: the most events of a window.
    """

    sequences: Sequences
    groups: list[tuple[np.ndarray, np.ndarray]]
    width: int

    def __len__(self) -> int:
        return len(self.groups)

    def __iter__(self) -> Iterator[torch.Tensor]:
        for users, ends in self.groups:
            yield torch.from_numpy(windows(self.sequences, users, ends, self.width))

    @property
    def positions(self) -> int:
        """Positions of all batches, padding included."""
        return sum(len(ends) * min(int(ends.max()), self.width) for _, ends in self.groups)


def batches(
    sequences: Sequences, split: Split, max_length: int, batch_size: int, rng: np.random.Generator
) -> Batches:  # fmt: skip
    """One pass: windows of max_length + 1 events, `batch_size` windows of similar length a batch.

    A history with more events is cut into windows backwards from a random point, and has one more from its end. What
    both hold is trained twice: events shortly before the end count for up to two.
    """
    users = np.flatnonzero(split.train_end >= 2)
    users, ends = _cut(users, split.train_end[users], max_length, rng)
    order = np.lexsort((rng.random(len(users)), np.minimum(ends, max_length + 1)))
    groups = [order[i : i + batch_size] for i in range(0, len(order), batch_size)]
    shuffled = (groups[index] for index in rng.permutation(len(groups)))
    return Batches(sequences, [(users[group], ends[group]) for group in shuffled], max_length + 1)


def _cut(users: np.ndarray, ends: np.ndarray, length: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """The windows' users and ends: each user's end and, of long histories, a random point before it and from there back
    in steps of `length`."""
    jitter = np.where(ends > length + 1, rng.integers(0, length, len(ends)), 0)
    pieces = [
        np.unique(np.append(np.arange(e - j, 1, -length), e)) if e > length + 1 else [e]
        for e, j in zip(ends, jitter, strict=True)
    ]
    sizes = [len(p) for p in pieces]
    return np.repeat(users, sizes), np.concatenate(pieces).astype(np.int64)
