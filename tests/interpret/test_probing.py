"""One concept at a time: what a study measured in its evidence comes out again; odd concepts are said to be odd."""

import numpy as np
import pandas as pd
import pytest

from seqsae_core.errors import UserError
from seqsae_core.interpret import contest
from seqsae_core.interpret.probing import Bench, Measured, claims, measure
from seqsae_core.sae.activations import IN_MEMORY
from seqsae_core.study import Study


@pytest.fixture(scope="module")
def study(tiny_study) -> Study:
    return Study.open(tiny_study)


@pytest.fixture(scope="module")
def bench(study) -> Bench:
    return Bench.from_study(study)


@pytest.fixture(scope="module")
def drama(study, bench) -> Measured:
    return measure(bench, study.concepts().column("Drama") > 0)


def of_popular(bench: Bench, count: int) -> np.ndarray:
    """The concept of the items that held-out users take most often."""
    concept = np.zeros(len(bench.counts[0]), bool)
    concept[np.argsort(-np.minimum(*bench.counts))[:count]] = True
    return concept


@pytest.mark.parametrize("name", ["Drama", "Comedy", "2010s", "popularity decile 10"])
def test_a_concept_of_the_study_gets_the_figures_of_its_evidence(study, bench, name):
    best = study.best()
    best = best[best["concept"] == name].set_index("kind")
    assert len(best) == 4
    found = measure(bench, study.concepts().column(name) > 0)
    kinds = found.kinds.set_index("kind")
    same_features = best["feature"].to_dict()
    for kind, row in best.iterrows():
        assert kinds.at[kind, "feature"] == same_features[kind]
        assert kinds.at[kind, "label"] == row["label"]
        assert kinds.at[kind, "r_select"] == pytest.approx(row["r_select"], abs=1e-4)
        for ours, theirs in {"r": "r_score", "low": "low", "high": "high", "r_new": "r_new_items"}.items():
            assert kinds.at[kind, ours] == pytest.approx(row[theirs], abs=1e-4)
    assert found.positions == best["positives"].iloc[0]
    assert found.latents["feature"].iloc[0] == same_features["latents"]
    assert found.latents["r"].iloc[0] == pytest.approx(best.at["latents", "r_score"], abs=1e-4)


def test_the_probe_is_the_ceiling_of_the_evidence(study, bench, drama):
    from seqsae_core.stages import held_out

    corpus, fit = held_out(study, study.config, IN_MEMORY)
    labels = study.concepts().column("Drama")[:, None].astype(float)
    reference = contest.enter_probe(fit, corpus.score, labels, ["Drama"], bench.halves)
    probe = drama.kinds.set_index("kind").loc["probe"]
    assert probe["r"] == pytest.approx(reference.r[0], abs=1e-4)
    assert probe["r_new"] == pytest.approx(reference.r_new.mean(), abs=1e-4)


def test_the_difference_to_latents_is_paired(drama):
    kinds = drama.kinds
    assert kinds["gap"].to_numpy() == pytest.approx(kinds["r"].iloc[0] - kinds["r"])
    assert (kinds["gap_low"].iloc[1:] < kinds["gap"].iloc[1:]).all()
    assert (kinds["gap"].iloc[1:] < kinds["gap_high"].iloc[1:]).all()
    assert kinds.loc[0, ["gap", "gap_low", "gap_high", "gap_new"]].tolist() == [0, 0, 0, 0]


def test_the_first_step_of_the_cover_is_the_best_latent_alone(drama):
    latents = drama.kinds.iloc[0]
    assert drama.cover.path.latents[0] == latents["feature"]
    assert drama.cover.same[0] == pytest.approx(latents["r"], abs=1e-4)
    assert drama.cover.new[0] == pytest.approx(latents["r_new"], abs=1e-4)


def test_figures_of_detection_are_those_of_the_latent_on_score_positions(study, bench, drama):
    from sklearn.metrics import average_precision_score, roc_auc_score

    y = study.concepts().column("Drama")[bench.score.item_at] > 0
    for row in drama.latents.to_dict("records")[:3]:
        a = bench.score.codes[:, [row["feature"]]].toarray()[:, 0]
        assert row["roc_auc"] == pytest.approx(roc_auc_score(y, a), abs=1e-5)
        assert row["average_precision"] == pytest.approx(average_precision_score(y, a), abs=1e-5)
        assert (row["mean_in"], row["mean_out"]) == pytest.approx((a[y].mean(), a[~y].mean()), rel=1e-4)


def test_best_latents_have_the_figures_of_the_evidence_on_every_pair(study, drama):
    table = pd.read_parquet(study.folder("evidence") / "alignment.parquet")
    stored = table[table["concept"] == "Drama"].set_index("feature")
    found = drama.latents.set_index("feature")
    same = {"r": "r_score", "effect": "promotes", "effect_auc": "promotes_auc", "f1": "f1", "z": "z"}
    for ours, theirs in same.items():
        assert found[ours].to_numpy() == pytest.approx(stored.loc[found.index, theirs].to_numpy(), abs=1e-3)
    assert found.index[0] == stored["r_select"].idxmax()


def test_claims_are_as_many_as_the_items_with_the_concept(study, bench, drama):
    concept = study.concepts().column("Drama") > 0
    table = claims(bench, concept, drama.cover, 3)
    assert table["claimed"].sum() == table["has"].sum() > 0
    assert table["predicted"].is_monotonic_decreasing
    assert (table["has"].to_numpy() == concept[table["item"]]).all()
    assert table.loc[table["claimed"], "has"].mean() > table["has"].mean()
    item = int(table["item"].iloc[0])
    rows = [np.flatnonzero(users.item_at == item) for users in (bench.select, bench.score)]
    path = drama.cover.path
    a = np.concatenate([u.codes[r].toarray() for u, r in zip((bench.select, bench.score), rows, strict=True)])
    expected = (a[:, path.latents[:3]] @ path.coefficients[:3, 2] + path.intercepts[2]).mean()
    assert table["predicted"].iloc[0] == pytest.approx(expected, rel=1e-4)
    assert table["positions"].iloc[0] == len(a)


def test_one_item_has_no_figure_of_new_items_no_interval_and_no_null(bench):
    found = measure(bench, of_popular(bench, 1))
    assert (found.items, found.met, found.halves, found.needed) == (1, 1, 0, None)
    assert found.kinds[["r_new", "low", "high"]].isna().all(axis=None) and found.latents["z"].isna().all()
    assert np.isfinite(found.kinds["r"]).all()
    assert found.cover.new is None


def test_halves_without_the_concept_on_either_side_are_left_out(bench):
    concept = of_popular(bench, 2)
    first, second = np.flatnonzero(concept)
    apart = [half[first] != half[second] for half in bench.halves]
    assert measure(bench, concept).halves == sum(apart)


@pytest.mark.parametrize(("wanted", "why"), [("none", "No item has"), ("all", "Every item"), ("unmet", "None of its")])
def test_what_cannot_be_measured_is_said(bench, wanted, why):
    concept = np.zeros(len(bench.counts[0]), bool)
    if wanted == "all":
        concept[1:] = True
    if wanted == "unmet":
        concept[np.flatnonzero(bench.counts[0][1:] == 0)[0] + 1] = True
    with pytest.raises(UserError, match=why):
        measure(bench, concept)


def test_significance_is_that_of_the_evidence_but_over_one_concept(study, bench):
    latents = study.features("latents").sort_values("z", ascending=False)
    row = latents[latents["significant"] & (latents["top_group"] != "popularity")].iloc[0]
    found = measure(bench, study.concepts().column(row["top_concept"]) > 0)
    assert found.latents.set_index("feature")["z"][row["feature"]] == pytest.approx(row["z"], abs=0.01)
    assert 1.0 < found.needed <= row["z"]


def test_random_items_are_seldom_significant(bench):
    rng = np.random.default_rng(0)
    found = [measure(bench, np.isin(np.arange(len(bench.counts[0])), rng.choice(800, 40) + 1)) for _ in range(8)]
    assert sum((one.latents["z"] >= one.needed).any() for one in found) <= 2
