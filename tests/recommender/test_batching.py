"""One pass over the training events."""

import numpy as np

from seqsae_core.data.sequences import make_split
from seqsae_core.recommender.batching import batches


def test_one_pass_trains_each_event_and_no_target(toy_sequences):
    split = make_split(toy_sequences, "leave-one-out")
    seen = [set() for _ in range(len(toy_sequences))]
    for table in batches(toy_sequences, split, 8, 16, np.random.default_rng(0)):
        assert table.shape[1] <= 9
        for row in table.numpy():
            row = row[row > 0]
            fits = [u for u in range(len(seen)) if _contains(toy_sequences.of(u)[: split.train_end[u]], row)]
            assert fits, "a window holds an event that is not for training"
            for u in fits:
                seen[u] |= set(row[1:])
    for user, items in enumerate(seen):
        if split.train_end[user] >= 2:
            assert items >= set(toy_sequences.of(user)[1 : split.train_end[user]])


def _contains(whole: np.ndarray, part: np.ndarray) -> bool:
    return any((whole[i : i + len(part)] == part).all() for i in range(len(whole) - len(part) + 1))
