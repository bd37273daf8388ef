"""The page that compares dictionaries, and the other pages for a dictionary that has no evidence yet."""

import json
import shutil
import subprocess
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from seqsae_core.config import RecommenderConfig, SaeConfig
from seqsae_core.dashboard import detached, processes
from seqsae_core.dashboard.dictionaries import dictionaries
from seqsae_core.errors import UserError
from seqsae_core.figures import pareto
from seqsae_core.sae.autoencoders import VARIANTS
from seqsae_core.study import Study
from tests.pages.conftest import said
from tests.pages.test_states import charts

DEFAULT, TOPK, RELU = "layer1-topk-64-k4", "layer2-topk-64-k2", "layer2-relu-64-l1-1"


def drawn(table: pd.DataFrame, figure: str) -> go.Figure:
    return pareto.pareto(table, figure, figure, "new_items", "new items", DEFAULT)


def named(figure: go.Figure) -> dict[str, go.Scatter]:
    """The trace that each dictionary's point is in."""
    return {name: trace for trace in figure.data if trace.customdata is not None for name in trace.customdata}


def test_every_dictionary_is_in_the_table_with_what_it_was_screened_by(open_page, swept_study):
    page, study = open_page("dictionaries", swept_study), Study.open(swept_study)
    table = page.dataframe[0].value.set_index("name")
    assert set(table.index) == {DEFAULT, TOPK, RELU}
    assert table.index[table["default"]].tolist() == table.index[table["opens"]].tolist() == [DEFAULT]
    for name, row in table.iterrows():
        found = study.screen(name)
        assert row["ndcg_change"] == pytest.approx(100 * found["ndcg_change"])
        assert row["neurons_new_items"] == pytest.approx(found["neurons"]["new_items"])
        assert row["seconds"] == study.manifest["stages"][f"dictionaries/{name}/sae"]["seconds"]
    assert (table["k"][TOPK], table["l1"][RELU]) == (2, 1.0)
    assert "For choosing only" in said(page)


def test_charts_are_coloured_by_the_measure_chosen(open_page, swept_study):
    page = open_page("dictionaries", swept_study)
    before = [chart["layout"]["coloraxis"]["colorbar"]["title"]["text"] for chart in charts(page)]
    page.button_group[0].set_value("Same items").run()
    after = [chart["layout"]["coloraxis"]["colorbar"]["title"]["text"] for chart in charts(page)]
    assert (before, after) == (["r, new items"] * 2, ["r, same items"] * 2)


def test_a_chart_holds_every_point_once_with_its_interval_and_rings_the_default(swept_study):
    table = dictionaries.rows(Study.open(swept_study))
    figure = drawn(table, "ndcg_change")
    points = named(figure)
    assert set(points) == {DEFAULT, TOPK, RELU}
    row = table.set_index("name").loc[RELU]
    assert points[RELU].x[0] == row["l0"] and points[RELU].marker.color[0] == row["new_items"]
    assert points[RELU].y[0] + points[RELU].error_y.array[0] == pytest.approx(row["ndcg_change_ci95"][1])
    (ring,) = [trace for trace in figure.data if trace.marker.symbol == "circle-open"]
    assert ring.x.tolist() == [table.set_index("name")["l0"][DEFAULT]]
    assert {trace.name for trace in figure.data if trace.name} == {"TopK", "ReLU + L1"}


def test_a_chart_leaves_out_what_is_not_screened_and_needs_no_colour(swept_study):
    table = dictionaries.rows(Study.open(swept_study))
    table.loc[table["name"] == RELU, "explained_variance"] = np.nan
    table["new_items"] = np.nan
    assert set(named(drawn(table, "explained_variance"))) == {DEFAULT, TOPK}


def test_a_dictionary_with_evidence_is_opened_and_another_is_offered_for_use(open_page, swept_study, monkeypatch):
    started = []
    monkeypatch.setattr(detached, "start", lambda folder, command: started.append(command))
    page = open_page("dictionaries", swept_study)
    assert page.selectbox[0].value == DEFAULT
    assert not any(button.label == "Use this dictionary" for button in page.button)
    page.selectbox[0].set_value(RELU).run()
    command = f"python -m seqsae_core use {swept_study} {RELU}"
    assert command in [code.value for code in page.code]
    next(button for button in page.button if button.label == "Use this dictionary").click().run()
    assert started == [command]


def test_without_a_sweep_the_page_offers_one(open_page, tiny_study):
    page = open_page("dictionaries", tiny_study)
    assert not charts(page)
    assert page.dataframe[0].value["name"].tolist() == [DEFAULT]
    assert "start a sweep below" in said(page)
    assert page.code[0].value == f"python -m seqsae_core sweep {tiny_study}"
    assert any(button.label == "Sweep layers and sparsity" for button in page.button)


def test_the_button_runs_the_command_with_this_python(tmp_path, monkeypatch):
    seen = []
    child = SimpleNamespace(pid=0, wait=lambda: 0)
    monkeypatch.setattr(subprocess, "Popen", lambda words, **options: seen.append((words, options)) or child)
    monkeypatch.setattr(detached.st, "toast", lambda text: None)
    detached.start(tmp_path, "python -m seqsae_core use 'a b' x")
    ((words, options),) = seen
    assert words[1:] == ["-m", "seqsae_core", "use", "a b", "x"]
    assert options["start_new_session"]
    (tmp_path / "progress.json").write_text(json.dumps({"state": "running", "updated": 2e10, "pid": 1, "stages": []}))
    detached.start(tmp_path, "python -m seqsae_core use x y")
    assert len(seen) == 1


def test_work_that_fails_before_it_begins_says_why_on_the_page(open_page, tiny_study, tmp_path, monkeypatch):
    folder = tmp_path / "movietweetings"
    shutil.copytree(tiny_study, folder)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["stages"][f"dictionaries/{DEFAULT}/sae"]["stamp"] = "of another version"
    (folder / "manifest.json").write_text(json.dumps(manifest))
    monkeypatch.setattr(detached.st, "toast", lambda text: None)
    command = f"python -m seqsae_core sweep {folder}"
    detached.start(folder, command)
    deadline = time.monotonic() + 60
    while processes.failure(folder, command) is None and time.monotonic() < deadline:
        time.sleep(0.1)
    page = open_page("dictionaries", folder)
    assert "The last run stopped" in page.error[0].value and "is missing, or of another version" in page.error[0].value


def test_only_a_jobs_own_progress_and_failure_are_shown(open_page, swept_study, tmp_path):
    folder = tmp_path / "movietweetings"
    shutil.copytree(swept_study, folder)
    stage = {"name": "evidence", "label": "Measuring", "state": "failed", "fraction": 0.1, "detail": "", "seconds": 1}
    failed = {"stages": [stage], "state": "failed", "error": "no room", "updated": 0, "pid": 0, "job": f"use {RELU}"}
    (folder / "progress.json").write_text(json.dumps(failed))
    errors = {name: [e.value for e in open_page("overview", folder, dictionary=name).error] for name in (RELU, TOPK)}
    assert errors == {RELU: ["The last run stopped: no room"], TOPK: []}
    page = open_page("dictionaries", folder)
    assert not page.error
    page.selectbox[0].set_value(RELU).run()
    assert [e.value for e in page.error] == ["The last run stopped: no room"]


@pytest.mark.parametrize("name", ["latents", "latent", "concept", "latents_vs_neurons", "steer", "overview"])
def test_a_link_to_a_dictionary_without_evidence_says_how_to_build_it(open_page, swept_study, name):
    page = open_page(name, swept_study, dictionary=TOPK)
    assert not page.error
    assert f"python -m seqsae_core use {swept_study} {TOPK}" in [code.value for code in page.code]
    assert "No build is running" not in said(page)


def test_overview_describes_the_dictionary_that_the_link_names(open_page, swept_study):
    relu, default = (said(open_page("overview", swept_study, dictionary=name)) for name in (RELU, DEFAULT))
    assert "read after block 2 by a ReLU + L1 sparse autoencoder with 64 latents" in relu
    assert "read after block 1 by a TopK sparse autoencoder with 64 latents" in default


@pytest.fixture
def without_settings(swept_study, tmp_path) -> Path:
    """A study whose ReLU dictionary is of a version that kept no settings."""
    folder = shutil.copytree(swept_study, tmp_path / "old")
    path = Study.open(folder).folder("sae", RELU) / "metrics.json"
    metrics = json.loads(path.read_text())
    del metrics["settings"]
    path.write_text(json.dumps(metrics))
    return folder


def test_what_is_out_of_date_is_marked_where_it_is_compared_and_opened(open_page, swept_study, tmp_path):
    study = Study.open(shutil.copytree(swept_study, tmp_path / "older"))
    sae = f"dictionaries/{RELU}/sae"
    older = study.manifest["stages"][sae] | {"stamp": "older"}
    assert not open_page("dictionaries", study.path).warning
    study.update_manifest(stages=study.manifest["stages"] | {sae: older})
    page = open_page("dictionaries", study.path)
    table = page.dataframe[0].value
    assert table["name"][table["out_of_date"]].tolist() == [RELU]
    assert not page.warning
    page.selectbox[0].set_value(RELU).run()
    assert f"`python -m seqsae_core use {study.path} {RELU}`" in page.warning[0].value
    (opacity,) = {named(go.Figure(chart))[RELU].marker.opacity for chart in charts(page)}
    assert opacity[0] < 1
    assert "made “sae” of the dictionary" in open_page("overview", study.path, dictionary=RELU).warning[0].value
    assert not open_page("overview", study.path).warning


def test_an_out_of_date_default_is_built_anew(open_page, tiny_study, tmp_path):
    study = Study.open(shutil.copytree(tiny_study, tmp_path / "older"))
    steering = f"dictionaries/{DEFAULT}/steering"
    older = study.manifest["stages"][steering] | {"stamp": "older"}
    study.update_manifest(stages=study.manifest["stages"] | {steering: older})
    (warning,) = open_page("latents", study.path).warning
    assert "made “steering” of" in warning.value and f"`{study.build_command()}`" in warning.value


def test_a_dictionary_without_settings_can_be_opened_and_is_no_choice(open_page, without_settings):
    page = open_page("overview", without_settings, dictionary=RELU)
    assert not page.error
    assert "blocks and width 16. Split leave-one-out" in said(page)
    with pytest.raises(UserError, match="Choose one of") as told:
        Study.open(without_settings).sae_config(RELU)
    assert str(told.value).endswith(f"Choose one of: {DEFAULT}, {TOPK}.")
    table = open_page("dictionaries", without_settings).dataframe[0].value.set_index("name")
    assert pd.isna(table["layer"][RELU]) and table["layer"][TOPK] == 2


def test_every_variant_and_layer_has_words():
    recommender = RecommenderConfig(blocks=1)
    found = {dictionaries.sentence(SaeConfig(variant=v, layer=n), recommender) for v in VARIANTS for n in range(3)}
    assert len(found) == 3 * len(VARIANTS)
    assert {text.split(" by ")[0] for text in found} == {
        "read at the embeddings", "read after block 1", "read after the final norm"
    }  # fmt: skip
