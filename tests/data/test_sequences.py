"""The k-core, the ragged store, the splits and the windows, each against its definition."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from seqsae_core.config import SPLITS
from seqsae_core.data.interactions import drop_repeats, k_core, sample_users
from seqsae_core.data.sequences import FIT, SCORE, SELECT, Sequences, build_sequences, make_split, windows
from seqsae_core.errors import UserError


def test_k_core_is_the_largest_stable_set():
    frame = pd.DataFrame({"user_id": [1, 1, 2, 2, 3, 3, 4], "item_id": [1, 2, 1, 2, 1, 2, 1], "timestamp": range(7)})
    kept = k_core(frame, 2)
    assert sorted(kept["user_id"].unique()) == [1, 2, 3]
    with pytest.raises(UserError, match=r"^my.csv: no users .* at least 5 .*`--min-interactions` below 5"):
        k_core(frame, 5, "my.csv")


def test_an_event_told_twice_is_one_and_the_same_item_later_is_another():
    rows = pd.DataFrame({"user_id": [1, 1, 1, 2], "item_id": 5, "timestamp": [3, 3, 4, 3]}, index=[9, 8, 7, 6])
    assert drop_repeats(rows).to_dict("list") == {"user_id": [1, 1, 2], "item_id": [5, 5, 5], "timestamp": [3, 4, 3]}


def test_a_sample_of_users_does_not_depend_on_the_order_of_rows():
    frame = pd.DataFrame({"user_id": np.arange(500) % 50, "item_id": 1, "timestamp": 0})
    kept = set(sample_users(frame, 20)["user_id"])
    assert len(kept) == 20 and kept == set(sample_users(frame[::-1], 20)["user_id"])


def test_events_are_in_order_and_ties_keep_the_file_order():
    frame = pd.DataFrame({"user_id": [7, 7, 5, 7], "item_id": [30, 10, 20, 20], "timestamp": [2, 1, 9, 2]})
    sequences, ids = build_sequences(frame)
    assert list(ids) == [10, 20, 30]
    assert list(sequences.users) == [5, 7]
    assert list(sequences.of(1)) == [1, 3, 2]


@pytest.mark.parametrize("kind", ["leave-one-out", "global-temporal"])
def test_every_validation_target_chooses_the_weights_where_all_its_users_train(kind):
    split = make_split(random_histories(0, least=3), kind)
    assert np.array_equal(split.validated, np.flatnonzero(split.valid_at >= 1))


def test_leave_one_out(toy_sequences):
    split = make_split(toy_sequences, "leave-one-out")
    n = toy_sequences.lengths
    assert (split.test_at == n - 1).all() and (split.valid_at == n - 2).all()
    assert (split.train_end == n - 2).all() and (split.context_end == n - 2).all()


def test_roles_depend_on_the_user_only(toy_sequences):
    full = make_split(toy_sequences, "leave-one-out")
    frame = pd.DataFrame(
        {
            "user_id": np.repeat(toy_sequences.users, toy_sequences.lengths),
            "item_id": toy_sequences.items,
            "timestamp": toy_sequences.times,
        }
    )
    half, _ = build_sequences(frame[frame["user_id"] % 2 == 0])
    assert (make_split(half, "leave-one-out").role == full.role[::2]).all()
    assert set(full.role) == {FIT, SELECT, SCORE}


def test_user_disjoint_never_trains_on_a_test_or_sae_user(toy_sequences):
    split = make_split(toy_sequences, "user-disjoint")
    test, train = split.test_at >= 0, split.train_end > 0
    assert not (test & train).any()
    assert not test[split.validated].any() and len(split.validated) == train.sum()
    assert (split.valid_at[test] >= 1).all()
    assert 0.08 < test.mean() < 0.12
    last = toy_sequences.times[toy_sequences.offsets[1:] - 1]
    assert last[test].min() > last[~test].max()
    assert (split.role[~test] == FIT).all() and (split.context_end[train] == 0).all()


def random_histories(seed: int, least: int = 1) -> Sequences:
    """80 to 150 users of `least` to 20 events, mostly at few distinct times: many tie, some at t0 or t1."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(least, 21, rng.integers(80, 151))
    moments = int(rng.choice([40, 80, 10_000]))
    frame = pd.DataFrame({"user_id": np.repeat(np.arange(len(sizes)), sizes)})
    frame["item_id"] = rng.integers(0, 30, len(frame))
    frame["timestamp"] = rng.integers(0, moments, len(frame)) + rng.integers(-5, 5)
    return build_sequences(frame)[0]


@pytest.mark.parametrize("seed", range(40))
def test_global_temporal_never_trains_on_the_future(seed):
    sequences = random_histories(seed)
    split = make_split(sequences, "global-temporal")
    t0, t1 = (np.sort(sequences.times)[int(np.ceil(s * len(sequences.times))) - 1] for s in (0.85, 0.9))
    for user in range(len(sequences)):
        times = sequences.times[sequences.offsets[user] : sequences.offsets[user + 1]]
        end, valid, test = split.train_end[user], split.valid_at[user], split.test_at[user]
        assert end == split.context_end[user] == sum(t <= t0 for t in times)
        between = [i for i, t in enumerate(times) if t0 < t <= t1]
        after = [i for i, t in enumerate(times) if t > t1]
        assert valid == (between[0] if between and between[0] >= 1 else -1)
        assert test == (after[0] if after and after[0] >= 1 else -1)
        if test >= 1:
            assert max(times[:test]) <= t1 < times[test] and end <= test
        if valid >= 1:
            assert max(times[:valid]) <= t0 < times[valid] <= t1 and end <= valid


def test_global_temporal_tests_users_whom_training_never_met():
    splits = [make_split(random_histories(seed), "global-temporal") for seed in range(40)]
    assert any(((s.test_at >= 1) & (s.train_end == 0)).any() for s in splits)
    assert any(((s.test_at < 0) & (s.train_end > 0)).any() for s in splits)


@pytest.mark.parametrize("kind", SPLITS)
def test_no_context_holds_a_target(kind):
    sequences = random_histories(0, least=3)
    split = make_split(sequences, kind)
    for target in (split.valid_at, split.test_at):
        there = target >= 0
        assert (split.context_end[there] <= target[there]).all() and (split.train_end[there] <= target[there]).all()
        assert (target[there] >= 1).all() and (target < sequences.lengths).all()
    assert (split.context_end <= sequences.lengths).all()


@pytest.mark.parametrize("kind", ["global-temporal", "user-disjoint"])
def test_splits_by_time_need_times(toy_sequences, kind):
    with pytest.raises(UserError, match="needs the time of every event: bring times, or take leave-one-out"):
        make_split(replace(toy_sequences, times=None), kind)


@pytest.mark.parametrize("kind", SPLITS)
def test_one_item_alone_cannot_be_ranked(kind):
    frame = pd.DataFrame({"user_id": np.repeat(np.arange(60), 4), "item_id": 1, "timestamp": np.arange(240)})
    with pytest.raises(UserError, match="nothing to rank"):
        make_split(build_sequences(frame)[0], kind)


def test_a_split_that_leaves_nothing_says_what_is_missing():
    users = np.repeat(np.arange(60), 4)
    frame = pd.DataFrame({"user_id": users, "item_id": np.arange(240) % 7, "timestamp": 5})
    with pytest.raises(UserError, match="no user has a validation target"):
        make_split(build_sequences(frame)[0], "global-temporal")
    with pytest.raises(UserError, match=r"no held-out user has both|no user of the role"):
        make_split(build_sequences(frame[users == 0])[0], "leave-one-out")
    with pytest.raises(UserError, match="no user has two events to train on"):
        make_split(build_sequences(frame.groupby("user_id").head(3))[0], "leave-one-out")


def test_short_users_and_unknown_splits_are_refused():
    frame = pd.DataFrame({"user_id": [1, 1], "item_id": [1, 2], "timestamp": [1, 2]})
    sequences, _ = build_sequences(frame)
    with pytest.raises(UserError, match="fewer than three"):
        make_split(sequences, "leave-one-out")
    with pytest.raises(UserError, match="Unknown split"):
        make_split(sequences, "random")


def test_windows_are_the_last_events_padded_on_the_left(toy_sequences):
    users, ends = np.array([0, 3, 9]), np.array([1, 3, 2])
    table = windows(toy_sequences, users, ends, 2)
    assert table.shape == (3, 2)
    for row, user, end in zip(table, users, ends, strict=True):
        expected = toy_sequences.of(user)[max(0, end - 2) : end]
        assert list(row[row > 0]) == list(expected)
        assert (row[: 2 - len(expected)] == 0).all()
