"""The item-level permutation test against permuting the positions themselves."""

import numpy as np
import pytest

from seqsae_core.interpret import significance
from seqsae_core.interpret.alignment import ItemSums
from seqsae_core.interpret.significance import _null, _orders, permutation_test

ITEMS, POSITIONS = 60, 3000
STRATA = np.r_[0, np.arange(ITEMS) % 4]


@pytest.fixture(scope="module")
def world():
    """item_at (n,); activations (n, 12), each on some items only; concepts (items + 1, 3), two binary, one graded."""
    rng = np.random.default_rng(0)
    item_at = rng.integers(1, ITEMS - 4, POSITIONS)  # the last items are never seen
    fires = np.r_[[np.zeros(12)], rng.random((ITEMS, 12)) < 0.4]
    activations = rng.exponential(size=(POSITIONS, 12)) * fires[item_at]
    concepts = np.column_stack(
        [rng.random(ITEMS + 1) < 0.3, rng.random(ITEMS + 1) < 0.5, rng.random(ITEMS + 1)]
    ).astype(float)
    concepts[0] = 0
    return item_at, activations, concepts


def sums_of(item_at, activations):
    pick = np.zeros((ITEMS + 1, len(item_at)))
    pick[item_at, np.arange(len(item_at))] = 1
    return ItemSums(pick.sum(1), pick @ activations, pick @ activations**2)


@pytest.mark.parametrize("sparse_below", [0.0, 1.1])
def test_correlations_from_item_sums_equal_those_of_permuted_positions(world, sparse_below, monkeypatch):
    monkeypatch.setattr(significance, "SPARSE", sparse_below)
    item_at, activations, concepts = world
    sums = sums_of(item_at, activations)
    orders = _orders(STRATA, sums.counts > 0, 5, seed=1)
    correlate = _null(sums, np.arange(12))
    full = np.zeros((ITEMS + 1, 5), int)
    full[sums.counts > 0] = orders
    for column in range(3):
        found = correlate(concepts[:, column].astype(np.float32)[orders])
        for draw in range(5):
            y = concepts[full[:, draw], column][item_at]
            expected = [np.corrcoef(activations[:, f], y)[0, 1] for f in range(12)]
            assert found[:, draw] == pytest.approx(expected, abs=1e-5)


def test_orders_are_permutations_within_strata():
    orders = _orders(STRATA, np.arange(ITEMS + 1) > 0, 20, seed=0)
    assert (STRATA[orders] == STRATA[1:, None]).all()
    assert (np.sort(orders, axis=0) == np.arange(1, ITEMS + 1)[:, None]).all()
    assert len({tuple(o) for o in orders.T}) == 20


def test_links_that_popularity_explains_are_not_found_within_strata(world):
    rng = np.random.default_rng(3)
    item_at = world[0]
    activations = (STRATA[item_at] == 1)[:, None] * rng.uniform(1, 2, (POSITIONS, 12))
    concepts = np.column_stack([(STRATA == 1) & (rng.random(ITEMS + 1) < 0.9)] * 2).astype(float)
    result = permutation_test(sums_of(item_at, activations), concepts, STRATA, np.array([False, True]), 200, 0)
    assert not result.family_wise[:, 0].any() and result.family_wise[:, 1].all()


def test_silent_features_and_constant_concepts_have_defined_values(world):
    item_at, activations, concepts = world
    activations = np.column_stack([activations[:, :3], np.zeros(POSITIONS)])
    concepts = np.column_stack([concepts, np.r_[0, np.ones(ITEMS)], np.zeros(ITEMS + 1)])
    result = permutation_test(sums_of(item_at, activations), concepts, STRATA, np.zeros(5, bool), 50, 0)
    assert np.isfinite(result.z).all() and np.isfinite(result.p).all()
    assert (result.z[3] == 0).all() and (result.z[:, 3:] == 0).all() and (result.p[:, 3:] == 1).all()
    assert not result.family_wise[:, 3:].any() and not result.fdr[:, 3:].any()


def test_the_same_seed_gives_the_same_result(world):
    sums = sums_of(*world[:2])
    one, two = (permutation_test(sums, world[2], STRATA, np.zeros(3, bool), 60, seed=4) for _ in range(2))
    assert (one.z == two.z).all() and (one.threshold == two.threshold).all()
