"""Figures of lists against their definitions, closed forms and what they must not depend on."""

from itertools import combinations

import numpy as np
import pytest

from seqsae_core.recommender import lists as module
from seqsae_core.recommender.lists import list_figures
from seqsae_core.recommender.names import LISTS


@pytest.fixture
def lists() -> np.ndarray:
    """Eight lists of thirty items."""
    rng = np.random.default_rng(0)
    return np.array([rng.permutation(30)[:10] + 1 for _ in range(8)])


@pytest.fixture
def counts() -> np.ndarray:
    return np.array([0, 5, 5, 1, 9, *np.random.default_rng(1).integers(0, 50, 26)])


def test_figures_by_hand(lists, counts):
    found = list_figures(lists, counts)
    assert tuple(found) == LISTS
    pairs = [(set(a), set(b)) for a, b in combinations(lists.tolist(), 2)]
    assert found["diversity@10"] == pytest.approx(1 - np.mean([len(a & b) / len(a | b) for a, b in pairs]))
    assert found["coverage@10"] == pytest.approx(len(np.unique(lists)) / 30)
    middle = [(np.mean(counts[1:] < c) + np.mean(counts[1:] <= c)) / 2 for c in counts]
    assert found["popularity@10"] == pytest.approx(np.mean([middle[i] for i in lists.ravel()]))
    bits = [-np.log2(max(c, 1) / counts.sum()) for c in counts]
    assert found["novelty@10"] == pytest.approx(np.mean([bits[i] for i in lists.ravel()]))
    shown = [(lists == item).sum() for item in range(1, 31)]
    gaps = np.mean([abs(a - b) for a in shown for b in shown])
    assert found["gini@10"] == pytest.approx(gaps / (2 * np.mean(shown)))


def test_everything_shown_as_often_has_a_gini_of_0_and_ten_items_only_one_minus_their_share():
    even = np.arange(1, 41).reshape(4, 10)
    assert list_figures(even, np.ones(41, int))["gini@10"] == pytest.approx(0)
    same = np.tile(np.arange(1, 11), (4, 1))
    assert list_figures(same, np.ones(41, int))["gini@10"] == pytest.approx(1 - 10 / 40)


def test_items_of_one_popularity_have_the_entropy_of_the_catalogue(lists):
    assert list_figures(lists, np.array([0, *[7] * 30]))["novelty@10"] == pytest.approx(np.log2(30))


def test_half_the_items_in_common_is_a_diversity_of_two_thirds():
    pair = np.array([np.arange(1, 11), np.arange(6, 16)])
    assert list_figures(pair, np.ones(31, int))["diversity@10"] == pytest.approx(2 / 3)


def test_random_pairs_come_close_to_all_pairs_and_are_the_same_ones_each_time(monkeypatch):
    rng = np.random.default_rng(0)
    lists = np.array([rng.choice(60, 10, replace=False, p=rng.dirichlet(np.ones(60))) + 1 for _ in range(300)])
    exact = module.diversity(lists)
    monkeypatch.setattr(module, "PAIRS", 20_000)
    drawn = module.diversity(lists)
    assert drawn != exact and drawn == pytest.approx(exact, abs=0.01)
    assert module.diversity(lists) == drawn


def test_no_user_is_paired_with_himself(monkeypatch):
    monkeypatch.setattr(module, "PAIRS", 50)
    one, other = module._pairs(20)
    assert len(one) == 50 and (one != other).all() and {0, 19} <= {*one, *other}


def test_all_items_alike_have_popularity_one_half():
    found = list_figures(np.array([[1, 2, 0], [3, 4, 0]]), np.array([0, 7, 7, 7, 7]))
    assert found["popularity@10"] == 0.5 and found["coverage@10"] == 1.0 and found["diversity@10"] == 1.0


def test_places_without_an_item_are_not_in_common():
    counts = np.array([0, 1, 1, 1])
    assert list_figures(np.array([[1, 2, 0], [1, 2, 0]]), counts)["diversity@10"] == 0.0
    assert list_figures(np.array([[1, 0, 0], [1, 2, 0]]), counts)["diversity@10"] == pytest.approx(0.5)
    assert list_figures(np.array([[1, 2, 0], [1, 2, 0], [0, 0, 0]]), counts)["diversity@10"] == pytest.approx(2 / 3)


def test_figures_are_none_where_nothing_is_listed_and_diversity_of_one_user():
    empty = list_figures(np.zeros((2, 10), int), np.array([0, 1, 1]))
    assert empty.pop("coverage@10") == 0.0 and set(empty.values()) == {None}
    assert list_figures(np.array([[1, 2]]), np.array([0, 1, 1]))["diversity@10"] is None
