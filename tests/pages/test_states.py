"""States other than a finished study: nothing there, being built, stopped, a link that cannot be read."""

import json
import os
import shutil

import pandas as pd
import pytest
import streamlit as st

from seqsae_core.study import Study
from tests.pages import synthetic
from tests.pages.conftest import said

PAGES = ("overview", "latents", "latent", "compare", "find", "against", "concept", "latents_vs_neurons", "dictionaries")
BAD_LINKS = {
    ("latent", "latent", "99999"): "latents 0 to 63",
    ("latent", "latent", "three"): "write a whole number",
    ("overview", "study", "../etc"): "not a study's name",
    ("overview", "dictionary", "nope"): "no dictionary `nope`",
    ("latents_vs_neurons", "concept", "Nonsense"): "no concept `Nonsense`",
    ("latents_vs_neurons", "kind", "unicorns"): "use one of latents",
    ("latents", "edits", "1:x"): "latent:strength pairs",
    ("concept", "concept", "Nonsense"): "no concept `Nonsense`",
    ("concept", "items", "3-99999"): "no item 99999",
    ("concept", "items", "3,4"): "joined by dashes",
}


@pytest.mark.parametrize(
    ("link", "expected"), BAD_LINKS.items(), ids=lambda v: "=".join(v[1:]) if isinstance(v, tuple) else ""
)
def test_a_bad_link_is_explained_under_the_navigation(open_page, invented, link, expected):
    name, parameter, value = link
    page = open_page(name, invented, **{parameter: value})
    assert len(page.error) == 1
    assert expected in page.error[0].value
    assert "**SeqSAE**" in said(page)


def test_what_a_link_says_is_never_rendered(open_page, invented):
    page = open_page("latents", invented, latent="![](http://example.org/x.png)")
    assert "`![](http://example.org/x.png)`" in page.error[0].value


@pytest.mark.parametrize("name", PAGES)
def test_without_a_study_the_page_says_what_to_run(open_page, tmp_path, name):
    text = said(open_page(name, tmp_path / "none"))
    assert "make run" in text
    assert f"python -m seqsae_core build --out {tmp_path / 'none'}" in text


@pytest.mark.parametrize("name", PAGES)
def test_before_the_first_stage_the_progress_is_shown(open_page, tmp_path, name):
    synthetic.progress(tmp_path / "new", "data", pid=os.getpid())
    text = said(open_page(name, tmp_path / "new"))
    assert "Training the recommender" in text
    assert "About 3 min left" in text


def charts(page) -> list[dict]:
    """The plotly figures of a page."""
    return [json.loads(chart.proto.spec) for chart in page.get("plotly_chart")]


@pytest.mark.parametrize("name", PAGES)
def test_a_training_is_drawn_while_it_runs(open_page, tmp_path, name):
    log = [synthetic.LOG[0], {"pass": 2, "losses": [[1.5, 5.7]]}]
    folder = synthetic.make(tmp_path / "new", until="data")
    synthetic.progress(folder, "recommender", pid=os.getpid(), log=log)
    (chart,) = charts(open_page(name, folder))
    loss, score = chart["data"]
    assert (loss["x"], loss["y"]) == ([0.5, 1.0, 1.5], [7.0, 6.0, 5.7])
    assert (score["x"], score["y"]) == ([1.0], [0.10])


def test_a_training_that_failed_keeps_its_curve_and_one_that_is_done_has_none_here(open_page, tmp_path):
    folder = synthetic.make(tmp_path / "cut", until="data")
    synthetic.progress(folder, "recommender", "failed", "the loss is nan", log=synthetic.LOG)
    assert len(charts(open_page("latents", folder))) == 1
    synthetic.make(folder, until="recommender")
    synthetic.progress(folder, "sae", pid=os.getpid())
    assert not charts(open_page("latents", folder))


def test_a_page_waits_for_its_stage_and_opens_when_it_lands(open_page, tmp_path):
    folder = synthetic.make(tmp_path / "growing", until="sae")
    synthetic.progress(folder, "evidence", pid=os.getpid())
    page = open_page("latents", folder)
    assert "This page is being made" in said(page)
    assert not page.dataframe
    synthetic.make(folder)
    page.run()
    assert len(page.dataframe) == 1


def test_overview_shows_what_is_there_while_the_rest_is_built(open_page, unfinished):
    page = open_page("overview", unfinished("sae"))
    assert "The dictionary" in said(page)
    assert "comes with the evidence" in said(page)


def test_a_latent_is_shown_before_steering_is_measured(open_page, unfinished):
    page = open_page("latent", unfinished("map"))
    assert "come with the stage steering" in said(page)
    assert page.metric[4].value == "–"


def test_the_table_is_shown_before_the_map(open_page, unfinished):
    page = open_page("latents", unfinished("evidence"))
    assert "The map comes after the evidence" in said(page)
    assert len(page.dataframe) == 1


def test_a_failed_build_gives_its_reason_and_the_command_that_goes_on(open_page, tmp_path):
    folder = synthetic.make(tmp_path / "failed", until="recommender")
    synthetic.progress(folder, "sae", "failed", "the disk is full")
    page = open_page("latents", folder)
    assert "the disk is full" in page.error[0].value
    assert page.code[0].value == f"python -m seqsae_core build --preset tiny --out {folder}"


def test_an_interrupted_build_is_not_taken_for_a_running_one(open_page, tmp_path):
    synthetic.progress(tmp_path / "cut", "data", pid=2**22 + 1)
    text = said(open_page("overview", tmp_path / "cut"))
    assert "No build is running" in text
    assert "python -m seqsae_core build" in text


def test_a_study_of_another_format_is_refused_with_the_remedy(open_page, tmp_path):
    study = Study.create(tmp_path / "old", {"config": {}})
    study.manifest["format"] = 0
    study._write_manifest()
    page = open_page("overview", tmp_path / "old")
    assert "Build it again" in page.error[0].value


def test_hostile_titles_and_names_stay_text(open_page, tmp_path):
    folder = synthetic.make(tmp_path / "hostile")
    path = folder / "dictionaries" / synthetic.DICTIONARY / "evidence" / "latents.parquet"
    synthetic.rename(path, 3, "<b>bold</b> **x** [y](http://z)")
    page = open_page("latent", folder, latent=3)
    assert page.title[0].value == r"\<b\>bold\</b\> \*\*x\*\* \[y\]\(http" + "\u2060" + r"\://z\)"


def test_an_unexpected_error_has_an_id_that_the_log_explains(open_page, tmp_path, monkeypatch):
    folder = synthetic.make(tmp_path / "demo")
    page = open_page("latents", folder)
    monkeypatch.setattr(Study, "features", lambda *_: {}["nothing"])
    st.cache_resource.clear()
    page.run()
    (shown,) = page.exception
    lines = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    (error,) = [line for line in lines if line["event"] == "error"]
    assert f"error {error['id']}" in shown.message and str(folder / "log.jsonl") in shown.message
    assert not shown.stack_trace and "KeyError" in error["traceback"] and "nothing" not in shown.message
    assert next(line["ms"] for line in lines if line["event"] == "page") >= 0


def test_a_study_that_was_removed_while_a_page_showed_it_is_said_to_be_gone(open_page, tmp_path, monkeypatch):
    folder = synthetic.make(tmp_path / "demo")
    page = open_page("latents", folder)

    def removed(study: Study, *_) -> None:
        shutil.rmtree(study.path)
        pd.read_parquet(study.path / "nothing.parquet")

    monkeypatch.setattr(Study, "features", removed)
    st.cache_resource.clear()
    page.run()
    assert "was removed while this page showed it" in page.error[0].value
    assert not page.exception and not folder.exists()


def test_an_error_on_a_study_of_an_earlier_version_comes_with_the_command_that_rebuilds_it(
    open_page, tiny_study, tmp_path, monkeypatch
):
    study = Study.open(shutil.copytree(tiny_study, tmp_path / "old"))
    study.manifest["stages"]["data"]["stamp"] = "of an earlier version"
    study.manifest["stages"][f"dictionaries/{study.default_dictionary}/evidence"]["stamp"] = "so too"
    study.update_manifest()
    page = open_page("latents", study.path)
    monkeypatch.setattr(Study, "features", lambda *_: {}["a column of today"])
    st.cache_resource.clear()
    page.run()
    assert study.build_command() in page.exception[0].message
