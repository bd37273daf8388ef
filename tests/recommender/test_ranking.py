"""Ranks, metrics and intervals against their definitions and scikit-learn."""

import numpy as np
import pytest
import torch
from sklearn.metrics import ndcg_score

from seqsae_core.recommender.ranking import bootstrap_mean, bootstrap_ratio, hr, mask_seen, ndcg, rank_of_target, top_k


def test_ties_count_against_the_model():
    scores = torch.tensor([[-torch.inf, 1.0, 3.0, 3.0, 0.5]])
    assert rank_of_target(scores, torch.tensor([2])).tolist() == [2]
    assert rank_of_target(scores, torch.tensor([1])).tolist() == [3]
    constant = torch.zeros(1, 101)
    assert rank_of_target(constant, torch.tensor([5])).item() == 101


def test_metrics_equal_scikit_learn():
    rng = np.random.default_rng(0)
    scores = torch.from_numpy(rng.normal(size=(50, 31)))
    target = torch.from_numpy(rng.integers(1, 31, 50))
    relevance = np.eye(31)[target.numpy()]
    ranks = rank_of_target(scores, target).numpy()
    expected = [ndcg_score(r[None], s[None], k=10) for r, s in zip(relevance, scores.numpy(), strict=True)]
    assert ndcg(ranks, 10) == pytest.approx(expected)
    hits = [t in s.argsort()[::-1][:10] for t, s in zip(target.numpy(), scores.numpy(), strict=True)]
    assert hr(ranks, 10).tolist() == [float(h) for h in hits]


def test_seen_items_are_removed_but_never_the_target(toy_sequences):
    users, ends = np.array([0, 1]), np.array([2, 3])
    target = torch.tensor([int(toy_sequences.of(0)[0]), 7])
    scores = torch.ones(2, toy_sequences.n_items + 1)
    mask_seen(scores, toy_sequences, users, ends, target)
    for row, (user, end) in enumerate(zip(users, ends, strict=True)):
        gone = set(np.flatnonzero(scores[row].isneginf().numpy()))
        assert gone == set(toy_sequences.of(user)[:end]) - {int(target[row])}


def test_top_k_breaks_ties_by_item():
    scores = torch.tensor([[-torch.inf, 2.0, 5.0, 2.0, 5.0, 1.0]])
    items, values = top_k(scores, 3)
    assert items.tolist() == [[2, 4, 1]] and values.tolist() == [[5.0, 5.0, 2.0]]


@pytest.mark.parametrize("levels", [1, 2, 5, 1000, 10**6])
def test_top_k_is_a_stable_sort_of_the_whole_row(levels):
    rng = np.random.default_rng(levels)
    scores = rng.integers(0, levels, (60, 300)).astype(np.float32)
    scores[rng.random(scores.shape) < rng.random((60, 1))] = -np.inf
    order = np.argsort(-scores, axis=1, kind="stable")
    for k in (1, 10, 299, 300, 400):
        items, values = top_k(torch.from_numpy(scores), k)
        assert np.array_equal(items, order[:, :k])
        assert np.array_equal(values, np.take_along_axis(scores, order[:, :k], 1))


@pytest.mark.parametrize("k", [6, 50])
def test_a_list_longer_than_the_catalogue_holds_all_of_it(k):
    scores = torch.tensor([[-torch.inf, 2.0, 5.0, 2.0, 5.0, 1.0]])
    items, values = top_k(scores, k)
    assert items[values.isfinite()].tolist() == [2, 4, 1, 3, 5]


def test_bootstrap_interval_matches_the_normal_one():
    values = np.random.default_rng(1).normal(3.0, 2.0, 4000)
    mean, low, high = bootstrap_mean(values, draws=2000)
    half = 1.96 * values.std() / np.sqrt(len(values))
    assert mean == pytest.approx(values.mean())
    assert (low, high) == pytest.approx((mean - half, mean + half), abs=0.1 * half)


def test_the_interval_of_a_ratio_is_that_of_its_linearisation():
    """A paired interval: that of the mean residual over the mean divisor (Fieller's limit for many users)."""
    rng = np.random.default_rng(0)
    below = rng.uniform(1, 5, 4000)
    above = 0.3 * below + rng.normal(0, 0.2, 4000)
    ratio, (low, high) = bootstrap_ratio(np.stack([above, below], 1), draws=2000)
    half = 1.96 * (above - ratio * below).std() / below.mean() / np.sqrt(4000)
    assert ratio == pytest.approx(above.sum() / below.sum())
    assert (low, high) == pytest.approx((ratio - half, ratio + half), abs=half / 8)


def test_a_ratio_to_nothing_is_none_and_so_is_an_interval_that_may_meet_it():
    assert bootstrap_ratio(np.zeros((0, 2))) == (None, None)
    assert bootstrap_ratio(np.array([[1.0, 0.0]] * 5)) == (None, None)
    assert bootstrap_ratio(np.array([[1.0, 2.0], *[[0.0, 0.0]] * 9])) == (0.5, None)
