"""Narrowing the table of latents, stepping through what is found, and two latents side by side."""

import pandas as pd
import pytest

from seqsae_core.dashboard.latents.facets import Facets, narrowed
from seqsae_core.study import Study
from tests.pages import synthetic
from tests.pages.conftest import said

ROWS = pd.DataFrame(
    {
        "feature": [0, 1, 2, 3],
        "alive": [True, True, True, False],
        "significant": [True, True, False, False],
        "top_concept": ["Horror", "War", "War", ""],
        "density": [0.01, 0.1, 0.5, 0.0],
        "name_score": [0.9, 0.6, None, None],
        "stability": [0.9, 0.6, 0.2, 0.0],
        "name_review": ["accepted", "", "rejected", ""],
    }
)
CASES = {
    Facets(): [0, 1, 2, 3],
    Facets("dead"): [3],
    Facets("other"): [2],
    Facets(concepts=("War", "Horror")): [0, 1],
    Facets(concepts=("War",)): [1],
    Facets(density=(0.01, 0.1)): [0, 1],
    Facets(confidence=0.6): [0, 1],
    Facets(stability=("re-appears", "lost")): [0, 2],
    Facets(stability=("partly",)): [1],
    Facets(review=("none",)): [1, 3],
    Facets(review=("accepted", "rejected"), state="significant"): [0],
}


@pytest.mark.parametrize(("facets", "expected"), CASES.items(), ids=str)
def test_facets_keep_the_rows_that_pass_all_of_them(facets, expected):
    assert narrowed(ROWS, facets)["feature"].tolist() == expected


def test_what_is_not_measured_passes_no_facet_about_it():
    rows = ROWS.drop(columns=["stability", "name_review"])
    assert narrowed(rows, Facets(stability=("lost",))).empty
    assert narrowed(rows, Facets(review=("accepted",))).empty
    assert len(narrowed(rows, Facets(review=("none",)))) == 4


def link(page, name: str) -> str:
    value = page.query_params[name]
    return value if isinstance(value, str) else value[0]


def found(page) -> pd.DataFrame:
    return page.dataframe[0].value


def test_the_link_sets_the_facets_and_they_set_the_link(open_page, invented):
    page = open_page("latents", invented, where="concept:Drama;density:0.01..1")
    assert page.multiselect[0].value == ["Drama"] and page.select_slider[0].value == (0.01, 1.0)
    assert set(found(page)["top_concept"]) == {"Drama"} and found(page)["density"].min() >= 1.0
    page.multiselect[0].set_value(["Comedy"]).run()
    assert link(page, "where").startswith("concept:Comedy")
    assert set(found(page)["top_concept"]) == {"Comedy"}


def test_a_link_changed_from_outside_wins_over_the_controls(open_page, invented):
    page = open_page("latents", invented, search="drama")
    page.query_params["search"] = "comedy"
    page.run()
    assert page.text_input[0].value == "comedy"
    assert found(page)["top_concept"].str.contains("Comedy").all()


def test_a_title_finds_the_latents_that_it_fires_most(open_page, invented):
    study = Study.open(invented)
    row = study.strongest_items().iloc[5]
    title = study.catalogue().set_index("item").at[row["item"], "title"]
    assert row["feature"] in found(open_page("latents", invented, search=title))["feature"].tolist()


def test_stability_is_a_facet_once_it_is_measured(open_page, tmp_path):
    folder = synthetic.make(tmp_path / "retrained")
    facets = {facet.label: facet for facet in open_page("latents", folder).multiselect}
    assert facets["In re-trainings"].disabled and "extras" in facets["In re-trainings"].help
    assert facets["Review"].disabled and not facets["Concept"].disabled
    synthetic.retrain(folder)
    page = open_page("latents", folder, where="stability:re-appears")
    assert not next(facet for facet in page.multiselect if facet.label == "In re-trainings").disabled
    assert found(page)["stability"].min() >= 0.8


def test_next_goes_through_what_was_found(open_page, invented):
    order = found(open_page("latents", invented, where="concept:Drama"))["feature"].tolist()
    page = open_page("latent", invented, latent=order[0], where="concept:Drama")
    buttons = {b.label: b.disabled for b in page.button}
    assert buttons["Previous"] and not buttons["Next"]
    assert any(f"1 of {len(order)} found" in link.proto.label for link in page.get("page_link"))


def test_two_latents_stand_side_by_side(open_page, invented):
    page = open_page("compare", invented, latent=3, other=5)
    table = page.dataframe[0].value
    assert [heading.split(" · ")[0] for heading in table.columns[1:]] == ["First: 3", "Second: 5"]
    shown = next(d.value for d in page.dataframe if "difference" in d.value)
    assert shown["difference"].tolist() == pytest.approx((shown["first"] - shown["second"]).tolist())


def test_without_a_link_the_nearest_latent_stands_beside(open_page, invented):
    page = open_page("compare", invented, latent=3)
    rows = Study.open(invented).features().set_index("feature")
    alive = [n for n in rows.at[3, "neighbours"] if rows.at[n, "alive"] and n != 3]
    assert link(page, "other") == str(alive[0])


def test_a_latent_that_is_not_there_is_named(open_page, invented):
    assert "latents 0 to 63" in open_page("compare", invented, latent=3, other=99).error[0].value
    assert "Cosine" not in said(open_page("compare", invented, latent=99))
