"""Reasons of a recommendation against ablating one thing at a time, and gradients against small real steps."""

import copy

import numpy as np
import pandas as pd
import pytest
import torch

from seqsae_core.errors import UserError
from seqsae_core.recommender.recommend import best
from seqsae_core.steering import reasons
from seqsae_core.steering.algebra import Variants
from seqsae_core.steering.edits import Edit, ablate, set_to
from seqsae_core.steering.steerer import Steerer

LONG, LATENTS = 100, 32


@pytest.fixture(params=["last", "all", "from -2"])
def steerer(request, model, sae, units) -> Steerer:
    return Steerer(model, sae, 1, units, request.param)


def ranked(ranking, item: int) -> tuple[int, float]:
    """Rank and score of an item in a whole ranking."""
    place = int(np.flatnonzero(ranking.items == item)[0])
    return place + 1, float(ranking.scores[place])


def a_candidate(steerer, history) -> int:
    return int(steerer.recommend(history, (), 4).items[3])


def test_latents_are_each_ablated_alone(steerer, histories):
    for history in histories:
        item = a_candidate(steerer, history)
        found = reasons.why(steerer, history, item)
        rank, score = ranked(steerer.recommend(history, (), LONG), item)
        assert (found.item, found.rank) == (item, rank)
        assert found.score == pytest.approx(score, abs=1e-5)
        rows = found.latents.set_index("latent")
        assert (rows["code"] > 0).all()
        for latent in range(LATENTS):
            before, after = steerer.compare(history, [ablate(latent)], LONG)
            if latent not in rows.index:
                assert np.array_equal(before.scores, after.scores)
                continue
            new_rank, new_score = ranked(after, item)
            assert rows["score_change"][latent] == pytest.approx(new_score - ranked(before, item)[1], abs=1e-5)
            assert rows["rank"][latent] == new_rank == rank + rows["rank_change"][latent]
        assert found.latents["score_change"].is_monotonic_increasing


def test_items_are_each_left_out_alone(steerer, histories):
    for history in histories[1:]:
        item = a_candidate(steerer, history)
        found = reasons.why(steerer, history, item)
        read = list(enumerate(history))[-12:]
        assert sorted(found.items["position"]) == [place + 1 for place, _ in read]
        rows = found.items.set_index("position")
        for place, gone in read:
            assert rows["item"][place + 1] == gone
            shorter = history[:place] + history[place + 1 :]
            ranking = steerer.recommend(shorter, (), LONG)
            score = ranked(ranking, item)[1]
            kept = ranking.items[~np.isin(ranking.items, history)]
            assert rows["score_change"][place + 1] == pytest.approx(score - found.score, abs=1e-5)
            assert rows["rank"][place + 1] == 1 + int(np.flatnonzero(kept == item)[0])
            assert rows["rank_change"][place + 1] == rows["rank"][place + 1] - found.rank
        assert found.items["score_change"].is_monotonic_increasing


def test_a_history_of_one_item_has_no_rows_of_items(steerer):
    found = reasons.why(steerer, [7], 9)
    assert found.items.empty
    assert list(found.items) == ["position", "item", "score_change", "rank", "rank_change"]
    assert not found.latents.empty


def test_a_dictionary_that_is_silent_gives_no_rows_of_latents(model, sae, units):
    silent = copy.deepcopy(sae)
    silent.b_enc -= 1e6
    found = reasons.why(Steerer(model, silent, 1, units), [7, 8], 9)
    assert found.latents.empty
    assert len(found.items) == 2


def test_ties_in_rank_go_to_the_lower_item():
    scores = torch.tensor([[-torch.inf, 5.0, 2.0, 2.0, 2.0, 1.0]])
    ranks = [reasons._ranks(scores, item, np.array([1]))[0] for item in (2, 3, 4, 5)]
    assert ranks == [1, 2, 3, 4]


def test_estimates_are_the_limit_of_real_small_steps(steerer, histories):
    for history in histories[2:]:
        item = a_candidate(steerer, history)
        found = reasons.what_would_raise(steerer, history, item, count=LATENTS, strength=1e-2)
        assert np.allclose(found["estimated"], found["lead_change"], atol=5e-4)
        assert (np.abs(found["lead_change"]).max()) > 1e-3


def test_what_is_promised_is_what_adding_the_latent_does(steerer, histories):
    for history in histories:
        item = int(steerer.recommend(history, (), 20).items[-1])
        found = reasons.what_would_raise(steerer, history, item, count=5)
        assert len(found) == 5
        assert found["lead_change"].is_monotonic_decreasing
        for row in found.itertuples():
            assert abs(row.strength) == reasons.STRENGTH
            before, after = steerer.compare(history, [Edit(row.latent, row.strength)], LONG)
            assert (row.rank, row.new_rank) == (ranked(before, item)[0], ranked(after, item)[0])
            rivals = [i for i in before.items if i != item][: reasons.RIVALS]
            leads = [r.scores[r.items == item][0] - r.scores[np.isin(r.items, rivals)].mean() for r in (before, after)]
            assert row.lead_change == pytest.approx(leads[1] - leads[0], abs=1e-4)


def test_no_latent_left_out_has_a_steeper_slope(steerer, histories):
    history, item = histories[3], a_candidate(steerer, histories[3])
    every = reasons.what_would_raise(steerer, history, item, count=LATENTS)
    few = reasons.what_would_raise(steerer, history, item, count=4)
    assert sorted(few["estimated"]) == pytest.approx(sorted(every["estimated"])[-4:])


def test_latents_without_a_unit_raise_nothing(model, sae):
    steerer = Steerer(model, sae, 1, np.zeros(LATENTS))
    found = reasons.what_would_raise(steerer, [1, 2, 3], 9)
    assert found.empty
    assert list(found)[:2] == ["latent", "strength"]


@pytest.mark.parametrize(("history", "item"), [([], 3), ([1], 0), ([1], 41), ([1, 2], 2), ([99], 1)])
def test_what_cannot_be_asked_is_refused(steerer, history, item):
    for ask in (reasons.why, reasons.what_would_raise):
        with pytest.raises(UserError, match=r"add|choose|remove"):
            ask(steerer, history, item)


@pytest.mark.parametrize("strength", [0.0, -1.0, float("nan"), 1e9])
def test_strengths_that_show_nothing_are_refused(steerer, strength):
    with pytest.raises(UserError, match="give"):
        reasons.what_would_raise(steerer, [1, 2], 9, strength=strength)


def test_tables_are_typed(steerer, histories):
    found = reasons.why(steerer, histories[3], a_candidate(steerer, histories[3]))
    for table in (found.latents, found.items):
        assert {str(t) for t in table.dtypes} <= {"int64", "float32", "float64"}
        assert isinstance(table, pd.DataFrame)


EDITED = [Edit(3, 2.0), set_to(9, 1.0), Edit(((17, 1.0), (4, 0.5)), 1.5, "mass")]


def test_reasons_of_a_steered_list_are_those_under_its_edits(steerer, histories):
    for history in histories[1:5]:
        item = int(steerer.recommend(history, EDITED, 4).items[3])
        found = reasons.why(steerer, history, item, EDITED)
        rank, score = ranked(steerer.recommend(history, EDITED, LONG), item)
        assert found.rank == rank
        assert found.score == pytest.approx(score, abs=1e-5)
        rows = found.latents.set_index("latent")
        for latent in rows.index:
            gone = Variants(steerer.sae, steerer.units, (*EDITED, ablate(int(latent))), strengths_of(EDITED, [np.inf]))
            after = best(steerer.scores(history, gone), history, LONG)[1]
            new = rows["rank"][latent], rows["score_change"][latent] + score
            assert new == pytest.approx(ranked(after, item), abs=1e-4)
        items = found.items.set_index("position")
        for place, _ in list(enumerate(history))[-12:]:
            shorter = history[:place] + history[place + 1 :]
            new = ranked(steerer.recommend(shorter, EDITED, LONG), item)[1]
            assert items["score_change"][place + 1] == pytest.approx(new - score, abs=1e-4)


def test_what_raises_an_item_of_a_steered_list_comes_after_its_edits(steerer, histories):
    history = histories[3]
    item = int(steerer.recommend(history, EDITED, 20).items[-1])
    found = reasons.what_would_raise(steerer, history, item, count=5, edits=EDITED)
    small = reasons.what_would_raise(steerer, history, item, count=5, strength=1e-2, edits=EDITED)
    assert np.allclose(small["estimated"], small["lead_change"], atol=5e-4)
    for row in found.itertuples():
        after = steerer.recommend(history, [*EDITED, Edit(row.latent, row.strength)], LONG)
        assert row.rank == ranked(steerer.recommend(history, EDITED, LONG), item)[0]
        assert row.new_rank == ranked(after, item)[0]


def test_edits_that_cannot_be_made_have_no_reasons(steerer):
    for ask in (reasons.why, reasons.what_would_raise):
        with pytest.raises(UserError, match="no latent 99"):
            ask(steerer, [1, 2], 9, edits=[Edit(99, 1.0)])


def strengths_of(edits, more) -> torch.Tensor:
    return torch.tensor([[float(s)] for s in (*(edit.strength for edit in edits), *more)])
