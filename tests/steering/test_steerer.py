"""Recommendations under edits: identity at strength 0, and every edited row against a computation by hand."""

import copy

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor

from seqsae_core.errors import UserError
from seqsae_core.recommender.recommend import Ranking
from seqsae_core.steering.edits import Edit
from seqsae_core.steering.steerer import Steerer, moves

EDITS = [Edit(3, 4.0), Edit(17, -2.5)]


def same(one: Ranking, other: Ranking) -> bool:
    return np.array_equal(one.items, other.items) and np.array_equal(one.scores, other.scores)


def by_hand(steerer: Steerer, history: list[int], edits: list[Edit]) -> Tensor:
    """Scores (n_items + 1,) of a full forward pass with the edit made by a hook on the edited block."""
    move = sum(e.strength * steerer.units[e.latent] * steerer.sae.W_dec[e.latent] for e in edits)

    def hook(module, inputs, output):
        output = output.clone()
        output[:, slice(-1, None) if steerer.position == "last" else slice(None)] += move
        return output

    handle = steerer.model.blocks[steerer.layer - 1].register_forward_hook(hook)
    items = torch.tensor([history[-steerer.model.max_length :]])
    scores = steerer.model.scores(steerer.model(items)[0, -1])
    handle.remove()
    scores[torch.tensor(history)] = -torch.inf
    return scores


def test_strength_zero_is_the_plain_model_bit_for_bit(steerer, histories):
    for history in histories:
        plain = steerer.recommend(history)
        assert same(plain, steerer.recommend(history, [Edit(3, 0.0), Edit(5, -0.0)]))
        before, after = steerer.compare(history, [Edit(3, 0.0)])
        assert same(before, after)
        assert np.array_equal(before.items, plain.items)
        swept = steerer.grid(history, [Edit(3, 9.0)], 0, [0.0, 3.0, 0.0])
        assert same(swept[0], swept[2])
        assert np.array_equal(swept[0].items, plain.items)
        moved = steerer.displacement(EDITS)
        rows = steerer.scores(history, torch.stack([moved, 0 * moved, -moved]))
        assert torch.equal(rows[0], rows[2])


def test_any_model_of_the_protocol_is_steered(steerer, histories, bare):
    other = Steerer(bare(steerer.model), steerer.sae, steerer.layer, steerer.units.numpy(), steerer.position)
    for history in histories:
        plain, usual = other.recommend(history), steerer.recommend(history)
        assert np.array_equal(plain.items, usual.items) and np.allclose(plain.scores, usual.scores, atol=1e-5)
        pairs = zip(other.compare(history, EDITS), steerer.compare(history, EDITS), strict=True)
        assert all(same(one, two) for one, two in pairs)


def test_a_reversed_view_of_a_history_is_a_history(steerer):
    history = np.array([5, 17, 31, 9])
    pairs = zip(steerer.compare(history[::-1], EDITS), steerer.compare([9, 31, 17, 5], EDITS), strict=True)
    assert all(same(one, two) for one, two in pairs)


def test_edits_are_what_a_hook_computes(steerer, histories):
    for history in histories:
        expected = by_hand(steerer, history, EDITS)
        found = steerer.recommend(history, EDITS, k=40)
        assert np.allclose(found.scores, expected[found.items].numpy(), atol=1e-5)
        assert set(found.items) == set(torch.nonzero(expected.isfinite()).ravel().tolist())


def test_grid_rows_are_recommendations_at_that_strength(steerer, histories):
    strengths = [-6.0, -1.0, 0.0, 0.5, 8.0]
    for history in histories:
        for which in (0, 1):
            rows = steerer.grid(history, EDITS, which, strengths)
            for strength, row in zip(strengths, rows, strict=True):
                edits = [Edit(e.latent, strength) if n == which else e for n, e in enumerate(EDITS)]
                one = steerer.recommend(history, edits)
                assert np.array_equal(one.items, row.items)
                assert np.allclose(one.scores, row.scores, atol=1e-5)


def test_order_of_edits_does_not_matter(steerer, histories):
    one, other = steerer.recommend(histories[2], EDITS), steerer.recommend(histories[2], EDITS[::-1])
    assert np.array_equal(one.items, other.items)
    assert np.allclose(one.scores, other.scores, atol=1e-6)


def test_the_whole_history_is_filtered_and_only_the_window_is_read(steerer):
    history = list(range(1, 31))
    assert not set(steerer.recommend(history, EDITS, k=40).items) & set(history)
    short = steerer.recommend(history[-12:], EDITS, k=40)
    long = steerer.recommend(history, EDITS, k=40)
    assert np.array_equal(long.items, [i for i in short.items if i > 30])


def test_a_list_longer_than_the_catalogue_holds_every_item_that_is_left(steerer, histories):
    for history in histories:
        ranking = steerer.recommend(history, EDITS, k=10 * steerer.model.n_items)
        assert sorted(ranking.items) == sorted(set(range(1, steerer.model.n_items + 1)) - set(history))
        assert np.isfinite(ranking.scores).all()


def test_ties_go_to_the_lower_item(model, sae, units):
    flat = copy.deepcopy(model)
    for parameter in (flat.items.weight, flat.bias):
        torch.nn.init.zeros_(parameter)
    flat = Steerer(flat, sae, 1, units)
    assert flat.recommend([2, 4], k=3).items.tolist() == [1, 3, 5]
    assert flat.recommend([2, 4], k=100).items.tolist() == [1, 3, *range(5, 41)]


def test_a_latent_without_a_unit_changes_nothing(model, sae, units):
    steerer = Steerer(model, sae, 1, np.where(np.arange(32) == 3, np.nan, units))
    assert same(*steerer.compare([1, 2], [Edit(3, 50.0)]))


@pytest.mark.parametrize("history", [[], [0], [41], [-1], [1.5], ["a"], [float("nan")], [[1, 2]]])
def test_histories_that_cannot_be_read_are_refused(steerer, history):
    with pytest.raises(UserError, match=r"add|give|remove"):
        steerer.recommend(history)


@pytest.mark.parametrize("edit", [Edit(32, 1.0), Edit(3, float("nan")), Edit(3, 1e6)])
def test_edits_that_cannot_be_made_are_refused(steerer, edit):
    for call in (steerer.recommend, steerer.compare):
        with pytest.raises(UserError):
            call([1, 2], [edit])
    with pytest.raises(UserError):
        steerer.grid([1, 2], EDITS, 0, [float("inf")])
    with pytest.raises(UserError):
        steerer.grid([1, 2], EDITS, 2, [1.0])


def test_moves():
    before = Ranking(np.array([5, 6, 7, 8]), np.array([4.0, 3.0, 2.0, 1.0], np.float32))
    after = Ranking(np.array([6, 5, 8, 7]), np.array([9.0, 4.0, 3.0, 2.0], np.float32))
    table = moves(before, after, k=3)
    assert table["item"].tolist() == [6, 5, 8, 7]
    assert table["status"].tolist() == ["up", "down", "new", "dropped"]
    assert table["old_rank"].tolist() == [2, 1, 4, 3]
    assert table["new_rank"].tolist() == [1, 2, 3, 4]
    assert table["score_change"].tolist() == [6.0, 0.0, 2.0, 0.0]
    short = moves(Ranking(before.items[:3], before.scores[:3]), after, k=3)
    assert short.loc[2, ["old_rank", "score_change"]].tolist() == [pd.NA, pd.NA]
