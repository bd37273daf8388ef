"""The list of studies, what one cost, and two dictionaries side by side."""

import numpy as np
import pytest

from seqsae_core.dashboard.dictionaries import against
from seqsae_core.dashboard.studies import studies
from seqsae_core.sae.stability import cosine, nearest
from seqsae_core.study import Study
from tests.pages import synthetic
from tests.pages.conftest import said


@pytest.fixture(scope="module")
def doubled(tmp_path_factory):
    folder = synthetic.make(tmp_path_factory.mktemp("doubled") / "demo")
    synthetic.twin(folder)
    return folder


def test_every_study_is_listed_with_its_state_and_a_damaged_one_with_the_reason(tmp_path):
    synthetic.make(tmp_path / "whole")
    synthetic.make(tmp_path / "half", until="sae")
    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged/manifest.json").write_text("{")
    (tmp_path / "no study").mkdir()
    table = studies.rows(tmp_path).set_index("name")
    assert table.index.tolist() == ["damaged", "half", "whole"]
    assert table["state"][["half", "whole"]].tolist() == ["stopped before evidence", "complete"]
    assert "is damaged" in table.at["damaged", "state"]
    assert table.at["whole", "items"] == 400 and table.at["whole", "dictionaries"] == 1


def test_seconds_are_those_of_the_manifest(tiny_study):
    study = Study.open(tiny_study)
    table = studies.stages(study)
    entries = study.manifest["stages"]
    assert len(table) == len(entries)
    assert table["seconds"].sum() == pytest.approx(sum(entry["seconds"] for entry in entries.values()))
    assert (table["dictionary"] == "").sum() == 2


def test_the_page_lists_studies_and_what_the_open_one_cost(open_page, tiny_study):
    page = open_page("studies", tiny_study)
    assert tiny_study.name in page.dataframe[0].value["name"].tolist()
    assert "cost to build" in said(page) and not page.error


def test_two_dictionaries_are_compared_page_by_page(open_page, doubled):
    page = open_page("against", doubled)
    assert [column.split(": ")[0] for column in page.dataframe[0].value.columns[1:]] == ["First", "Second"]
    for name in ("Latents", "Latents vs neurons", "Steer"):
        page.button_group(key="against-page").set_value(name).run()
        assert not page.exception and not page.error, name
        first, second = (page.dataframe[0].value.iloc[:, column].tolist() for column in (1, 2))
        assert first == second


def test_the_comparison_says_what_each_stage_cost(tiny_study):
    study = Study.open(tiny_study)
    name = study.default_dictionary
    told = against.costs(study, name)
    seconds = [study.manifest["stages"][f"dictionaries/{name}/{stage}"]["seconds"] for stage in synthetic.BUILT]
    assert [told[f"Seconds, {stage}"] for stage in synthetic.BUILT] == [f"{value:.1f}" for value in seconds]
    assert float(told["Seconds, all stages"]) == pytest.approx(sum(seconds), abs=0.06)


def test_a_copy_is_every_latents_partner(open_page, doubled):
    page = open_page("against", doubled)
    page.button_group(key="against-page").set_value("Latents").run()
    table = next(d.value for d in page.dataframe if "mutual" in d.value)
    assert (table["first"] == table["second"]).all() and (table["mutual"] == "✓").all()
    assert table["cosine"].to_numpy() == pytest.approx(1.0, abs=1e-5)


def test_with_one_dictionary_the_page_says_what_to_do(open_page, invented):
    page = open_page("against", invented)
    assert "Only one dictionary has evidence" in page.info[0].value


def test_a_dictionary_that_is_not_there_is_named(open_page, doubled):
    assert "no dictionary" in open_page("against", doubled, against="nope").error[0].value


def test_the_nearest_direction_is_that_of_the_whole_matrix_of_cosines():
    rng = np.random.default_rng(0)
    one, other = rng.normal(size=(5000, 6)), rng.normal(size=(70, 6))
    place, found = nearest(one, other)
    units = [rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (one, other)]
    whole = units[0] @ units[1].T
    assert np.array_equal(place, whole.argmax(1)) and found == pytest.approx(whole.max(1), abs=1e-6)
    assert cosine(one[3], other[place[3]]) == pytest.approx(found[3], abs=1e-6)
    assert cosine(one[0], np.zeros(6)) == 0
