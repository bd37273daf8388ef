"""Choice within a budget and the frontier's area, in closed form."""

import numpy as np
import pytest

from seqsae_core.steering.frontier import Curve, choose, frontier_area, geometric_mean, lift_at
from seqsae_core.steering.outcomes import interval, lifts, relative_changes, user_weights


def curve(lift, change, test) -> Curve:
    return Curve(np.array(lift), np.array(change), np.array(test))


def test_the_largest_lift_within_the_budget_is_chosen():
    lift, change = np.array([1.1, 1.5, 1.4, 3.0]), np.array([0.0, -0.01, -0.004, -0.2])
    assert [choose(lift, change, b) for b in (0.0, 0.005, 0.01, 0.05, 0.5)] == [0, 2, 1, 1, 3]


def test_strength_zero_is_chosen_when_nothing_lifts_or_all_costs_too_much():
    assert choose(np.array([0.9, 1.0]), np.array([0.0, 0.1]), 0.05) == -1
    assert choose(np.array([2.0]), np.array([-0.06]), 0.05) == -1


def test_area_of_no_effect_is_one():
    assert frontier_area(curve([0.9], [0.0], [5.0])) == pytest.approx(1)
    assert frontier_area(curve([9.0], [-0.051], [5.0])) == pytest.approx(1)


def test_area_of_a_free_lift_is_the_lift():
    assert frontier_area(curve([2.0, 1.5], [0.01, 0.0], [3.0, 7.0])) == pytest.approx(3)


def test_area_of_two_steps():
    found = frontier_area(curve([2.0, 4.0], [-0.01, -0.03], [2.0, 3.0]))
    assert found == pytest.approx(np.exp(20 * (0.02 * np.log(2) + 0.02 * np.log(3))))


def test_area_against_a_fine_sum():
    rng = np.random.default_rng(0)
    one = curve(rng.uniform(0.8, 4, 16), -rng.uniform(-0.01, 0.08, 16), rng.uniform(0.5, 4, (3, 16)))
    budgets = (np.arange(50_000) + 0.5) / 50_000 * 0.05
    logs = np.mean([np.log(lift_at(one, choose(one.valid_lift, one.valid_change, b))) for b in budgets], axis=0)
    assert frontier_area(one) == pytest.approx(np.exp(logs), abs=1e-3)


def test_geometric_mean():
    assert geometric_mean([np.array([1.0, 2.0]), np.array([4.0, 8.0])]) == pytest.approx([2, 4])


def test_paired_intervals_of_a_constant_ratio_have_no_width():
    weights = user_weights(50, seed=0, draws=200)
    before = np.random.default_rng(0).uniform(0.2, 0.6, 50)
    found = lifts(weights, np.stack([before, 1.5 * before], axis=1))
    assert np.allclose(found[:, 0], 1)
    assert np.allclose(found[:, 1], 1.5)
    assert np.allclose(interval(found), [[1, 1.5], [1, 1.5]])


def test_shares_and_ndcg_of_zero_give_numbers():
    weights = user_weights(20, seed=0, draws=10)
    assert np.allclose(lifts(weights, np.zeros((20, 2))), 1)
    assert np.allclose(relative_changes(weights, np.zeros((20, 2))), 0)
