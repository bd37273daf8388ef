"""What a reconstruction costs: overlap of lists by its closed form, changes at their fixed points."""

import numpy as np
import pytest

from seqsae_core.sae.splicing import Spliced, by_decile, changes, rbo


def test_overlap_is_one_for_equal_lists_and_zero_for_disjoint_ones():
    one = np.arange(1, 11)[None]
    assert rbo(one, one) == pytest.approx(1)
    assert rbo(one, one + 10) == pytest.approx(0)


def test_overlap_of_a_case_by_hand():
    """X_1 = 0, X_2 = 2, X_3 = 2; at p = .5: 2/3 · 1/8 + (0/1 · 1/2 + 2/2 · 1/4 + 2/3 · 1/8)."""
    assert rbo(np.array([[1, 2, 3]]), np.array([[2, 1, 4]]), p=0.5) == pytest.approx(2 / 24 + 1 / 4 + 2 / 24)


def test_a_list_cut_short_by_what_is_left_is_as_long_as_it_is():
    short = np.array([[5, 3, 0, 0]])
    assert rbo(short, short) == pytest.approx(1)
    assert rbo(short, short[:, [1, 0, 2, 3]]) == pytest.approx(rbo(np.array([[5, 3]]), np.array([[3, 5]])))


def test_overlap_is_what_the_sum_over_sets_says():
    rng = np.random.default_rng(0)
    one, other = (np.array([rng.permutation(15)[:10] + 1 for _ in range(20)]) for _ in range(2))
    for a, b, found in zip(one, other, rbo(one, other), strict=True):
        shares = [len(set(a[:d]) & set(b[:d])) / d for d in range(1, 11)]
        seen = 0.1 / 0.9 * sum(share * 0.9**d for d, share in enumerate(shares, 1))
        assert found == pytest.approx(seen + shares[-1] * 0.9**10)


def test_empty_places_do_not_overlap_and_the_top_weighs_most():
    assert rbo(np.array([[1, 0, 0]]), np.array([[2, 0, 0]])) == pytest.approx(0)
    whole = np.arange(1, 11)
    first, last = whole.copy(), whole.copy()
    first[0], last[-1] = 99, 99
    assert rbo(whole[None], first[None]) < rbo(whole[None], last[None])


def case(ranks: list[tuple[int, int]], target: list[int]) -> Spliced:
    lists = np.tile(np.arange(1, 11), (len(ranks), 2, 1))
    return Spliced(np.array(ranks), lists, np.array(target))


def test_changes_are_relative_and_their_intervals_hold_them():
    found = changes(case([(1, 1), (2, 20), (3, 3), (30, 1)] * 50, [1] * 200), seed=0)
    gains = 1 / np.log2(1 + np.array([[1, 2, 3], [1, 1, 3]]))
    assert found["ndcg_change"] == pytest.approx(gains[1].sum() / gains[0].sum() - 1)
    assert found["hr_change"] == 0 and found["rbo@10"] == pytest.approx(1)
    low, high = found["ndcg_change_ci95"]
    assert low < found["ndcg_change"] < high
    assert changes(case([(2, 2)] * 30, [1] * 30), 0)["ndcg_change_ci95"] == [0, 0]


def test_deciles_are_those_of_the_targets_and_nothing_to_lose_is_none():
    decile = np.array([0, 0, 9])
    rows = by_decile(case([(1, 2), (50, 1), (1, 1)], [2, 1, 2]), decile, seed=0)
    assert [row["users"] for row in rows] == [1, *[0] * 8, 2]
    assert rows[0]["ndcg_change"] is None and rows[0]["ndcg_spliced"] == 1
    assert rows[9]["ndcg"] == 1 and rows[9]["ndcg_change"] < 0
    assert rows[4]["ndcg"] is None and rows[4]["rbo@10"] is None
    assert [row["decile"] for row in rows] == list(range(1, 11))


def test_an_interval_is_none_where_a_draw_of_the_users_has_nothing_to_lose():
    found = changes(case([(1, 1), *[(50, 50)] * 30], [1] * 31), seed=0)
    assert found["ndcg_change"] == 0 and found["ndcg_change_ci95"] is None
    assert found["rbo@10_ci95"] == [1, 1]
