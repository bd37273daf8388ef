"""Steering from a study on disk."""

import numpy as np
import pytest

from seqsae_core.steering.edits import Edit, ablate, set_to
from seqsae_core.steering.steerer import Steerer
from seqsae_core.study import Study


@pytest.fixture(scope="module")
def study(tiny_study) -> Study:
    return Study.open(tiny_study)


def test_a_study_steers_with_its_own_units_and_position(study):
    steerer = Steerer.from_study(study)
    features = study.features("latents").set_index("feature")
    assert steerer.position == study.config.steering.position
    assert np.allclose(steerer.units, features["sd_activation"].sort_index())
    latent = int(features["density"].idxmax())
    expected = 3.0 * features["sd_activation"][latent] * steerer.sae.W_dec[latent].detach().numpy()
    assert np.allclose(steerer.displacement([Edit(latent, 3.0)]), expected, atol=1e-6)
    assert Steerer.from_study(study, position="all").position == "all"


STILL = [Edit(0, 0.0), Edit(0, 0.0, "mass"), set_to(0, 3.0, 0.0), ablate(((0, 1.0), (1, 0.5)), 0.0)]


@pytest.mark.parametrize("edit", STILL)
def test_strength_zero_is_the_unsteered_list_of_every_test_user(study, edit):
    steerer, sequences = Steerer.from_study(study), study.sequences()
    test_at = study.split(sequences).test_at
    for user in np.flatnonzero(test_at >= 1):
        history = sequences.of(user)[: test_at[user]]
        before, after = steerer.compare(history, [edit])
        plain = steerer.recommend(history)
        assert np.array_equal(plain.items, after.items)
        assert np.array_equal(before.scores, after.scores)


def test_saved_tables_are_whole(study):
    effects, curves = study.effects(), study.tradeoff()
    assert effects["latent"].tolist() == list(range(study.config.sae.latents))
    assert (effects["effect"].between(0, 10)).all()
    assert not curves.isna().any().any()
    assert set(curves["method"]) == set(study.steering_summary())
