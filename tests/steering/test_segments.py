"""Segments: shares by counting, cut points of fit users alone, and curves that are those of the members."""

import numpy as np
import pytest

from seqsae_core.data.sequences import FIT, Sequences, make_split
from seqsae_core.steering import outcomes
from seqsae_core.steering.outcomes import Outcome
from seqsae_core.steering.segments import (
    SEGMENTS,
    cut_point,
    history_shares,
    segment_curves,
    segment_of,
)


@pytest.fixture
def sequences() -> Sequences:
    rng = np.random.default_rng(0)
    sizes = rng.integers(5, 15, 60)
    items = np.concatenate([1 + rng.permutation(30)[:size] for size in sizes]).astype(np.int32)
    return Sequences(np.arange(60), items, np.concatenate([[0], sizes.cumsum()]), None, 30)


LABELS = (np.arange(31) % 7 == 3).astype(np.float32)


def test_shares_are_counted_before_the_end_alone(sequences):
    users, ends = np.array([3, 0, 9]), np.array([4, 0, 2])
    expected = [LABELS[sequences.of(3)[:4]].mean(), 0.0, LABELS[sequences.of(9)[:2]].mean()]
    assert history_shares(sequences, users, ends, LABELS) == pytest.approx(expected)


def test_the_cut_is_the_median_of_fit_users_who_have_it(sequences):
    split = make_split(sequences, "leave-one-out")
    shares = [LABELS[sequences.of(user)[: split.train_end[user]]].mean() for user in split.users(FIT)]
    assert cut_point(sequences, split, LABELS) == pytest.approx(np.median([one for one in shares if one > 0]))
    assert cut_point(sequences, split, np.zeros(31, np.float32)) == float("inf")


def test_users_are_in_one_segment_each():
    found = segment_of(np.array([0.0, 0.01, 0.2, 0.19, 1.0]), 0.2)
    assert [SEGMENTS[place] for place in found] == ["never", "sometimes", "often", "sometimes", "often"]
    assert segment_of(np.array([0.0, 1.0]), float("inf")).tolist() == [0, 1]


def test_a_segments_curve_is_that_of_its_users_alone():
    rng = np.random.default_rng(1)
    share, ndcg = rng.random((50, 3)), rng.random((50, 3))
    one = Outcome(share, ndcg, ndcg, np.zeros(3))
    weights = outcomes.user_weights(50, 0)
    segments = np.repeat([0, 1, 2], [4, 20, 26])
    table = segment_curves({"validation": one, "test": one}, np.array([0.0, 1.0, 2.0]), weights, segments, 0.3)
    assert set(table["segment"]) == {"sometimes", "often"}, "four users are too few for a curve"
    rows = table[(table["segment"] == "often") & (table["split"] == "test")]
    assert (rows["users"] == 26).all() and (rows["cut"] == 0.3).all()
    own, quality = share[24:], ndcg[24:]
    assert rows["lift"].to_numpy() == pytest.approx(own.mean(0) / own.mean(0)[0])
    assert rows["ndcg_change"].to_numpy() == pytest.approx(quality.mean(0) / quality.mean(0)[0] - 1)
    drawn = weights[1:, 24:] @ own
    low, high = np.percentile(drawn[:, 1] / drawn[:, 0], [2.5, 97.5])
    assert rows["lift_low"].iloc[1] == pytest.approx(low) and rows["lift_high"].iloc[1] == pytest.approx(high)
