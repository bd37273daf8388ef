"""Edits by taste: the factor against its formula, each user by their own history, and 0 still the identity."""

import numpy as np
import pytest
import torch

from seqsae_core.errors import UserError
from seqsae_core.recommender.recommend import hidden_of
from seqsae_core.steering.edits import Edit, ablate, check, linear, set_to
from seqsae_core.steering.evaluation import collect_contexts, lists_under
from seqsae_core.steering.notation import format_edits, from_json, parse, to_json
from seqsae_core.steering.reasons import what_would_raise, why
from seqsae_core.steering.steerer import Steerer
from seqsae_core.steering.taste import LEAST, MOST, affinity, mean_codes

CONCEPT = ((3, 1.0), (17, -0.5))
BY_TASTE = [Edit(CONCEPT, 2.0, kind, by_taste=True) for kind in ("add", "scale", "mass")]


@pytest.fixture(params=["last", "all", "from -2"])
def steerer(request, model, sae, units) -> Steerer:
    return Steerer(model, sae, 1, units, request.param, np.linspace(0.05, 0.4, sae.latents))


def test_the_factor_is_least_without_it_one_at_the_usual_amount_and_rises_below_its_limit():
    units, usual = torch.tensor([2.0, 1.0, 0.5]), torch.tensor([0.4, 0.3, 0.1])
    edit = Edit(((0, 1.0), (2, -0.5)), 1.0, by_taste=True)
    amounts = torch.tensor([0.0, 0.5, 1.0, 2.0, 1e6])
    found = affinity(amounts[:, None] * usual, edit, units, usual)
    assert found.tolist() == pytest.approx([LEAST, LEAST + 1 / 3, 1.0, LEAST + 2 / 3, MOST], abs=1e-5)
    other = affinity(torch.tensor([[0.8, 99.0, 0.0]]), edit, units, usual)
    assert float(other) == pytest.approx(LEAST + 0.4 / (0.4 + 0.2 + 0.1))
    silent = Edit(0, 1.0, by_taste=True)
    assert affinity(torch.tensor([[0.0], [1.0]]), silent, torch.zeros(1), torch.zeros(1)).tolist() == [LEAST, LEAST]


def test_mean_codes_leave_out_padding_and_mask_tokens(steerer, histories):
    items = torch.zeros(2, 12, dtype=torch.long)
    items[0, -2:], items[1] = torch.tensor(histories[1]), torch.tensor(histories[3])
    together = mean_codes(steerer.sae, steerer.model.hidden(items, 1))
    for row, history in zip(together, (histories[1], histories[3]), strict=True):
        hidden = hidden_of(steerer.model, history, 1)
        there = hidden.item_at[0] > 0
        assert torch.allclose(row, steerer.sae.encode(hidden.activations)[0, there].mean(0), atol=1e-5)


@pytest.mark.parametrize("edit", BY_TASTE, ids=lambda edit: edit.kind)
def test_an_edit_by_taste_is_the_same_edit_at_the_users_own_strength(steerer, histories, edit):
    for history in histories:
        means = mean_codes(steerer.sae, hidden_of(steerer.model, history, 1))
        factor = float(affinity(means, edit, steerer.units, steerer.usual))
        assert LEAST <= factor < MOST
        alike = Edit(edit.latent, factor * edit.strength, edit.kind)
        own, same = (steerer.scores(history, steerer.variants([one]))[1, 1:] for one in (edit, alike))
        assert torch.allclose(own, same, atol=2e-4)


@pytest.mark.parametrize("edit", BY_TASTE, ids=lambda edit: edit.kind)
def test_strength_zero_by_taste_is_the_plain_model_bit_for_bit(steerer, histories, edit):
    for history in histories:
        still, plain = steerer.grid(history, [edit], 0, [0.0])[0], steerer.recommend(history)
        assert np.array_equal(still.items, plain.items)
        same = steerer.recommend(history, [Edit(edit.latent, 0.0, edit.kind, by_taste=True)])
        assert np.array_equal(same.scores, plain.scores)
        before, after = steerer.compare(history, [Edit(edit.latent, 0.0, edit.kind, by_taste=True)])
        assert np.array_equal(before.scores, after.scores)


def test_a_batch_of_users_is_edited_as_each_alone(steerer, toy_sequences):
    users = np.array([u for u in range(40) if toy_sequences.of(u)[-1] not in toy_sequences.of(u)[:-1]][:6])
    ends = np.array([len(toy_sequences.of(user)) - 1 for user in users])
    contexts = collect_contexts(steerer.model, 1, toy_sequences, users, ends)
    found = lists_under(contexts, steerer.sweep(BY_TASTE, 0, [0.0, 3.0]), steerer.position)
    for place, (user, end) in enumerate(zip(users, ends, strict=True)):
        history = toy_sequences.of(user)[:end]
        alone = steerer.grid(history, BY_TASTE, 0, [0.0, 3.0])
        for row, one in zip(found.items[place], alone, strict=True):
            assert row[: len(one.items)].tolist() == one.items.tolist()


def test_only_kinds_with_a_free_strength_can_be_by_taste(steerer, histories):
    for edit in (Edit(3, 1.0, "ablate", 0.0, 0.0, True), Edit(3, 1.0, "set", 2.0, 2.0, True)):
        with pytest.raises(UserError, match="only add, scale and mass"):
            check([edit], 32)
    assert not linear(BY_TASTE[:1]) and linear([Edit(3, 1.0)])
    with pytest.raises(ValueError, match="usual"):
        Steerer(steerer.model, steerer.sae, 1, steerer.units.numpy()).recommend(histories[2], BY_TASTE)


def test_reasons_know_edits_by_taste(steerer, histories):
    item = int(steerer.recommend(histories[2], BY_TASTE[:1]).items[0])
    factor = float(affinity(mean_codes(steerer.sae, hidden_of(steerer.model, histories[2], 1)), BY_TASTE[0],
                            steerer.units, steerer.usual))  # fmt: skip
    alike = [Edit(CONCEPT, 2.0 * factor)]
    assert why(steerer, histories[2], item, BY_TASTE[:1]).score == pytest.approx(
        why(steerer, histories[2], item, alike).score, abs=1e-3
    )
    found, same = (what_would_raise(steerer, histories[2], item, edits=e) for e in (BY_TASTE[:1], alike))
    assert found["latent"].tolist() == same["latent"].tolist()


def test_taste_is_written_and_read():
    edits = (*BY_TASTE, Edit(4, -1.5, by_taste=True), Edit(5, 2.0), ablate(6), set_to(7, 1.0))
    assert format_edits(edits[3:]) == "4:-1.5*taste,5:2.0,6:ablate,7:set=1.0"
    assert parse(format_edits(edits)) == edits == parse(format_edits(edits).replace("*taste", " *taste"))
    assert from_json(to_json(edits, "f"), "f", 32) == edits
    with pytest.raises(UserError, match="only add, scale and mass"):
        check(parse("3:ablate*taste"), 32)
    for text in ("3:*taste", "3*taste:1", "3:taste", "3:1*taste*taste"):
        with pytest.raises(UserError, match="write"):
            parse(text)
    with pytest.raises(UserError, match="neither true nor false"):
        from_json(to_json(edits, "f").replace('"by_taste": true', '"by_taste": 1'), "f", 32)
