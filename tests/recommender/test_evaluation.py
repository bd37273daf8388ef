"""Figures of accuracy against their definitions, and the lists that are ranked."""

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
