"""One pass over the training events."""

import numpy as np

from seqsae_core.data.sequences import Sequences, Split, make_split
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


def test_steps_and_positions_are_known_before_any_batch_is_made(toy_sequences):
    split = make_split(toy_sequences, "leave-one-out")
    found = batches(toy_sequences, split, 8, 16, np.random.default_rng(0))
    tables = list(found)
    assert len(found) == len(tables) and found.positions == sum(table.numel() for table in tables)
    assert all((one == two).all() for one, two in zip(found, tables, strict=True))


def test_an_event_counts_once_and_up_to_twice_shortly_before_the_end_of_a_long_history():
    """A history of 40 events in windows of 8: the mean over many passes of how often each event is a target."""
    items, length, passes = np.arange(1, 43, dtype=np.int32), 8, 400
    sequences = Sequences(np.arange(1), items, np.array([0, 42]), None, 42)
    split, rng = make_split_of_one(40), np.random.default_rng(0)
    tables = [t for _ in range(passes) for t in batches(sequences, split, length, 16, rng)]
    targets = np.concatenate([row[row > 0][1:].numpy() for table in tables for row in table])
    trained = np.bincount(targets, minlength=43) / passes
    assert trained[1] == 0 and (trained[2:33] == 1).all() and trained[40] == 1 and (trained[41:] == 0).all()
    again = np.arange(1, length) / length
    np.testing.assert_allclose(trained[33:40], 2 - again, atol=0.08)


def make_split_of_one(train_end: int) -> Split:
    """One user whose first events train."""
    one = np.array([train_end])
    return Split(one, one, one + 1, one, np.zeros(1, np.uint8))


def _contains(whole: np.ndarray, part: np.ndarray) -> bool:
    return any((whole[i : i + len(part)] == part).all() for i in range(len(whole) - len(part) + 1))
