"""Training itself."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from seqsae_core.config import RecommenderConfig
from seqsae_core.data.sequences import Sequences, make_split
from seqsae_core.recommender import evaluation, training
from seqsae_core.recommender.ranking import ndcg

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
    one, log = training.train(cycle, split, config, 15, seed=3)
    two, _ = training.train(cycle, split, config, 15, seed=3)
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), two.parameters(), strict=True))
    assert training.validate(one, cycle, split) == max(row["ndcg@10"] for row in log) > 0.9


def test_validation_takes_the_same_users_each_time_where_there_are_many(toy_sequences, toy_model, monkeypatch):
    split = make_split(toy_sequences, "leave-one-out")
    everybody = evaluation.target_ranks(toy_model, toy_sequences, np.arange(60), split.valid_at)
    assert training.validate(toy_model, toy_sequences, split) == pytest.approx(ndcg(everybody, 10).mean())
    monkeypatch.setattr(training, "VALIDATED", 25)
    taken = []

    def watched(model, sequences, users, target_at):
        assert (target_at == split.valid_at[users]).all()
        taken.append(users)
        return evaluation.target_ranks(model, sequences, users, target_at)

    monkeypatch.setattr(training, "target_ranks", watched)
    assert training.validate(toy_model, toy_sequences, split) == training.validate(toy_model, toy_sequences, split)
    assert np.array_equal(*taken) and len(np.unique(taken[0])) == 25


def test_training_stops_within_its_seconds(toy_sequences):
    split = make_split(toy_sequences, "leave-one-out")
    _, log = training.train(toy_sequences, split, replace(SMALL, passes=50, seconds=1e-6), 8, seed=0)
    assert len(log) == 1
