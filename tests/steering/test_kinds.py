"""Recommendations under every kind of edit: bitwise identity at 0, and each against encode, edit, decode by hand."""

import copy
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from seqsae_core.errors import UserError
from seqsae_core.recommender.recommend import Ranking, hidden_of
from seqsae_core.steering.algebra import Variants, changes
from seqsae_core.steering.displacement import displaced_states, positions
from seqsae_core.steering.edits import KINDS, TOWARDS, WHOLE, Edit, ablate, clamp, set_to
from seqsae_core.steering.evaluation import collect_contexts, lists_under
from seqsae_core.steering.steerer import Steerer

CONCEPT = ((3, 1.0), (17, 0.5), (5, 0.25))
LEVELS = {"set": (3.0, 3.0), "clamp": (2.0, 4.0), "ablate": (0.0, 0.0)}
MIXED = [Edit(3, 1.5), set_to(17, 2.0), Edit(CONCEPT, -0.5, "mass"), clamp(8, high=0.5), ablate(((9, 1.0), (4, 1.0)))]


@pytest.fixture(params=["last", "all", "from 3", "from -2"])
def steerer(request, model, sae, units) -> Steerer:
    return Steerer(model, sae, 1, units, request.param)


def of_kind(kind: str, latent=3, strength: float = 2.0) -> Edit:
    return Edit(latent, strength, kind, *LEVELS.get(kind, (-math.inf, math.inf)))


def same(one: Ranking, other: Ranking) -> bool:
    return np.array_equal(one.items, other.items) and np.array_equal(one.scores, other.scores)


def where(position: str, length: int, tokens: int) -> slice:
    """The positions that an edit touches in a history without padding, counted by hand."""
    if position in ("last", "all"):
        return slice(-1, None) if position == "last" else slice(None)
    start = int(position.split()[1])
    first = start - 1 if start > 0 else length + start
    return slice(max(0, min(first, length + tokens - 1)), None)


def by_hand(steerer: Steerer, history: list[int], edits: list[Edit]) -> Tensor:
    """Scores (n_items + 1,) of a full pass in which each touched activation becomes error + decoded edited codes."""

    def hook(module, inputs, output):
        rows = where(steerer.position, len(history[-12:]), steerer.model.mask_tokens)
        x = output[0, rows].double()
        sae = steerer.sae
        codes = sae.encode(output[0, rows]).double()
        error = x - (codes @ sae.W_dec.double() + sae.b_dec.double())
        own = torch.tensor([[edit.strength] for edit in edits])
        change = changes(codes[None].float(), torch.arange(sae.latents), edits, own, steerer.units)[0, 0].double()
        output = output.clone()
        output[0, rows] = ((codes + change) @ sae.W_dec.double() + sae.b_dec.double() + error).float()
        return output

    handle = steerer.model.blocks[steerer.layer - 1].register_forward_hook(hook)
    scores = steerer.model.scores(steerer.model(torch.tensor([history[-12:]]))[0, -1])
    handle.remove()
    return scores


def test_nothing_moves_where_the_steerer_does_not_edit(steerer, histories):
    for history in histories:
        hidden = hidden_of(steerer.model, history, steerer.layer)
        moved = steerer.variants(MIXED).of(hidden, steerer.position)
        assert moved.any()
        if steerer.position != "last":
            assert not moved[:, :, ~positions(hidden, steerer.position)[0]].any()


@pytest.mark.parametrize("latent", [3, CONCEPT], ids=["latent", "concept"])
@pytest.mark.parametrize("kind", KINDS)
def test_strength_zero_is_the_plain_model_bit_for_bit_for_every_kind(steerer, histories, kind, latent):
    for history in histories:
        still = [of_kind(kind, latent, 0.0)]
        plain = steerer.recommend(history)
        assert same(plain, steerer.recommend(history, still))
        before, after = steerer.compare(history, still)
        assert same(before, after)
        assert np.array_equal(before.items, plain.items)
        swept = steerer.grid(history, [of_kind(kind, latent)], 0, [0.0, 3.0, 0.0])
        assert same(swept[0], swept[2])
        assert np.array_equal(swept[0].items, plain.items)


def test_an_edit_that_finds_nothing_to_move_is_the_plain_model_bit_for_bit(steerer, histories):
    for history in histories:
        hidden = hidden_of(steerer.model, history, 1)
        codes = steerer.sae.encode(hidden.activations)
        silent = int((codes.flatten(0, 1).amax(0) == 0).nonzero()[0])
        for edit in (ablate(silent), Edit(silent, 3.0, "scale"), clamp(silent, 0.0, 9.0), Edit(silent, -3.0, "mass")):
            assert same(steerer.recommend(history, [edit]), steerer.recommend(history))
            assert same(*steerer.compare(history, [edit]))


@pytest.mark.parametrize("kind", KINDS)
def test_states_of_a_batch_with_padding_are_bitwise_those_unedited_at_strength_zero(steerer, histories, kind):
    items = torch.zeros(len(histories), 12, dtype=torch.long)
    for row, history in zip(items, histories, strict=True):
        row[-len(history[-12:]) :] = torch.tensor(history[-12:])
    hidden = steerer.model.hidden(items, 1)
    variants = Variants(steerer.sae, steerer.units, (of_kind(kind, CONCEPT),), torch.zeros(1, 2))
    moved = variants.of(hidden, steerer.position)
    assert not moved.any()
    found = displaced_states(steerer.model, hidden, 1, moved, steerer.position)
    plain = displaced_states(steerer.model, hidden, 1, torch.zeros(2, steerer.model.width), steerer.position)
    assert torch.equal(found, plain)


@pytest.mark.parametrize("edits", [[of_kind(k)] for k in KINDS] + [[of_kind(k, CONCEPT)] for k in KINDS] + [MIXED])
def test_edits_are_encode_edit_decode_with_the_error_left_in(steerer, histories, edits):
    for history in histories:
        expected = by_hand(steerer, history, edits)
        found = steerer.scores(history, steerer.variants(edits))[1]
        assert torch.allclose(found[1:], expected[1:], atol=2e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_encode_edit_decode_error_is_below_one_in_a_million(model, sae, units, kind):
    hidden = model.hidden(torch.randint(1, 41, (20, 12), generator=torch.Generator().manual_seed(0)), 1)
    steerer = Steerer(model, sae, 1, units)
    codes = sae.encode(hidden.activations)
    some = codes.flatten(0, 1).sum(0).topk(3).indices.tolist()
    edit = of_kind(kind, tuple(zip(some, (1.0, 0.5, 0.25), strict=True)), 4.0)
    own = torch.tensor([[edit.strength]])
    moved = hidden.activations + Variants(sae, steerer.units, (edit,), own).of(hidden, "all")[:, 0]
    edited = codes + changes(codes, torch.arange(sae.latents), [edit], own, steerer.units)[:, 0]
    exact = hidden.activations.double() + (edited.double() - codes.double()) @ sae.W_dec.double()
    error = (moved - exact).norm(dim=-1) / exact.norm(dim=-1)
    assert error.max() <= 1e-6
    assert not torch.equal(moved, hidden.activations)


def test_grid_rows_are_recommendations_at_that_strength(steerer, histories):
    for history in histories[2:5]:
        for which, edit in enumerate(MIXED):
            strengths = [0.0, 0.5, 8.0] if edit.kind in TOWARDS else [-2.0, 0.0, 8.0]
            rows = steerer.grid(history, MIXED, which, strengths)
            for strength, row in zip(strengths, rows, strict=True):
                edits = [replace(e, strength=strength) if n == which else e for n, e in enumerate(MIXED)]
                assert np.allclose(steerer.recommend(history, edits).scores, row.scores, atol=1e-5)


def test_a_concept_that_is_added_is_its_latents_added(steerer, histories):
    each = [Edit(latent, 2.0 * weight) for latent, weight in CONCEPT]
    for history in histories:
        one, other = steerer.recommend(history, [Edit(CONCEPT, 2.0)]), steerer.recommend(history, each)
        assert np.allclose(one.scores, other.scores, atol=1e-6)


@pytest.mark.parametrize("position", ["last", "all", "from 3", "from -2", "from 400000", "from -400000"])
def test_positions_touch_no_padding_and_always_the_last(model, position):
    items = torch.tensor([[0, 0, 0, 7, 8], [1, 2, 3, 4, 5], [0, 0, 0, 0, 9]])
    hidden = model.hidden(items, 1)
    found = positions(hidden, position)
    assert found[:, -1].all()
    for row, history in zip(found, ([7, 8], [1, 2, 3, 4, 5], [9]), strict=True):
        real = len(history) + model.mask_tokens
        expected = torch.zeros(real, dtype=torch.bool)
        expected[where(position, len(history), model.mask_tokens)] = True
        assert row[-real:].tolist() == expected.tolist()
        assert not row[:-real].any()


@pytest.mark.parametrize("position", ["first", "from", "from 0", "from -0", "from 1.5", "from 1 ", "", "LAST"])
def test_unknown_positions_are_refused(model, sae, units, position):
    with pytest.raises(UserError, match="Choose one of: last, all, from N"):
        Steerer(model, sae, 1, units).at(position)


def test_another_position_leaves_the_steerer_alone(model, sae, units, histories):
    one = Steerer(model, sae, 1, units, "last")
    other = one.at("all")
    assert (one.position, other.position) == ("last", "all")
    made = Steerer(model, sae, 1, units, "all")
    assert same(other.recommend(histories[3], MIXED), made.recommend(histories[3], MIXED))


def test_edits_that_contradict_or_go_backwards_are_refused(model, sae, units):
    steerer = Steerer(model, sae, 1, units)
    with pytest.raises(UserError, match="contradict"):
        steerer.recommend([1, 2], [set_to(3, 1.0), set_to(3, 2.0)])
    with pytest.raises(UserError, match="may move at most"):
        steerer.grid([1, 2], [ablate(3)], 0, [1.0, -1.0])
    with pytest.raises(ValueError, match="add"):
        steerer.displacement([ablate(3)])
    assert len(steerer.grid([1, 2], [ablate(3)], 0, [0.0, WHOLE])) == 2


@pytest.mark.parametrize("position", ["last", "all", "from -2"])
def test_lists_of_many_users_are_those_of_each_alone(toy_model, toy_sequences, sae, units, position):
    users = np.arange(len(toy_sequences))
    contexts = collect_contexts(toy_model, 1, toy_sequences, users, toy_sequences.lengths - 1, batch_size=9)
    steerer = Steerer(toy_model, sae, 1, units, position)
    lists = lists_under(contexts, steerer.sweep(MIXED, 0, [0.0, 2.0]), position)
    for user in users:
        known, target = toy_sequences.of(user)[:-1], toy_sequences.of(user)[-1]
        rows = steerer.scores(known, steerer.sweep(MIXED, 0, [0.0, 2.0])).clone()[1:]
        rows[:, np.setdiff1d(known, target)] = -torch.inf
        for row, items in zip(rows, lists.items[user], strict=True):
            left = items[items > 0]
            assert torch.allclose(row[left], row.topk(len(left)).values, atol=1e-5)


def test_a_fingerprint_is_of_the_weights(sae, model, units):
    one, other = Steerer(model, sae, 1, units), Steerer(model, copy.deepcopy(sae), 2, units)
    assert one.fingerprint == other.fingerprint
    other.sae.W_dec[0, 0] += 1e-6
    assert one.fingerprint != other.fingerprint
    assert len(one.fingerprint) == 16
