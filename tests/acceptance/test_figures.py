"""The figures that a default study must reach, whatever the machine. Asked for with `-m acceptance`."""

import os
from pathlib import Path

import numpy as np
import pytest

from seqsae_core.metrics import quoted
from seqsae_core.study import Study

pytestmark = pytest.mark.acceptance
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def study() -> Study:
    """The default study, or the one that SEQSAE_ACCEPTANCE names."""
    return Study.open(os.environ.get("SEQSAE_ACCEPTANCE") or ROOT / "studies" / "movietweetings")


@pytest.fixture(scope="module")
def figures(study):
    return quoted(study)


def test_it_is_a_default_study_of_the_shipped_data(study, figures):
    assert study.config.preset == "default"
    assert study.config.data.source == "movietweetings"
    assert figures["data"]["items"] == 7787


def test_the_recommender(figures):
    found = figures["recommender"]
    assert found["split"] == "leave-one-out"
    assert found["ndcg@10"] >= 0.115
    assert found["hr@10"] >= 0.205
    assert found["ndcg@10"] > found["baselines"]["popularity"]["ndcg@10"]


def test_the_dictionary(figures):
    found = next(iter(figures["sae"].values()))
    assert found["explained_variance"] >= 0.92
    assert found["dead_fraction"] <= 0.01
    assert found["ndcg_change"] >= -0.02


def test_latents_against_neurons(figures):
    latents, neurons = figures["evidence"]["latents"], figures["evidence"]["neurons"]
    assert latents["mean_max_correlation"] >= 0.28
    assert latents["mean_max_correlation"] >= 1.35 * neurons["mean_max_correlation"]
    assert latents["mean_max_correlation_new_items"] >= 1.05 * neurons["mean_max_correlation_new_items"]


def test_what_steering_wins_and_that_chance_does_not(figures):
    latents, random = figures["steering"]["latents"], figures["steering"]["random"]
    assert latents["share_lift_at_1pct"] >= 1.7 and latents["share_lift_at_5pct"] >= 2.8
    assert latents["frontier_area_ci95"][0] > random["frontier_area_ci95"][1]
    for rival in ("mean_difference", "probe"):
        assert latents["frontier_area"] > figures["steering"][rival]["frontier_area"]
        assert latents["against"][rival]["at_least"] > latents["against"][rival]["behind"]


def test_strength_0_leaves_every_test_users_top_10_alone(study):
    from seqsae_core.steering.edits import Edit
    from seqsae_core.steering.steerer import Steerer

    steerer, sequences = Steerer.from_study(study), study.sequences()
    split = study.split(sequences)
    edits = (Edit(0, 0.0), Edit(1, 0.0))
    for user in np.flatnonzero(split.test_at >= 1):
        history = sequences.of(user)[: split.test_at[user]]
        plain, steered = steerer.recommend(history), steerer.recommend(history, edits)
        before, after = steerer.compare(history, edits)
        assert np.array_equal(plain.items, before.items), f"user {user}"
        assert np.array_equal(plain.items, steered.items), f"user {user}"
        assert np.array_equal(before.items, after.items), f"user {user}"
        assert np.array_equal(before.scores, after.scores), f"user {user}"
