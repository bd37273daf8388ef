"""Curves, quoted figures, effects and the measurement of hand-made edits, on a small world."""

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch

from seqsae_core.config import SaeConfig, SteeringConfig
from seqsae_core.data.concepts import ConceptTable
from seqsae_core.data.sequences import FIT, SELECT, Sequences, make_split
from seqsae_core.recommender.transformer import SASRec
from seqsae_core.sae.activations import collect
from seqsae_core.sae.autoencoders import make
from seqsae_core.steering import tradeoff
from seqsae_core.steering.directions import DESIGNS, METHODS, Dictionary, Direction, weighted_direction
from seqsae_core.steering.edits import Edit
from seqsae_core.steering.effects import MIN_COUNT, measure_effects
from seqsae_core.steering.evaluation import Lists, lists_under
from seqsae_core.steering.labels import draw_labels
from seqsae_core.steering.segments import COLUMNS as SEGMENT_COLUMNS
from seqsae_core.steering.segments import FEWEST, SEGMENTS, cut_point, history_shares, segment_of
from seqsae_core.steering.steerer import Steerer
from seqsae_core.steering.summary import summarise
from seqsae_core.steering.sureness import factor, sureness

ITEMS, LATENTS = 60, 16
CONFIG = SteeringConfig(concepts=2, users=20, latents_per_concept=3, effect_histories=20)


@pytest.fixture(scope="module")
def world() -> SimpleNamespace:
    """200 users over 60 items, a random model and dictionary, three genres of 20, 15 and 12 items, one of none."""
    rng, _ = np.random.default_rng(0), torch.manual_seed(0)
    sizes = rng.integers(4, 20, 200)
    items = np.concatenate([1 + rng.permutation(ITEMS)[:size] for size in sizes]).astype(np.int32)
    sequences = Sequences(np.arange(200), items, np.concatenate([[0], sizes.cumsum()]), None, ITEMS)
    model = SASRec(ITEMS, 8, blocks=2, heads=2, max_length=12).eval().requires_grad_(False)
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.4)
    sae = make(SaeConfig(latents=LATENTS, k=4), 8).requires_grad_(False)
    values = np.zeros((ITEMS + 1, 5), np.float32)
    for column, size in enumerate((20, 15, 12)):
        values[1 + rng.permutation(ITEMS)[:size], column] = 1
    values[1:, 4] = 1
    concepts = ConceptTable(("A", "B", "C", "None", "decile"), ("genre",) * 4 + ("popularity",), values)
    split, units = make_split(sequences, "leave-one-out"), rng.uniform(0.3, 1, LATENTS)
    correlation, usual = rng.uniform(-0.2, 0.5, (LATENTS, 5)), rng.uniform(0.05, 0.3, LATENTS)
    dictionary = Dictionary(sae.W_dec, units, correlation, sae, usual)
    return SimpleNamespace(**locals())


@pytest.fixture(scope="module", params=["last", "all"])
def result(request, world):
    fit, select = (
        collect(world.model, world.sequences, world.split, world.split.users(role), 1) for role in (FIT, SELECT)
    )
    config = replace(CONFIG, position=request.param)
    data = world.sequences, world.split, world.concepts
    return tradeoff.run_tradeoff(world.model, 1, world.dictionary, *data, fit, select, config, 0, lambda *_: None)


def test_table_has_every_method_strength_and_split_and_no_gap(result):
    table = result.table
    assert len(table) == 2 * (1 + len(METHODS)) * 17 * 2
    assert not table.isna().any().any()
    figures = table.drop(columns=["latents", "weights", "concept", "method", "design", "split"])
    assert np.isfinite(figures.to_numpy(float)).all()
    assert (table["users"] == 40).all()
    for figure in ("lift", "ndcg_change"):
        assert (table[f"{figure}_low"] <= table[figure] + 1e-9).mean() > 0.95
        assert (table[figure] <= table[f"{figure}_high"] + 1e-9).mean() > 0.95


def test_strength_zero_is_the_same_for_all_methods(result):
    zero = result[0].query("strength == 0")
    assert (zero["lift"] == 1).all()
    assert (zero[["ndcg_change", "ndcg_change_low", "ndcg_change_high"]] == 0).all().all()
    figures = ["share", "ndcg", "hr", "coverage", "gini", "novelty", "diversity"]
    assert (zero.groupby(["concept", "split"])[figures].nunique() == 1).all().all()


def test_summary_is_what_the_table_says(result):
    table, summary = result.table, result.summary
    assert set(summary) == {"latents", *METHODS}
    json.dumps(summary, allow_nan=False)
    assert 0 < summary["latents"]["usual_sureness"] < 1
    for method, figures in summary.items():
        found = []
        for concept in figures["concepts"]:
            rows = table[(table["concept"] == concept) & (table["method"] == method)]
            valid, test = (rows[rows["split"] == s].set_index("strength") for s in ("validation", "test"))
            found.append(test["lift"][valid[valid["ndcg_change"] >= -0.05]["lift"].idxmax()])
        assert figures["share_lift_at_5pct"] == pytest.approx(np.exp(np.mean(np.log(found))))
        low, high = figures["share_lift_at_5pct_ci95"]
        assert low <= figures["share_lift_at_5pct"] <= high


def test_ours_is_the_design_with_the_largest_validated_frontier(result):
    table, summary = result.table, result.summary
    for _, rows in table.groupby("concept"):
        ours = rows[rows["method"] == "latents"]
        (design,) = ours["design"].unique()
        assert design in DESIGNS
        same = rows[rows["method"] == design]
        assert np.array_equal(ours["lift"].to_numpy(), same["lift"].to_numpy())
    for rival, counts in summary["latents"]["against"].items():
        assert counts["ahead"] + counts["tie"] + counts["behind"] == 2, rival
        assert counts["at_least"] >= counts["ahead"]
    assert set(summary["latents"]["by_concept"]) == set(summary["latents"]["concepts"])


def test_what_lowers_a_concept_is_the_design_that_costs_least_on_validation(result):
    summary = result.summary["latents"]["suppression"]
    for concept, rows in result.lowered.groupby("concept"):
        ours = rows[rows["method"] == "latents"]
        (design,) = ours["design"].unique()
        assert design == summary["design"][concept] and design in ("latents_by_gain", "latents_lowered")
        costs = {}
        for method in ("latents_by_gain", "latents_lowered"):
            valid = rows[(rows["method"] == method) & (rows["split"] == "validation")]
            below = valid[valid["lift"] <= 0.1]
            costs[method] = (0, -below["ndcg_change"].iloc[0]) if len(below) else (1, valid["lift"].min())
        assert costs[design] == min(costs.values())
        assert (rows["strength"] <= 0).all() and set(rows["method"]) == {"latents", *costs, "rerank"}


def test_segments_split_the_held_out_users_by_their_histories(world, result):
    users = tradeoff.held_out_users(world.sequences, world.split, 20)
    for concept, rows in result.segments.groupby("concept"):
        labels = world.concepts.values[:, world.concepts.names.index(concept)]
        cut = cut_point(world.sequences, world.split, labels)
        assert (rows["cut"] == cut).all()
        own = segment_of(history_shares(world.sequences, users, world.split.valid_at[users], labels), cut)
        sizes = dict(zip(SEGMENTS, np.bincount(own, minlength=3), strict=True))
        found = rows.groupby("segment")["users"].unique().map(list).to_dict()
        assert found == {name: [size] for name, size in sizes.items() if size >= FEWEST}
        assert (rows[rows["strength"] == 0][["lift", "ndcg_change"]] == [1, 0]).all().all()
    assert len(result.segments)


def test_by_taste_is_each_user_at_their_own_strength(world):
    held_out = tradeoff.hold_out(world.model, 1, world.sequences, world.split, 20, 0, world.dictionary)
    labels, parts = world.concepts.values[:, 0], ((3, 1.0), (5, 0.5))
    rows = weighted_direction(world.dictionary, np.array([3, 5]), np.array([1.0, 0.5]), "latents_by_taste", ITEMS)
    table, _ = tradeoff.steer(held_out, replace(rows, by_taste=True), "A", labels, CONFIG)
    steerer = Steerer(world.model, world.sae, 1, world.units, usual=world.dictionary.usual)
    levels = table["strength"].unique()[1:]
    curve = tradeoff.curve_of(
        steerer, [Edit(parts, 1.0, by_taste=True)], labels, world.sequences, world.split, 40, strengths=levels
    )
    found = table[table["split"] == "validation"]
    assert found["share"].to_numpy() == pytest.approx(curve["share"].to_numpy(), abs=1e-6)
    assert found["ndcg"].to_numpy() == pytest.approx(curve["ndcg"].to_numpy(), abs=1e-6)


def test_sureness_is_of_the_lists_that_users_are_shown(world):
    held_out = tradeoff.hold_out(world.model, 1, world.sequences, world.split, 20, 0)
    contexts = held_out.contexts["validation"]
    steerer = Steerer(world.model, world.sae, 1, world.units)
    for user, found in zip(contexts.users, held_out.sureness["validation"], strict=True):
        begin = world.sequences.offsets[user]
        history = world.sequences.items[begin : begin + world.split.valid_at[user]]
        chances = torch.tensor(steerer.recommend(history, k=ITEMS).scores).softmax(0)[None]
        assert float(found) == pytest.approx(float(sureness(chances)), abs=1e-6)
        own, times = steerer.sureness(history, 0.2)
        assert float(found) == pytest.approx(own, abs=1e-6)
        assert times == pytest.approx(float(factor(found, 0.2)), rel=1e-5)


@pytest.mark.parametrize("boosted", [False, True])
def test_by_sureness_is_each_user_at_their_own_strength(world, boosted):
    held_out = tradeoff.hold_out(world.model, 1, world.sequences, world.split, 20, 0)
    contexts, labels = held_out.contexts["test"], world.concepts.values[:, 0]
    moved = torch.randn(8, generator=torch.Generator().manual_seed(0))
    one = Direction("one", moved * (not boosted), torch.from_numpy(labels) * boosted).by_sureness(0.2)
    factors = held_out.factors("test", one)
    assert factors.unique().numel() > 1
    assert not torch.equal(factors, held_out.factors("validation", one))
    together = lists_under(contexts, one.displacement[None], "last", one.boost[None] if boosted else None, factors)
    alone = lists_under(
        contexts, factors[:, None] * one.displacement, "last", factors[:, None] * one.boost if boosted else None
    )
    own = np.arange(len(factors))
    assert np.array_equal(together.items[:, 0], alone.items[own, own])
    assert np.array_equal(together.ranks[:, 0], alone.ranks[own, own])


def test_with_few_labels_choices_see_no_other_label(world):
    held_out = tradeoff.hold_out(world.model, 1, world.sequences, world.split, 20, seed=0)
    labels = world.concepts.values[:, 0]
    few = draw_labels(labels, 5, 0)
    direction = Direction("rerank", torch.zeros(8), torch.from_numpy(few))
    whole, _ = tradeoff.steer(held_out, direction, "A", labels, CONFIG)
    table, found = tradeoff.steer(held_out, direction, "A", labels, CONFIG, visible=few)
    alone, _ = tradeoff.steer(held_out, direction, "A", few, CONFIG)
    for split, same in (("validation", alone), ("test", whole)):
        rows, other = (t[t["split"] == split] for t in (table, same))
        assert rows["share"].to_numpy() == pytest.approx(other["share"].to_numpy())
    assert found.curve.valid_lift == pytest.approx(alone[alone["split"] == "validation"]["lift"].to_numpy()[1:])


def test_concepts_are_chosen_by_evidence_among_genres_of_fitting_share(world):
    everything = np.arange(1, ITEMS + 1, dtype=np.int32).reshape(6, 1, 10)
    plain = Lists(everything, np.ones((6, 1), np.int8))
    evidence = world.dictionary.correlation[:, :3].max(0)
    shares = world.concepts.values[1:, :3].mean(0)
    expected = [c for c in np.argsort(-evidence) if shares[c] <= 0.4][:2]
    assert tradeoff.choose_concepts(world.concepts, world.dictionary, plain, 2) == expected
    none = ConceptTable(("x",), ("decade",), world.concepts.values[:, :1])
    assert tradeoff.choose_concepts(none, world.dictionary, plain, 2) == []
    nothing = replace(world.dictionary, correlation=-np.abs(world.dictionary.correlation))
    assert tradeoff.choose_concepts(world.concepts, nothing, plain, 2) == []


def test_without_concepts_there_is_an_empty_table(world):
    activations = collect(world.model, world.sequences, world.split, world.split.users(FIT), 1)
    data = world.sequences, world.split, ConceptTable(("x",), ("decade",), world.concepts.values[:, :1])
    fitted = activations, activations, CONFIG, 0, lambda *_: None
    found = tradeoff.run_tradeoff(world.model, 1, world.dictionary, *data, *fitted)
    assert list(found.table) == list(found.lowered) == tradeoff.COLUMNS
    assert list(found.segments) == SEGMENT_COLUMNS
    assert found.table.empty and found.lowered.empty and found.segments.empty
    assert found.summary == {}


def test_a_huge_constant_on_the_scores_gives_share_one(world):
    held_out = tradeoff.hold_out(world.model, 1, world.sequences, world.split, 20, seed=0)
    labels = np.zeros(ITEMS + 1, np.float32)
    labels[1:46] = 1
    direction = Direction("rerank", torch.zeros(8), torch.from_numpy(labels * 1e6))
    table, _ = tradeoff.steer(held_out, direction, "most", labels, CONFIG)
    assert (table[table["strength"] > 0]["share"] == 1).all()


def test_a_direction_of_no_length_changes_nothing(world):
    held_out = tradeoff.hold_out(world.model, 1, world.sequences, world.split, 20, seed=0)
    direction = Direction("random", torch.zeros(8), torch.zeros(ITEMS + 1))
    table, drawn = tradeoff.steer(held_out, direction, "A", world.concepts.values[:, 0], CONFIG)
    assert (table["lift"] == 1).all()
    assert (table["ndcg_change"] == 0).all()
    assert summarise([drawn])["random"]["frontier_area"] == pytest.approx(1)


def test_measured_edits_agree_with_the_curve_of_the_same_edit(world):
    direction = Direction("latent", 5.0 * float(world.units[3]) * world.sae.W_dec[3], torch.zeros(ITEMS + 1))
    held_out = tradeoff.hold_out(world.model, 1, world.sequences, world.split, 20, seed=0)
    table, _ = tradeoff.steer(held_out, direction, "A", world.concepts.values[:, 0], replace(CONFIG, max_strength=1.0))
    curve = table[(table["split"] == "validation") & (table["strength"] == 1.0)].iloc[0]
    steerer = Steerer(world.model, world.sae, 1, world.units)
    edits = [Edit(3, 5.0)]
    found = tradeoff.measure_edits(steerer, edits, world.concepts.values[:, 0], world.sequences, world.split, users=40)
    assert found["users"] == 40
    for name in ("share", "lift", "ndcg", "ndcg_change"):
        assert found[name] == pytest.approx(curve[name], abs=1e-6)
    assert found["lift_ci95"] == pytest.approx([curve["lift_low"], curve["lift_high"]])


def test_a_curve_of_edits_is_what_each_strength_measures(world):
    steerer, labels = Steerer(world.model, world.sae, 1, world.units), world.concepts.values[:, 0]
    data = labels, world.sequences, world.split
    curve = tradeoff.curve_of(steerer, [Edit(3, 0.0), Edit(4, 1.0)], *data, users=40, strengths=[2.0, -5.0])
    assert curve["strength"].tolist() == [0, 2, -5]
    assert curve["lift"][0] == 1
    for row in (1, 2):
        edits = [Edit(3, curve["strength"][row]), Edit(4, 1.0)]
        found = tradeoff.measure_edits(steerer, edits, *data, users=40)
        for name in ("lift", "ndcg_change", "share"):
            assert curve[name][row] == pytest.approx(found[name])
    assert len(tradeoff.curve_of(steerer, [Edit(3, 0.0)], *data, users=40)) == 17


@pytest.mark.parametrize("position", ["last", "all"])
def test_effects_are_those_of_each_history_alone(world, position):
    counts = np.full(ITEMS, MIN_COUNT)
    counts[:30] = MIN_COUNT - 1
    config = replace(CONFIG, position=position)
    units = np.where(np.arange(LATENTS) == 5, 0.0, world.units)
    table = measure_effects(
        world.model, world.sae, 1, units, world.sequences, world.split, counts, config, 0, lambda *_: None
    ).set_index("latent")
    users = tradeoff.held_out_users(world.sequences, world.split, 10)
    steerer = Steerer(world.model, world.sae, 1, units, position)
    histories = [world.sequences.of(u)[: world.split.valid_at[u]] for u in users]
    for latent in (0, 5, 9):
        replaced, change = [], []
        for history in histories:
            before, after = steerer.compare(history, [Edit(latent, 2.0)])
            replaced.append(len(set(before.items) - set(after.items)))
            rows = steerer.scores(history, steerer.displacement([Edit(latent, 2.0)])[None])[:, 1:]
            change.append((rows[1] - rows[0] - (rows[1] - rows[0]).mean()).numpy())
        assert table["effect"][latent] == pytest.approx(np.mean(replaced))
        assert table["effect_low"][latent] <= table["effect"][latent] <= table["effect_high"][latent]
        mean = np.mean(change, axis=0)
        for name in ("promoted", "demoted"):
            items, moved = table[name][latent], table[f"{name}_change"][latent]
            assert np.allclose(mean[items - 1], moved, atol=1e-5)
            assert (items > 30).all()
        if latent != 5:
            assert table["promoted"][latent][0] == 31 + mean[30:].argmax()
            assert table["demoted"][latent][0] == 31 + mean[30:].argmin()
    assert len(table["promoted"][5]) == len(table["demoted"][5]) == 0


def test_an_interrupted_measurement_goes_on_and_ends_the_same(world, tmp_path, monkeypatch):
    fit, select = (
        collect(world.model, world.sequences, world.split, world.split.users(role), 1) for role in (FIT, SELECT)
    )
    data = world.sequences, world.split, world.concepts, fit, select, CONFIG, 0, lambda *_: None

    def run(kept=None):
        return tradeoff.run_tradeoff(world.model, 1, world.dictionary, *data, kept=kept)

    whole, measure, asked = run(), tradeoff.Bench._measured, []

    def interrupted(bench, concept, name, labels):
        asked.append(name)
        if len(asked) == 2:
            raise KeyboardInterrupt
        return measure(bench, concept, name, labels)

    monkeypatch.setattr(tradeoff.Bench, "_measured", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "kept")
    first = len(asked)
    again = run(tmp_path / "kept")
    assert len(asked) == first + 1, "only what was not kept is measured"
    assert again.summary == whole.summary
    for name in ("table", "segments", "lowered"):
        pd.testing.assert_frame_equal(getattr(again, name), getattr(whole, name))
