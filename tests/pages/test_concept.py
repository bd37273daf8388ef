"""The Concept page on a tiny study: concepts of the study, of words, of lists, and those that say little."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest

from seqsae_core.dashboard.concept.concept_choice import offered
from seqsae_core.dashboard.permalink import params, parse
from seqsae_core.data.concepts import ConceptTable
from seqsae_core.study import Study
from tests.pages.conftest import said


@pytest.fixture(scope="module")
def titles(tiny_study) -> np.ndarray:
    """Titles with years of the study's items, the best known first."""
    catalogue = Study.open(tiny_study).catalogue().sort_values("count", ascending=False)
    twice = catalogue.duplicated(["title", "year"], keep=False) | catalogue["year"].isna()
    kept = catalogue[~twice]
    return np.array([f"{t} ({y})" for t, y in zip(kept["title"], kept["year"], strict=True)], object)


def button(page, label: str):
    return next(b for b in page.button if b.label == label)


def shown(page) -> str:
    """Everything a reader meets, tables included."""
    return said(page) + "\n".join(str(table.value.to_dict()) for table in page.dataframe)


def parameter(page, name: str) -> str:
    """A parameter of the page's address."""
    value = page.query_params[name]
    return value if isinstance(value, str) else value[0]


def no_nan(page) -> bool:
    tiles = [metric.value for metric in page.metric] + [str(metric.delta) for metric in page.metric]
    return "nan" not in (said(page) + " ".join(tiles)).lower()


def test_every_kind_of_concept_is_offered_through_one_function(open_page, tiny_study):
    table = ConceptTable(("Horror", "1990s", "long"), ("genre", "decade", "length"), np.zeros((3, 3), np.float32))
    assert offered(table) == {"Horror": "Horror · genre", "1990s": "1990s · decade", "long": "long · length"}
    options = open_page("concept", tiny_study).selectbox[0].options
    groups = {option.split(" · ")[-1] for option in options}
    known = Study.open(tiny_study).concepts()
    assert groups == set(known.groups) >= {"genre", "decade", "popularity"}
    assert len(options) == len(known.names)


def test_a_concept_of_the_study_shows_both_figures_of_its_evidence(open_page, tiny_study):
    best = Study.open(tiny_study).best()
    row = best[(best["kind"] == "latents") & (best["concept"] == "Comedy")].iloc[0]
    page = open_page("concept", tiny_study, concept="Comedy")
    values = {metric.label: metric.value for metric in page.metric}
    assert float(values["Best latent, same"].replace("−", "-")) == pytest.approx(row["r_score"], abs=6e-4)
    assert float(values["Best latent, new"].replace("−", "-")) == pytest.approx(row["r_new_items"], abs=6e-4)
    assert not page.error and no_nan(page)
    assert parameter(page, "concept") == "Comedy"


def test_the_first_concept_is_one_that_a_latent_knows(open_page, tiny_study):
    best = Study.open(tiny_study).best().query("kind == 'latents' and group == 'genre'")
    page = open_page("concept", tiny_study)
    assert page.selectbox[0].value == best.sort_values("r_score")["concept"].iloc[-1]
    assert "concept" not in page.query_params


def test_choosing_another_concept_is_part_of_the_link(open_page, tiny_study):
    page = open_page("concept", tiny_study)
    page.selectbox[0].set_value("Drama").run()
    assert "**Drama**" in said(page) and parameter(page, "concept") == "Drama"
    assert open_page("concept", tiny_study, concept="Drama").selectbox[0].value == "Drama"


def test_the_step_chart_and_its_table_tell_the_same(open_page, tiny_study):
    page = open_page("concept", tiny_study, concept="Drama")
    charts = [json.loads(chart.proto.spec) for chart in page.get("plotly_chart")]
    curves = {trace["name"]: trace for trace in charts[0]["data"]}
    steps = page.dataframe[0].value
    assert curves["Same items"]["line"]["shape"] == "hv"
    assert curves["Same items"]["x"] == steps["step"].tolist() == list(range(1, len(steps) + 1))
    assert steps["same"].iloc[0] == pytest.approx(float(page.metric[0].value.replace("−", "-")), abs=6e-4)
    assert steps["same_gain"].cumsum().to_numpy() == pytest.approx(steps["same"].to_numpy())
    assert {"Neurons, new items", "Probe (ceiling), new items"} <= set(curves)


def test_steer_opens_with_the_latents_of_the_cover(open_page, tiny_study, monkeypatch):
    from seqsae_core.dashboard import navigation

    went = []
    monkeypatch.setattr(navigation, "go", lambda key, view: went.append((key, view)))
    page = open_page("concept", tiny_study, concept="Drama")
    button(page, "Steer with these latents").click().run()
    ((key, view),) = went
    features = Study.open(tiny_study).features("latents").set_index("feature")
    assert parse(params(view)) == view
    assert key == "steer" and max(edit.strength for edit in view.edits) <= 2.0
    assert all(edit.strength > 0 and features.at[edit.latent, "alive"] for edit in view.edits)


def test_words_find_titles_and_stand_in_the_link(open_page, tiny_study):
    page = open_page("concept", tiny_study, search="the")
    assert "Titles with “the”" in said(page) and not page.error
    page.text_input[0].set_value("man, woman").run()
    assert parameter(page, "search") == "man, woman"
    assert "Titles with “man, woman”" in said(page)


def test_words_that_no_title_has_are_said_and_shown_as_text(open_page, tiny_study):
    page = open_page("concept", tiny_study, search="<b>zzz</b> **x**")
    assert r"\<b\>zzz\</b\>" in page.info[0].value
    assert not page.metric


def test_without_words_nothing_is_measured(open_page, tiny_study):
    page = open_page("concept", tiny_study)
    page.button_group[0].set_value("search").run()
    assert not page.metric and "commas part alternatives" in said(page)


def test_a_pasted_list_is_measured_and_its_unmatched_lines_are_listed(open_page, tiny_study, titles):
    page = open_page("concept", tiny_study)
    page.button_group[0].set_value("items").run()
    lines = [*titles[:12], "Not a film at all (1903)", "<script>x</script>"]
    page.text_area[0].set_value("\n".join(lines))
    button(page, "Measure this list").click().run()
    assert "A list of 12 titles" in said(page)
    (warning,) = page.warning
    assert "2 lines name no single item" in warning.value
    assert r"Not a film at all \(1903\)" in warning.value and r"\<script\>" in warning.value
    items = parameter(page, "items")
    assert len(items.split("-")) == 12
    again = open_page("concept", tiny_study, items=items)
    assert set(again.text_area[0].value.splitlines()) == set(titles[:12])
    assert not again.warning and "A list of 12 titles" in said(again)


def test_a_list_without_any_title_of_the_study_says_so(open_page, tiny_study):
    page = open_page("concept", tiny_study, items="")
    page.text_area[0].set_value("nothing like it\nnor this")
    button(page, "Measure this list").click().run()
    assert "2 lines name no single item" in page.warning[0].value
    assert not page.metric and not page.error


def test_one_item_has_no_new_items_and_no_interval(open_page, tiny_study):
    best_known = int(Study.open(tiny_study).catalogue().sort_values("count")["item"].iloc[-1])
    page = open_page("concept", tiny_study, items=best_known)
    text = shown(page)
    assert "It cannot be measured on new items" in text and "Too few of its items" in text
    assert "too few items to tell" in text
    assert {m.label: m.value for m in page.metric}["Best latent, new"] == "–"
    assert not page.error and no_nan(page)


def test_a_concept_of_every_item_or_of_an_unwatched_one_is_explained_with_its_items(open_page, tiny_study):
    study = Study.open(tiny_study)
    sequences = study.sequences()
    split = study.split(sequences)
    met = np.zeros(sequences.n_items + 1, bool)
    for user in split.users(1, 2):
        met[sequences.of(user)[: split.context_end[user]]] = True
    unwatched = int(np.flatnonzero(~met[1:])[0]) + 1
    page = open_page("concept", tiny_study, items=unwatched)
    assert "occurs in the histories" in page.info[0].value
    assert len(page.dataframe) == 1 and not page.metric


def test_a_concept_column_that_all_items_or_none_have_is_said(open_page, tiny_study, tmp_path):
    folder = shutil.copytree(tiny_study, tmp_path / "odd")
    path = folder / "data" / "concepts.parquet"
    table = pd.read_parquet(path)
    table["tag:everything"] = np.r_[0.0, np.ones(len(table) - 1)].astype(np.float32)
    table["tag:nothing"] = np.float32(0)
    table.to_parquet(path)
    assert "Every item has this concept" in open_page("concept", folder, concept="everything").info[0].value
    page = open_page("concept", folder, concept="nothing")
    assert "No item has this concept" in page.info[0].value and not page.error
