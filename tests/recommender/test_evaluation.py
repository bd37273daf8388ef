"""Figures of accuracy and of the lists, against their definitions."""

from itertools import combinations

import numpy as np
import pytest
import torch

from seqsae_core.recommender import evaluation
from seqsae_core.recommender.evaluation import Ranked


def test_accuracy_at_each_cutoff_and_its_interval():
    ranks = np.random.default_rng(0).integers(1, 40, 300)
    found = evaluation.accuracy(ranks)
    for k in (5, 10, 20):
        inside = [r for r in ranks if r <= k]
        assert found[f"hr@{k}"] == pytest.approx(len(inside) / 300)
        assert found[f"mrr@{k}"] == pytest.approx(sum(1 / r for r in inside) / 300)
        assert found[f"ndcg@{k}"] == pytest.approx(sum(1 / np.log2(1 + r) for r in inside) / 300)
        low, high = found[f"mrr@{k}_ci95"]
        assert low < found[f"mrr@{k}"] < high
    assert found["users"] == 300


def test_list_figures_by_hand():
    rng = np.random.default_rng(0)
    counts = np.array([0, 5, 5, 1, 9, *rng.integers(0, 50, 26)])
    lists = np.array([rng.permutation(30)[:10] + 1 for _ in range(8)])
    found = evaluation.list_figures(lists, counts)
    overlap = np.mean([len(set(a) & set(b)) / 10 for a, b in combinations(lists.tolist(), 2)])
    assert found["diversity@10"] == pytest.approx(1 - overlap)
    assert found["coverage@10"] == pytest.approx(len(np.unique(lists)) / 30)
    middle = [(np.mean(counts[1:] < c) + np.mean(counts[1:] <= c)) / 2 for c in counts]
    assert found["popularity@10"] == pytest.approx(np.mean([middle[i] for i in lists.ravel()]))


def test_all_items_alike_have_popularity_one_half():
    found = evaluation.list_figures(np.array([[1, 2, 0], [3, 4, 0]]), np.array([0, 7, 7, 7, 7]))
    assert found["popularity@10"] == 0.5 and found["coverage@10"] == 1.0 and found["diversity@10"] == 1.0


def test_shorter_lists_count_with_their_length():
    same = evaluation.list_figures(np.array([[1, 2, 0], [1, 2, 0]]), np.array([0, 1, 1, 1]))
    assert same["diversity@10"] == 0.0
    assert evaluation.list_figures(np.zeros((2, 10), int), np.array([0, 1, 1]))["diversity@10"] is None


def test_lists_leave_out_what_was_seen_and_end_with_the_catalogue(toy_sequences):
    user, at = np.array([0]), np.array([4])
    scores = torch.full((1, toy_sequences.n_items + 1), -torch.inf)
    scores[0, 1:4] = torch.tensor([1.0, 3.0, 2.0])
    found = Ranked.empty(1)
    found.put(np.array([0]), scores, toy_sequences, user, at)
    known = set(toy_sequences.of(0)[:4].tolist()) - {int(toy_sequences.of(0)[4])}
    assert [i for i in found.lists[0] if i] == [i for i in (2, 3, 1) if i not in known]


@pytest.mark.parametrize(("items", "users"), [(7_787, 256), (65_535, 256), (780_000, 21), (10**9, 1)])
def test_scores_held_at_once_have_a_bound(items, users):
    assert evaluation.users_at_once(256, items) == users


def test_a_large_catalogue_is_ranked_a_few_users_at_a_time(toy_model, toy_sequences, monkeypatch):
    users, at = np.arange(len(toy_sequences)), toy_sequences.lengths - 1
    expected, sizes, scores = evaluation.target_ranks(toy_model, toy_sequences, users, at), [], toy_model.scores
    monkeypatch.setattr(evaluation, "SCORES", 3 * (toy_sequences.n_items + 1))
    monkeypatch.setattr(type(toy_model), "scores", lambda self, state: sizes.append(len(state)) or scores(state))
    assert (evaluation.target_ranks(toy_model, toy_sequences, users, at) == expected).all()
    assert max(sizes) == 3


def test_rank_users_and_target_ranks_agree(toy_model, toy_sequences):
    users = np.arange(len(toy_sequences))
    at = toy_sequences.lengths - 1
    found = evaluation.rank_users(toy_model, toy_sequences, users, at)
    assert (found.ranks == evaluation.target_ranks(toy_model, toy_sequences, users, at)).all()
    target = toy_sequences.items[toy_sequences.offsets[users] + at]
    places = [list(row).index(t) + 1 if t in row else None for row, t in zip(found.lists, target, strict=True)]
    assert [p for p in places if p] == [r for p, r in zip(places, found.ranks, strict=True) if p]
    assert all(r > 10 for p, r in zip(places, found.ranks, strict=True) if p is None)
