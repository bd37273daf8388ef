"""Lists and ranks of many users against the model asked one user at a time."""

import numpy as np
import pytest
import torch

from seqsae_core.data.sequences import FIT, SELECT, make_split, windows
from seqsae_core.recommender.evaluation import target_ranks
from seqsae_core.steering.displacement import displaced_states
from seqsae_core.steering.evaluation import K, collect_contexts, held_out_users, lists_under
from seqsae_core.steering.steerer import Steerer


@pytest.fixture(scope="module")
def contexts(toy_model, toy_sequences):
    users = np.arange(len(toy_sequences))
    return collect_contexts(toy_model, 1, toy_sequences, users, toy_sequences.lengths - 1, batch_size=9)


@pytest.fixture(scope="module")
def displacements() -> torch.Tensor:
    return torch.vstack([torch.zeros(1, 8), torch.randn(3, 8, generator=torch.Generator().manual_seed(0))])


@pytest.mark.parametrize("position", ["last", "all"])
def test_states_without_displacement_are_bitwise_equal_in_padded_batches(toy_model, toy_sequences, position):
    users = np.arange(len(toy_sequences))
    items = torch.from_numpy(windows(toy_sequences, users, np.maximum(toy_sequences.lengths - 3, 1), 12))
    hidden = toy_model.hidden(items, 1)
    assert (items == 0).any()
    assert (items > 0).sum(1).min() == 1
    zero = displaced_states(toy_model, hidden, 1, torch.zeros(1, 8), position)
    plain = toy_model.resume(hidden.activations, hidden.item_at, 1)
    if position == "all":
        assert torch.equal(zero[:, 0], plain)
    else:
        unedited = toy_model.resume_last(hidden.activations, hidden.activations[:, -1:], hidden.item_at, 1)
        assert torch.equal(zero, unedited)
        assert torch.allclose(zero[:, 0], plain, atol=1e-5)


@pytest.mark.parametrize("position", ["last", "all"])
def test_padding_does_not_change_an_edit(toy_model, toy_sequences, displacements, position):
    for user in range(8):
        alone = torch.from_numpy(toy_sequences.of(user)[None, :6]).long()
        padded = torch.nn.functional.pad(alone, (5, 0))
        one, other = (
            displaced_states(toy_model, toy_model.hidden(x, 1), 1, displacements, position) for x in (alone, padded)
        )
        assert torch.allclose(one, other, atol=1e-5)


@pytest.mark.parametrize("position", ["last", "all"])
def test_lists_and_ranks_are_those_of_one_user_at_a_time(toy_model, toy_sequences, contexts, displacements, position):
    lists = lists_under(contexts, displacements, position)
    dictionary = type("Decoder", (), {"latents": 3, "W_dec": displacements[1:]})()
    steerer = Steerer(toy_model, dictionary, 1, np.ones(3), position)
    for user, history in enumerate(toy_sequences.of(u) for u in range(len(toy_sequences))):
        known, target = history[:-1], history[-1]
        rows = steerer.scores(known, displacements[1:]).clone()
        rows[:, np.setdiff1d(known, target)] = -torch.inf
        best = rows.argsort(1, descending=True)[:, :K].numpy()
        usable = np.take_along_axis(rows.numpy(), best, 1) > -np.inf
        assert np.array_equal(lists.items[user], np.where(usable, best, 0))
        rank = (rows >= rows[:, [target]]).sum(1).numpy()
        assert np.array_equal(lists.ranks[user], np.minimum(rank, K + 1))


def test_plain_ranks_are_the_recommenders(toy_model, toy_sequences, contexts, displacements):
    users = np.arange(len(toy_sequences))
    expected = target_ranks(toy_model, toy_sequences, users, toy_sequences.lengths - 1)
    assert np.array_equal(lists_under(contexts, displacements[:1]).ranks[:, 0], np.minimum(expected, K + 1))


def test_order_of_histories_does_not_matter(toy_model, toy_sequences, contexts, displacements):
    order = np.random.default_rng(0).permutation(len(toy_sequences))
    mixed = collect_contexts(toy_model, 1, toy_sequences, order, toy_sequences.lengths[order] - 1)
    assert np.array_equal(lists_under(mixed, displacements).items, lists_under(contexts, displacements).items[order])


def test_boosts_add_to_the_scores(toy_model, toy_sequences, contexts):
    boosts = torch.zeros(2, toy_sequences.n_items + 1)
    boosts[1, 1:13] = 1e4
    lists = lists_under(contexts, torch.zeros(1, 8), boosts=boosts)
    assert np.array_equal(lists.items[:, 0], lists_under(contexts, torch.zeros(1, 8)).items[:, 0])
    for user, items in enumerate(lists.items[:, 1]):
        left = set(range(1, 13)) - set(toy_sequences.of(user)[:-1].tolist())
        assert len(set(items.tolist()) & set(range(1, 13))) >= min(K, len(left))


def test_held_out_users_are_stable_and_no_fit_user(toy_sequences):
    split = make_split(toy_sequences, "leave-one-out")
    few, more = held_out_users(toy_sequences, split, 4), held_out_users(toy_sequences, split, 7)
    assert set(few) <= set(more)
    assert FIT not in split.role[more]
    assert (split.role[few] == SELECT).sum() == 4
