"""Latents that fire for a history or a title."""

import pytest

from seqsae_core.study import Study
from tests.pages.conftest import said


@pytest.fixture(scope="module")
def title(tiny_study) -> tuple[int, str]:
    """The best-known item."""
    catalogue = Study.open(tiny_study).catalogue()
    row = catalogue.loc[catalogue["count"].idxmax()]
    return int(row["item"]), str(row["title"])


def test_a_history_is_shown_with_a_way_to_steer_it(open_page, tiny_study):
    page = open_page("find", tiny_study, user=5)
    assert not page.error and "One row a latent" in said(page)
    assert any(link.proto.label == "Steer this history" for link in page.get("page_link"))


def test_an_empty_history_asks_for_a_title(open_page, tiny_study):
    page = open_page("find", tiny_study, history="")
    assert "history is empty" in page.info[0].value


def test_a_title_is_searched_chosen_and_kept_in_the_link(open_page, tiny_study, title):
    item, name = title
    page = open_page("find", tiny_study)
    page.button_group(key="find-what-history").set_value("A title").run()
    page.text_input(key="find-title").set_value(name).run()
    page.button(key=f"title-{item}").click().run()
    value = page.query_params["items"]
    assert int(value if isinstance(value, str) else value[0]) == item
    table = page.dataframe[0].value
    assert table["mean"].is_monotonic_decreasing and 1 < table["share"].max() <= 100


def test_steer_leads_to_what_fires_in_its_history(open_page, tiny_study):
    page = open_page("steer", tiny_study, user=5)
    assert any(link.proto.label == "What fires here?" for link in page.get("page_link"))
