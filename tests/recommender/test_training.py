"""The warm start, the losses, the batches and training itself."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.metrics.pairwise import cosine_similarity

from seqsae_core.config import RecommenderConfig
from seqsae_core.data.sequences import Sequences, make_split
from seqsae_core.recommender import training
from seqsae_core.recommender.baselines import item_knn, rank_baselines
from seqsae_core.recommender.objective import full_softmax, sampled_softmax
from seqsae_core.recommender.spectral import cooccurrence, ppmi, spectral_embeddings

SMALL = RecommenderConfig(width=8, passes=3, negatives=16, batch_size=16)


def test_cooccurrence_counts_by_distance_within_a_user():
    counts = cooccurrence(np.array([1, 2, 3, 1]), np.array([0, 0, 0, 1]), 3, window=2).toarray()
    assert counts[1, 2] == counts[2, 1] == 1.0 and counts[1, 3] == 0.5
    assert counts[3, 1] == 0.5  # the next user's item 1 is no neighbour of item 3
    matrix = ppmi(cooccurrence(np.array([1, 2, 3, 1]), np.array([0, 0, 0, 1]), 3, window=2)).toarray()
    assert matrix[1, 2] == pytest.approx(np.log(5.0 * 1.0 / (1.5 * 2.0)))


def test_spectral_vectors_place_companions_together():
    rng = np.random.default_rng(0)
    items = np.concatenate([rng.permutation(np.arange(1, 11)) + 10 * (u % 2) for u in range(200)])
    vectors = spectral_embeddings(items, np.repeat(np.arange(200), 10), 20, 4, seed=0)[1:]
    cosine = (vectors @ vectors.T) / np.outer(*[np.linalg.norm(vectors, axis=1)] * 2)
    assert cosine[:10, :10].mean() > 0.7 and abs(cosine[:10, 10:]).max() < 0.3
    assert vectors.std() == pytest.approx(0.1, rel=1e-4)


def test_sampled_softmax_over_all_items_is_the_full_softmax():
    g = torch.Generator().manual_seed(0)
    states, vectors, bias = (torch.randn(*s, generator=g, dtype=torch.double) for s in [(6, 4), (11, 4), (11,)])
    targets = torch.tensor([1, 2, 3, 4, 5, 10])
    leaves = [t.requires_grad_() for t in (states, vectors, bias)]
    sampled = sampled_softmax(states, targets, vectors, bias, torch.arange(1, 11))
    full = full_softmax(states, targets, vectors, bias)
    assert sampled.item() == pytest.approx(full.item())
    pairs = zip(torch.autograd.grad(sampled, leaves), torch.autograd.grad(full, leaves), strict=True)
    assert all(torch.allclose(ours, theirs) for ours, theirs in pairs)


def test_sampled_softmax_gradient_is_summed_in_one_order():
    g = torch.Generator().manual_seed(2)
    states, vectors, bias = (torch.randn(*s, generator=g) for s in [(20000, 16), (51, 16), (51,)])
    targets, negatives = torch.randint(1, 51, (20000,), generator=g), torch.arange(1, 21)
    leaves = [t.requires_grad_() for t in (vectors, bias)]
    runs = [torch.autograd.grad(sampled_softmax(states, targets, *leaves, negatives), leaves) for _ in range(5)]
    assert all(torch.equal(a, b) for run in runs for a, b in zip(run, runs[0], strict=True))


def test_sampled_softmax_gradient_is_its_numerical_one():
    g = torch.Generator().manual_seed(1)
    leaves = [torch.randn(*s, generator=g, dtype=torch.double, requires_grad=True) for s in [(6, 4), (11, 4), (11,)]]
    targets, negatives = torch.tensor([1, 2, 3, 4, 5, 10]), torch.tensor([2, 9, 10, 7])
    assert torch.autograd.gradcheck(lambda s, v, b: sampled_softmax(s, targets, v, b, negatives), leaves)


def test_one_pass_trains_each_event_and_no_target(toy_sequences):
    split = make_split(toy_sequences, "leave-one-out")
    seen = [set() for _ in range(len(toy_sequences))]
    for table in training.batches(toy_sequences, split, 8, 16, np.random.default_rng(0)):
        assert table.shape[1] <= 9
        for row in table.numpy():
            row = row[row > 0]
            fits = [u for u in range(len(seen)) if _contains(toy_sequences.of(u)[: split.train_end[u]], row)]
            assert fits, "a window holds an event that is not for training"
            for u in fits:
                seen[u] |= set(row[1:])
    for user, items in enumerate(seen):
        if split.train_end[user] >= 2:
            assert items >= set(toy_sequences.of(user)[1 : split.train_end[user]])


def _contains(whole: np.ndarray, part: np.ndarray) -> bool:
    return any((whole[i : i + len(part)] == part).all() for i in range(len(whole) - len(part) + 1))


@pytest.fixture(scope="module")
def cycle() -> Sequences:
    """80 users who walk around 12 items, so that the next item follows from the last."""
    start = np.random.default_rng(0).integers(0, 12, 80)
    items = (start[:, None] + np.arange(15)) % 12 + 1
    offsets = np.arange(0, items.size + 1, 15)
    return Sequences(np.arange(80), items.ravel().astype(np.int32), offsets, np.arange(items.size), 12)


def test_training_learns_the_rule_and_repeats_exactly(cycle):
    split = make_split(cycle, "leave-one-out")
    config = replace(SMALL, negatives=None, passes=30, patience=30, learning_rate=1e-2)
    one, log = training.train(cycle, split, config, 15, seed=3)
    two, _ = training.train(cycle, split, config, 15, seed=3)
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), two.parameters(), strict=True))
    assert training.validate(one, cycle, split) == max(row["ndcg@10"] for row in log) > 0.9


def test_training_stops_within_its_seconds(toy_sequences):
    split = make_split(toy_sequences, "leave-one-out")
    _, log = training.train(toy_sequences, split, replace(SMALL, passes=50, seconds=1e-6), 8, seed=0)
    assert len(log) == 1


def test_baselines_rank_by_their_definition(toy_sequences):
    split = make_split(toy_sequences, "leave-one-out")
    users = np.arange(len(toy_sequences))
    found = rank_baselines(toy_sequences, split, users, split.test_at)
    counts = np.bincount(training.training_events(toy_sequences, split)[0], minlength=toy_sequences.n_items + 1)
    for user in users[:20]:
        history, target = toy_sequences.of(user)[:-1], toy_sequences.of(user)[-1]
        left = np.setdiff1d(np.arange(1, toy_sequences.n_items + 1), history[history != target])
        assert found["popularity"].ranks[user] == (counts[left] >= counts[target]).sum()


def test_item_knn_is_the_cosine_of_users(toy_sequences):
    split = make_split(toy_sequences, "leave-one-out")
    table = np.zeros((len(toy_sequences), toy_sequences.n_items + 1))
    items, owner = training.training_events(toy_sequences, split)
    table[owner, items] = 1
    expected = cosine_similarity(table.T)
    np.fill_diagonal(expected, 0)
    assert item_knn(toy_sequences, split, 1000).toarray() == pytest.approx(expected, abs=1e-6)
    few = item_knn(toy_sequences, split, 3).toarray()
    assert ((few > 0).sum(1) <= 3).all()
    assert few.sum(1) == pytest.approx(np.sort(expected, axis=1)[:, -3:].sum(1), abs=1e-6)
