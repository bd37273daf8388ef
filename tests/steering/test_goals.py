"""Targets for one list against trying every strength by hand."""

from itertools import combinations

import numpy as np
import pytest

from seqsae_core.errors import UserError
from seqsae_core.recommender.recommend import Ranking
from seqsae_core.steering.edits import Edit, ablate
from seqsae_core.steering.goals import Target, by_hand, price, reach

GRID = [-16.0, -8.0, -4.0, -2.0, -1.0, 1.0, 2.0, 4.0, 8.0, 16.0]


@pytest.fixture
def labels() -> np.ndarray:
    return np.concatenate([[False], np.random.default_rng(2).random(40) < 0.3])


def test_the_smallest_strength_that_does_is_found_or_none(steerer, histories, labels):
    reached = 0
    for history in histories:
        for wanted in range(1, 9):
            target = Target(labels, wanted)
            found = reach(steerer, history, [Edit(3, 9.0), Edit(9, 1.0)], 0, target, GRID)
            met = {s: steerer.recommend(history, [Edit(3, s), Edit(9, 1.0)]) for s in [0.0, *GRID]}
            met = {s: r for s, r in met.items() if labels[r.items].sum() >= wanted}
            expected = min(met, key=lambda s: (abs(s), -s), default=None)
            assert found.strength == expected
            if expected is None:
                assert found.price is found.ranking is None
                assert found.count < wanted
                assert str(found) == f"No strength of the grid reaches the target: the nearest list has {found.count}."
            else:
                assert np.array_equal(found.ranking.items, met[expected].items)
                assert found.count == labels[found.ranking.items].sum()
                assert f"Strength {expected:g} reaches the target with {found.count}" in str(found)
                reached += 1
    assert 0 < reached < 8 * len(histories)


def test_prices_are_by_the_unsteered_scores(steerer, histories, labels):
    for history in histories:
        plain = steerer.recommend(history, (), 40)
        found = reach(steerer, history, [Edit(3, 0.0)], 0, Target(~labels & (np.arange(41) > 0), 9), GRID)
        if found.price is None:
            continue
        scores = dict(zip(plain.items.tolist(), plain.scores.astype(float), strict=True))
        was, now = plain.items[:10].tolist(), found.ranking.items.tolist()
        chances = {item: np.exp(score) for item, score in scores.items()}
        assert found.price.replaced == len(set(was) - set(now))
        loss = np.mean([scores[i] for i in was]) - np.mean([scores[i] for i in now])
        assert found.price.score_loss == pytest.approx(loss, abs=1e-5)
        kept = sum(chances[i] for i in now) / sum(chances[i] for i in was)
        assert found.price.probability_kept == pytest.approx(kept, rel=1e-4)
        assert found.price.score_loss >= found.price_by_hand.score_loss - 1e-6
        assert found.price.probability_kept <= found.price_by_hand.probability_kept + 1e-6


def test_a_list_that_is_right_already_costs_nothing(steerer, histories, labels):
    found = reach(steerer, histories[2], [Edit(3, 9.0)], 0, Target(labels, 0), GRID)
    assert (found.strength, found.price.replaced, found.price.score_loss) == (0.0, 0, 0.0)
    assert found.price.probability_kept == pytest.approx(1)


def test_fewer_of_something(steerer, histories, labels):
    for history in histories:
        found = reach(steerer, history, [Edit(3, 0.0)], 0, Target(labels, at_most=1), GRID)
        assert found.ranking is None or labels[found.ranking.items].sum() <= 1
        assert labels[found.by_hand.items].sum() <= 1


def test_edits_towards_a_level_are_searched_upwards_only(steerer, histories, labels):
    found = reach(steerer, histories[2], [ablate(3)], 0, Target(labels, 1), [0.5, 1.0, np.inf])
    assert found.strength is None or found.strength >= 0
    with pytest.raises(UserError, match="may move at most"):
        reach(steerer, histories[2], [ablate(3)], 0, Target(labels, 1), GRID)


@pytest.mark.parametrize(("least", "most"), [(0, None), (2, None), (3, None), (0, 1), (0, 0), (2, 2), (1, 1)])
def test_by_hand_is_the_best_of_all_lists_that_meet_the_target(least, most):
    rng = np.random.default_rng(0)
    for _ in range(20):
        plain = np.concatenate([[-np.inf], rng.normal(size=9)]).astype(np.float32)
        plain[3] = -np.inf
        labels = np.array([0, 1, 0, 1, 0, 1, 0, 0, 1, 0])
        target = Target(labels, least, most, k=3)
        lists = [c for c in combinations(np.flatnonzero(np.isfinite(plain)), 3) if least <= labels[list(c)].sum()]
        lists = [c for c in lists if labels[list(c)].sum() <= target.most]
        expected = max(lists, key=lambda c: plain[list(c)].sum())
        found = by_hand(plain, target)
        assert set(found.items) == set(expected)
        assert (np.diff(found.scores) <= 0).all()


def test_by_hand_says_when_the_catalogue_does_not_hold_enough(steerer, histories):
    labels = np.zeros(41, bool)
    labels[1] = True
    found = reach(steerer, histories[2], [Edit(3, 0.0)], 0, Target(labels, 2), GRID)
    assert (found.strength, found.by_hand, found.price_by_hand) == (None, None, None)
    assert found.count <= 1


def test_a_price_in_closed_form():
    plain = np.log(np.array([1e-30, 0.4, 0.3, 0.2, 0.1], np.float32))
    before, after = (Ranking(np.array(items), plain[items]) for items in ([1, 2], [1, 4]))
    found = price(plain, before, after)
    assert (found.replaced, found.probability_kept) == (1, pytest.approx(5 / 7))
    assert found.score_loss == pytest.approx(np.log(3) / 2)


@pytest.mark.parametrize("wrong", [(11, None, 10), (-1, None, 10), (3, 2, 10), (0, -1, 10), (0, None, 0)])
def test_targets_that_no_list_can_meet_are_refused(labels, wrong):
    with pytest.raises(UserError, match=r"asks for at least"):
        Target(labels, *wrong)
