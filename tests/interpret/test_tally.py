"""Correlations and probes from sums equal those over positions."""

import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.linear_model import Ridge

from seqsae_core.interpret import contest
from seqsae_core.interpret.tally import ALPHA, RidgeSums, Tally, sums_of, weighted_correlation
from seqsae_core.sae.activations import Activations

ITEMS, N = 50, 2500


@pytest.fixture(scope="module")
def positions():
    rng = np.random.default_rng(0)
    item_at = rng.integers(1, ITEMS + 1, N)
    values = (rng.normal(size=(ITEMS + 1, 7))[item_at] + rng.normal(size=(N, 7))).astype(np.float32)
    concept = (rng.random(ITEMS + 1) < 0.2).astype(float)
    inside = [np.ones(ITEMS + 1, bool), rng.random(ITEMS + 1) < 0.5]
    return values, item_at, concept, inside


@pytest.mark.parametrize("number", [0, 1])
@pytest.mark.parametrize("sparse", [True, False])
def test_correlation_with_a_concept_equals_numpy(positions, number, sparse):
    values, item_at, concept, inside = positions
    a = np.maximum(values, 0)
    tally = Tally.of(sums_of(csr_array(a) if sparse else a, item_at, ITEMS), inside)
    keep = inside[number][item_at]
    expected = np.corrcoef(a[keep].T, concept[item_at][keep])[-1, :-1]
    assert tally.correlation(concept, number) == pytest.approx(expected, abs=1e-5)


def test_constant_features_and_concepts_correlate_with_nothing(positions):
    values, item_at, concept, inside = positions
    tally = Tally.of(sums_of(np.ones_like(values), item_at, ITEMS), inside)
    assert not tally.correlation(concept, 0).any()
    tally = Tally.of(sums_of(values, item_at, ITEMS), inside)
    for flat in (np.zeros(ITEMS + 1), np.ones(ITEMS + 1)):
        assert not tally.correlation(flat, 0).any()


@pytest.mark.parametrize("number", [0, 1])
def test_the_probe_is_the_ridge_regression_on_positions(positions, number):
    values, item_at, concept, inside = positions
    keep = inside[number][item_at]
    reference = Ridge(alpha=ALPHA).fit(values[keep].astype(float), concept[item_at][keep])
    found = RidgeSums.of(Activations(values, item_at, item_at, item_at), inside).probe(concept, number)
    assert found == pytest.approx(reference.coef_, abs=1e-6)


def test_weighted_correlation_is_that_of_the_contest(positions):
    values, item_at, concept, inside = positions
    weights = np.random.default_rng(1).poisson(1.0, (20, N)).astype(np.float32)
    keep, y = inside[1][item_at], concept[item_at]
    expected = contest._correlations(weights * keep, values, np.repeat(y[:, None], 7, 1))
    assert weighted_correlation(weights, values, y, keep) == pytest.approx(expected, abs=1e-4)
    assert not weighted_correlation(weights, np.ones((N, 2)), y, keep).any()
    assert not weighted_correlation(weights, values, np.zeros(N), keep).any()
