"""Curves on request are those that the build measures, and strengths are chosen on validation, read on test."""

import numpy as np
import pytest

from seqsae_core.steering import asked
from seqsae_core.steering.edits import WHOLE, Edit, ablate
from seqsae_core.steering.steerer import Steerer
from seqsae_core.study import Study


@pytest.fixture(scope="module")
def study(tiny_study) -> Study:
    return Study.open(tiny_study)


@pytest.fixture(scope="module")
def steerer(study) -> Steerer:
    return Steerer.from_study(study)


@pytest.fixture(scope="module")
def built(study):
    """The build's rows of its first concept, one method with latents."""
    table = study.tradeoff()
    rows = table[(table["concept"] == table["concept"].iloc[0]) & (table["method"] == "latents_by_correlation")]
    return rows.reset_index(drop=True)


def labels_of(study, concept: str) -> np.ndarray:
    table = study.concepts()
    return table.values[:, table.names.index(concept)].astype(np.float32)


def test_a_curve_of_the_builds_own_edit_is_the_builds_curve(study, steerer, built):
    concept, parts = built["concept"].iloc[0], zip(built["latents"].iloc[0], built["weights"].iloc[0], strict=True)
    edit = Edit(tuple((int(latent), float(weight)) for latent, weight in parts), 1.0)
    levels = built["strength"].unique()[1:]
    held_out = asked.held_out_of(study, steerer)
    found = asked.edit_curve(study, steerer, held_out, [edit], 0, levels, concept, labels_of(study, concept))
    for column in ("strength", "users", "share", "lift_low", "ndcg_change", "ndcg_change_high", "diversity", "novelty"):
        assert found.table[column].to_numpy(float) == pytest.approx(built[column].to_numpy(float), abs=1e-6), column
    area = study.steering_summary()["latents_by_correlation"]["by_concept"][concept]
    assert found.area["frontier_area"] == pytest.approx(area["frontier_area"], abs=1e-6)


def test_rivals_on_request_are_the_builds(study, steerer, built):
    concept = built["concept"].iloc[0]
    bench = asked.bench_of(study, steerer)
    found = asked.rival_curves(bench, concept, labels_of(study, concept))
    table = study.tradeoff()
    for method in ("rerank", "mean_difference", "probe", "latents_by_correlation"):
        own = table[(table["concept"] == concept) & (table["method"] == method)]
        assert found[method].table["lift"].to_numpy() == pytest.approx(own["lift"].to_numpy(), abs=1e-5), method
    assert set(found) == set(table["method"])
    down = asked.rival_curves(bench, concept, labels_of(study, concept), lowering=True)
    assert "rerank" in down and (down["rerank"].table["strength"] <= 0).all()


def test_rows_at_budgets_are_test_rows_of_strengths_that_validation_chose(built):
    valid, test = (built[built["split"] == split].reset_index(drop=True) for split in ("validation", "test"))
    rows = asked.at_budgets(built).set_index("rule")
    assert (rows["split"] == "test").all() and {"1pct", "5pct"} <= set(rows.index)
    for name, budget in (("1pct", 0.01), ("5pct", 0.05)):
        allowed = valid[valid["ndcg_change"] >= -budget]
        best = allowed["strength"][allowed["lift"].idxmax()]
        assert rows.at[name, "strength"] == best
        assert rows.at[name, "lift"] == test.set_index("strength").at[best, "lift"]


def test_strengths_go_to_the_side_that_is_turned_and_all_the_way_to_a_level():
    up, down, level = (asked.strengths_for(e, 16.0) for e in (Edit(3, 1.0), Edit(3, -2.0), ablate(3)))
    assert up[0] == pytest.approx(0.1) and up[-1] == pytest.approx(16) and np.array_equal(down, -up)
    assert level[-1] == WHOLE and (np.diff(level[:-1]) > 0).all() and len(level) == len(up) == 16


def test_several_kinds_of_edit_have_a_curve_and_segments(study, steerer, built):
    concept = built["concept"].iloc[0]
    held_out, one = asked.held_out_of(study, steerer), int(built["latents"].iloc[0][0])
    edits = [ablate(one), Edit(int((one + 1) % steerer.sae.latents), 1.0, "mass")]
    levels = asked.strengths_for(edits[0], 5.0)
    found = asked.edit_curve(study, steerer, held_out, edits, 0, levels, concept, labels_of(study, concept))
    assert set(found.table["split"]) == {"validation", "test"} and len(found.table) == 2 * 17
    assert np.isfinite(found.table["lift"]).all() and (found.segments["concept"] == concept).all()
