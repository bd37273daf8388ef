"""Training itself."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from seqsae_core.config import RecommenderConfig
from seqsae_core.data.sequences import Sequences, make_split
from seqsae_core.errors import UserError
from seqsae_core.recommender import training

SMALL = RecommenderConfig(width=8, passes=3, negatives=16, batch_size=16)


@pytest.fixture(scope="module")
def cycle() -> Sequences:
    """80 users who walk around 12 items, so that the next item follows from the last."""
    start = np.random.default_rng(0).integers(0, 12, 80)
    items = (start[:, None] + np.arange(15)) % 12 + 1
    offsets = np.arange(0, items.size + 1, 15)
    return Sequences(np.arange(80), items.ravel().astype(np.int32), offsets, np.arange(items.size), 12)


@pytest.mark.parametrize("architecture", ["sasrec", "bert4rec"])
@pytest.mark.parametrize(
    "settings",
    [{"negatives": None}, {"popular_negatives": 0.5}, {"objective": "gbce"}],
    ids=["full softmax", "mixed negatives", "gbce"],
)
def test_training_learns_the_rule_and_repeats_exactly(cycle, architecture, settings):
    split = make_split(cycle, "leave-one-out")
    recipe = {"architecture": architecture, "passes": 40, "patience": 40, "learning_rate": 1e-2, "negatives": 8}
    config = replace(SMALL, **recipe | settings)
    trained, again = (training.train(cycle, split, config, 15, seed=3) for _ in range(2))
    one, two, log = trained.model, again.model, trained.log
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), two.parameters(), strict=True))
    assert training.validate(one, cycle, split) == max(row["ndcg@10"] for row in log) > 0.9


def test_training_stops_within_its_seconds(toy_sequences):
    split = make_split(toy_sequences, "leave-one-out")
    trained = training.train(toy_sequences, split, replace(SMALL, passes=50, seconds=1e-6), 8, seed=0)
    assert len(trained.log) == 1


def test_a_loss_that_is_no_number_stops_training_and_says_where_and_what_to_change(toy_sequences):
    split = make_split(toy_sequences, "leave-one-out")
    with pytest.raises(UserError, match=r"loss is (nan|inf) at pass 1, step \d+ of 9.*learning_rate.* \(now 1e\+38\)"):
        training.train(toy_sequences, split, replace(SMALL, learning_rate=1e38), 8, seed=0)


def test_the_log_grows_with_every_report_and_ends_as_it_is_returned(toy_sequences):
    logs, fractions = [], []
    split, config = make_split(toy_sequences, "leave-one-out"), replace(SMALL, batch_size=2)

    def report(fraction, detail, *, log, **_):
        logs.append(log)
        fractions.append(fraction)

    log = training.train(toy_sequences, split, config, 8, 0, report).log
    assert logs[-1] == log and fractions[-1] == 1.0
    assert fractions == sorted(fractions)
    done = [pair for row in log for pair in row["losses"]]
    for seen in logs:
        drawn = [pair for row in seen for pair in row["losses"]]
        assert drawn[:-1] == done[: len(drawn) - 1]
    assert [pair[0] for pair in done] == sorted(pair[0] for pair in done)


def test_a_row_holds_the_mean_loss_of_each_twentieth_of_its_pass():
    losses = np.random.default_rng(0).random(45)
    row = training.Pass(2, 45, losses.tolist()).row()
    ends, means = zip(*row["losses"], strict=True)
    assert row["pass"] == 3 and len(ends) == 15
    np.testing.assert_allclose(ends, 2 + np.arange(3, 46, 3) / 45)
    np.testing.assert_allclose(means, losses.reshape(15, 3).mean(1))
    half = training.Pass(2, 45, losses[:4].tolist()).row()["losses"]
    np.testing.assert_allclose(half, [[2 + 3 / 45, losses[:3].mean()], [2 + 4 / 45, losses[3]]])
