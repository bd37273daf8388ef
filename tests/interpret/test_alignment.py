"""Correlations from item sums equal those over positions; the closed forms equal simulations."""

import numpy as np
import pytest
from scipy.sparse import csr_array

from seqsae_core.interpret import alignment
from seqsae_core.interpret.rivals import Features, neurons, pca, probe, random_directions
from seqsae_core.sae.activations import Activations

ITEMS, N = 40, 3000


@pytest.fixture(scope="module")
def world():
    rng = np.random.default_rng(0)
    item_at = rng.integers(1, ITEMS + 1, N).astype(np.int32)
    item_vectors = rng.normal(size=(ITEMS + 1, 6))
    values = (item_vectors[item_at] + rng.normal(size=(N, 6))).astype(np.float32)
    concepts = (rng.random((ITEMS + 1, 5)) < 0.3).astype(float)
    concepts[0] = 0
    user_at = np.sort(rng.integers(0, 50, N)).astype(np.int32)
    return Activations(values, item_at, user_at, np.arange(N, dtype=np.int32)), concepts


def relu_features(sparse: bool) -> Features:
    def encode(x):
        a = np.maximum(x - 0.5, 0)
        return csr_array(a) if sparse else a

    return Features("latents", tuple("abcdef"), encode)


@pytest.mark.parametrize("sparse", [True, False])
def test_correlation_equals_numpy(world, sparse):
    activations, concepts = world
    sums = alignment.item_sums(relu_features(sparse), activations, ITEMS)
    a, y = np.maximum(activations.values - 0.5, 0), concepts[activations.item_at]
    expected = np.corrcoef(a.T, y.T)[:6, 6:]
    assert alignment.correlation(sums, concepts) == pytest.approx(expected, abs=1e-5)


def test_correlation_on_some_items_only(world):
    activations, concepts = world
    half = alignment.random_halves(ITEMS, 1, seed=0)[0]
    sums = alignment.item_sums(relu_features(True), activations, ITEMS).only(half)
    keep = half[activations.item_at]
    a, y = np.maximum(activations.values - 0.5, 0)[keep], concepts[activations.item_at][keep]
    assert alignment.correlation(sums, concepts) == pytest.approx(np.corrcoef(a.T, y.T)[:6, 6:], abs=1e-5)


def test_partial_correlation_equals_that_of_residuals(world):
    activations, concepts = world
    controls = np.random.default_rng(1).normal(size=(ITEMS + 1, 2)) * [10, 1] + [2000, 3] + concepts[:, :2]
    sums = alignment.item_sums(relu_features(True), activations, ITEMS)
    x = np.column_stack([np.ones(N), controls[activations.item_at]])
    a, y = np.maximum(activations.values - 0.5, 0), concepts[activations.item_at]
    left = [m - x @ np.linalg.lstsq(x, m, rcond=None)[0] for m in (a.astype(float), y)]
    expected = np.corrcoef(left[0].T, left[1].T)[:6, 6:]
    assert alignment.partial_correlation(sums, concepts, controls) == pytest.approx(expected, abs=1e-4)


def test_constant_and_silent_features_correlate_with_nothing(world):
    activations, concepts = world
    silent = Features("latents", ("a", "b"), lambda x: csr_array((len(x), 2), dtype=np.float32))
    flat = concepts.copy()
    flat[:, 0] = 1.0
    assert (alignment.correlation(alignment.item_sums(silent, activations, ITEMS), flat) == 0).all()


def test_matched_expectation_equals_simulation():
    rng = np.random.default_rng(0)
    select, score = rng.normal(size=(60, 3)), rng.normal(size=(60, 3))
    draws = [rng.choice(60, 10, replace=False) for _ in range(20_000)]
    simulated = [score[d][select[d].argmax(0), range(3)] for d in draws]
    assert alignment.matched_expectation(select, score, 10) == pytest.approx(np.mean(simulated, 0), abs=0.02)
    best = score[select.argmax(0), range(3)]
    assert alignment.matched_expectation(select, score, 60) == pytest.approx(best)
    assert alignment.matched_expectation(select, score, 500) == pytest.approx(best)


def test_new_items_shares_no_item_between_choice_and_score(world):
    activations, concepts = world
    sums = alignment.item_sums(relu_features(True), activations, ITEMS)
    halves = alignment.random_halves(ITEMS, 3, seed=0)
    assert all(h.sum() == ITEMS // 2 and not h[0] for h in halves)
    r, chosen = alignment.new_items(sums, sums, concepts, halves)
    for half, row, best in zip(halves, r, chosen, strict=True):
        assert (best == alignment.correlation(sums.only(half), concepts).argmax(0)).all()
        assert row == pytest.approx(alignment.correlation(sums.only(~half), concepts)[best, range(5)])


def test_two_sided_features_split_a_bipolar_one(world):
    values = world[0].values
    for features in (neurons(values.mean(0)), pca(values, 0)):
        a = features.encode(values)
        assert features.count == 12 and (a >= 0).all()
        assert not (a[:, :6] * a[:, 6:]).any()
    assert np.allclose(
        neurons(values.mean(0)).encode(values)[:, :6] - neurons(values.mean(0)).encode(values)[:, 6:],
        values - values.mean(0),
        atol=1e-5,
    )
    assert random_directions(values, 33, 0).encode(values).shape == (N, 33)


def test_the_probe_is_the_least_squares_ceiling(world):
    activations, concepts = world
    y = concepts[activations.item_at]
    r = np.corrcoef(probe(activations.values, y, list("abcde")).encode(activations.values)[:, 0], y[:, 0])[0, 1]
    x = np.column_stack([np.ones(N), activations.values])
    fitted = x @ np.linalg.lstsq(x, y[:, 0], rcond=None)[0]
    assert r == pytest.approx(np.corrcoef(fitted, y[:, 0])[0, 1], abs=1e-4)


def test_a_probe_of_one_concept_has_one_column(world):
    activations, concepts = world
    y = concepts[activations.item_at]
    one = probe(activations.values, y[:, :1], ["a"]).encode(activations.values)
    assert one == pytest.approx(probe(activations.values, y, list("abcde")).encode(activations.values)[:, :1], abs=1e-5)
