"""Popularity, Markov and nearest items."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics.pairwise import cosine_similarity

from seqsae_core.data.sequences import build_sequences, make_split
from seqsae_core.recommender import baselines, evaluation
from seqsae_core.recommender.baselines import item_knn, rank_baselines
from seqsae_core.recommender.batching import item_counts, training_events


def test_baselines_rank_by_their_definition(toy_sequences):
    split = make_split(toy_sequences, "leave-one-out")
    users = np.arange(len(toy_sequences))
    found = rank_baselines(toy_sequences, split, users, split.test_at)
    counts = item_counts(toy_sequences, split)
    for user in users[:20]:
        history, target = toy_sequences.of(user)[:-1], toy_sequences.of(user)[-1]
        left = np.setdiff1d(np.arange(1, toy_sequences.n_items + 1), history[history != target])
        assert found["popularity"].ranks[user] == (counts[left] >= counts[target]).sum()


def test_item_knn_is_the_cosine_of_users(toy_sequences):
    split = make_split(toy_sequences, "leave-one-out")
    table = np.zeros((len(toy_sequences), toy_sequences.n_items + 1))
    items, owner = training_events(toy_sequences, split)
    table[owner, items] = 1
    expected = cosine_similarity(table.T)
    np.fill_diagonal(expected, 0)
    assert item_knn(toy_sequences, split, 1000).toarray() == pytest.approx(expected, abs=1e-6)
    few = item_knn(toy_sequences, split, 3).toarray()
    assert ((few > 0).sum(1) <= 3).all()
    assert few.sum(1) == pytest.approx(np.sort(expected, axis=1)[:, -3:].sum(1), abs=1e-6)


def test_neighbours_that_tie_are_those_of_the_lowest_items():
    frame = pd.DataFrame({"user_id": np.repeat(np.arange(60), 8), "item_id": np.tile(np.arange(8), 60)})
    sequences, _ = build_sequences(frame.assign(timestamp=np.arange(len(frame))))
    near = item_knn(sequences, make_split(sequences, "leave-one-out"), 2).toarray()
    assert [np.flatnonzero(row).tolist() for row in near[1:5]] == [[2, 3], [1, 3], [1, 2], [1, 2]]


def test_blocks_of_items_and_of_users_change_nothing(toy_sequences, monkeypatch):
    split = make_split(toy_sequences, "leave-one-out")
    users = np.arange(len(toy_sequences))
    whole, ranked = item_knn(toy_sequences, split, 5), rank_baselines(toy_sequences, split, users, split.test_at)
    monkeypatch.setattr(baselines, "PAIRS", 50)
    monkeypatch.setattr(evaluation, "SCORES", 4 * toy_sequences.n_items)
    assert (item_knn(toy_sequences, split, 5) != whole).nnz == 0
    for name, found in rank_baselines(toy_sequences, split, users, split.test_at).items():
        assert np.array_equal(found.ranks, ranked[name].ranks) and np.array_equal(found.lists, ranked[name].lists)
