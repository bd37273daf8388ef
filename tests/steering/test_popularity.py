"""The popularity dials: which way they turn, what lists they give, and their figures by hand."""

import numpy as np
import pytest
import torch

from seqsae_core.errors import UserError
from seqsae_core.steering.edits import Edit
from seqsae_core.steering.evaluation import collect_contexts
from seqsae_core.steering.popularity import LAMBDAS as GRID
from seqsae_core.steering.popularity import for_one, log_popularity, measure_dial, popularity_edit, tilted
from seqsae_core.steering.steerer import Steerer

STRENGTHS, LAMBDAS = [-2.0, 2.0], [-1.0, 0.5, 1e6]
USERS = range(24)


@pytest.fixture(params=["last", "all"])
def steerer(request, toy_model, sae, units) -> Steerer:
    return Steerer(toy_model, sae, 1, units, request.param)


@pytest.fixture
def contexts(toy_model, toy_sequences):
    users = np.array(USERS)
    return collect_contexts(toy_model, 1, toy_sequences, users, toy_sequences.lengths[users] - 1, batch_size=9)


@pytest.fixture
def counts(toy_sequences) -> np.ndarray:
    return np.bincount(toy_sequences.items, minlength=toy_sequences.n_items + 1)[1:]


def expected_popularity(steerer, sequences, counts, edits) -> float:
    """Mean over users of Σ p · log count, each asked alone."""
    found = []
    for user in USERS:
        scores = steerer.scores(sequences.of(user)[:-1], steerer.variants(edits))[1].clone()
        found.append(float(scores.softmax(0) @ torch.from_numpy(log_popularity(counts))))
    return float(np.mean(found))


def test_each_latents_slope_is_the_real_change_by_a_small_step(steerer, toy_sequences, contexts, counts):
    edit = popularity_edit(steerer, contexts, log_popularity(counts), count=3)
    plain = expected_popularity(steerer, toy_sequences, counts, [])
    step = 0.02
    real = [expected_popularity(steerer, toy_sequences, counts, [Edit(n, step)]) - plain for n in edit.latents]
    weights = [w for _, w in edit.parts]
    assert max(map(abs, weights)) == abs(weights[0]) == 1
    assert np.allclose(np.array(real) / abs(real[0]), weights, atol=0.1)
    others = [expected_popularity(steerer, toy_sequences, counts, [Edit(n, step)]) - plain for n in range(32)]
    assert np.argmax(np.abs(others)) == edit.latents[0]


def test_positive_strengths_are_more_mainstream_on_both_dials(steerer, toy_sequences, contexts, counts):
    edit = popularity_edit(steerer, contexts, log_popularity(counts))
    low, plain, high = (
        expected_popularity(steerer, toy_sequences, counts, [Edit(edit.latent, s)]) for s in (-0.5, 0.0, 0.5)
    )
    assert low < plain < high
    novelty = measure_dial(steerer, contexts, edit, counts, STRENGTHS, LAMBDAS).table.set_index(["method", "strength"])
    of_score = novelty.loc["log_popularity", "novelty@10"]
    assert of_score[-1.0] > of_score[0.0] > of_score[0.5] > of_score[1e6]


def test_figures_and_lists_are_those_of_each_user_alone(steerer, toy_sequences, contexts, counts):
    edit = popularity_edit(steerer, contexts, log_popularity(counts))
    dial = measure_dial(steerer, contexts, edit, counts, STRENGTHS, LAMBDAS)
    assert dial.table["method"].tolist() == ["latents"] * 3 + ["log_popularity"] * 4
    assert dial.table["strength"].tolist() == [0.0, *STRENGTHS, 0.0, *LAMBDAS]
    weights, log_counts = [0.0, *LAMBDAS], log_popularity(counts)
    for user in USERS:
        known, target = toy_sequences.of(user)[:-1], toy_sequences.of(user)[-1]
        if target in known:
            continue
        for place, strength in enumerate([0.0, *STRENGTHS]):
            items = steerer.recommend(known, [Edit(edit.latent, strength)]).items
            listed = dial.lists["latents"].items[user, place]
            assert np.array_equal(listed[listed > 0], items)
        for place, weight in enumerate(weights):
            listed = dial.lists["log_popularity"].items[user, place]
            assert set(listed[listed > 0]) == set(tilted(steerer, known, log_counts, weight).items) or weight > 1e5
    for name, rows in dial.table.groupby("method", sort=False):
        lists = dial.lists[name].items
        assert np.array_equal(lists[:, 0], dial.lists["latents"].items[:, 0])
        for place, row in enumerate(rows.to_dict("records")):
            listed = lists[:, place][lists[:, place] > 0]
            assert row["coverage@10"] == len(set(listed)) / len(counts)
            assert row["novelty@10"] == pytest.approx(-np.log2(counts[listed - 1] / counts.sum()).mean())
            new = [len(set(a[a > 0]) - set(b[b > 0])) for a, b in zip(lists[:, place], lists[:, 0], strict=True)]
            assert row["replaced@10"] == pytest.approx(np.mean(new))
            shown = np.bincount(listed, minlength=len(counts) + 1)[1:]
            assert row["gini@10"] == pytest.approx(np.abs(shown[:, None] - shown).mean() / (2 * shown.mean()))


def test_a_weight_of_zero_is_the_plain_list(steerer, toy_sequences, counts):
    known = toy_sequences.of(0)[:-1]
    assert np.array_equal(
        tilted(steerer, known, log_popularity(counts), 0.0).items, steerer.recommend(known).items
    )


def test_for_one_history_the_term_whose_list_is_about_as_popular_stands_beside(
    steerer, toy_sequences, contexts, counts
):
    known, logs = toy_sequences.of(0)[:-1], log_popularity(counts)
    edit = popularity_edit(steerer, contexts, logs, -2.0)
    table = for_one(steerer, known, [edit], logs).set_index("method")
    plain, steered = steerer.recommend(known), steerer.recommend(known, [edit])
    assert table.at["plain", "items"] == plain.items.tolist() and table.at["plain", "replaced"] == 0
    assert table.at["latents", "items"] == steered.items.tolist()
    assert table.at["plain", "probability_kept"] == pytest.approx(1)
    weight, wanted = table.at["log_popularity", "weight"], logs[steered.items].mean()
    tilt = tilted(steerer, known, logs, weight)
    assert set(table.at["log_popularity", "items"]) == set(tilt.items)
    gaps = {w: abs(logs[tilted(steerer, known, logs, w).items].mean() - wanted) for w in GRID}
    assert gaps[weight] == pytest.approx(min(gaps.values()), abs=1e-6)


def test_changes_of_ndcg_come_with_intervals(steerer, contexts, counts):
    edit = popularity_edit(steerer, contexts, log_popularity(counts))
    table = measure_dial(steerer, contexts, edit, counts, STRENGTHS, LAMBDAS).table
    own = table["ndcg@10"] / table.groupby("method")["ndcg@10"].transform("first") - 1
    assert table["ndcg_change"].to_numpy() == pytest.approx(own.to_numpy())
    assert (table["ndcg_change_low"] <= table["ndcg_change_high"]).all()
    assert (table.loc[table["strength"] == 0, ["ndcg_change_low", "ndcg_change_high"]] == 0).all().all()


def test_items_without_events_count_as_one_event():
    assert np.allclose(log_popularity(np.array([0, 1, 10])), [0, 0, 0, np.log(10)])


def test_a_dictionary_without_units_has_no_dial(toy_model, sae, contexts, counts):
    with pytest.raises(UserError, match="use a dictionary"):
        popularity_edit(Steerer(toy_model, sae, 1, np.zeros(32)), contexts, log_popularity(counts))
