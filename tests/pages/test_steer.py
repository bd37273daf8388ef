"""The tools of the page Steer, each opened on a tiny study."""

import pytest

from seqsae_core.study import Study
from tests.pages.conftest import said


@pytest.fixture(scope="module")
def latent(tiny_study) -> int:
    effects = Study.open(tiny_study).effects()
    return int(effects["latent"].iloc[effects["effect"].argmax()])


def tool(open_page, tiny_study, name: str, edits: str, **link: str):
    page = open_page("steer", tiny_study, user=5, edits=edits, **link)
    page.session_state["tool"] = name
    page.run()
    assert not page.exception, page.exception
    return page


def link(page, name: str) -> str:
    value = page.query_params[name]
    return value if isinstance(value, str) else value[0]


def test_why_says_the_rank_of_the_first_item(open_page, tiny_study, latent):
    page = tool(open_page, tiny_study, "Why this item?", f"{latent}:2.0")
    assert "is at rank 1" in said(page)


def test_a_latent_that_brings_an_item_up_is_turned(open_page, tiny_study, latent):
    page = tool(open_page, tiny_study, "Bring an item up", f"{latent}:0.0", position="all")
    page.text_input(key="raise-search").set_value("the").run()
    turn = next(button for button in page.button if str(button.key).startswith("turn-"))
    turn.click().run()
    assert link(page, "edits") != f"{latent}:0.0" and link(page, "position") == "all"


def test_a_target_is_applied_by_one_click(open_page, tiny_study, latent):
    page = tool(open_page, tiny_study, "Target", f"{latent}:2.0")
    page.number_input(key="target-least").set_value(0).run()
    assert "reaches it" in said(page)
    page.button(key="apply-target").click().run()
    assert "edits" in page.query_params and not page.exception


def test_scenarios_offer_examples_and_a_link(open_page, tiny_study, latent):
    page = tool(open_page, tiny_study, "Scenarios", f"{latent}:ablate")
    assert f"edits={latent}%3Aablate" in said(page)
    page.button(key="example-Hidden gems").click().run()
    assert "*" in link(page, "edits") and not page.error


def test_the_popularity_dial_turns_one_concept(open_page, tiny_study, latent):
    page = tool(open_page, tiny_study, "Popularity", f"{latent}:2.0")
    page.select_slider[0].set_value(-2.0).run()
    edits = link(page, "edits")
    assert edits.startswith(f"{latent}:2.0,") and edits.endswith(":-2.0")


def test_a_link_for_another_dictionary_is_refused(open_page, tiny_study, latent):
    page = open_page("steer", tiny_study, user=5, edits=f"{latent}:2.0", made_for="other")
    assert "made for the dictionary" in said(page) and link(page, "edits") == f"{latent}:2.0"


def test_ranks_are_drawn_against_the_strength_of_each_slider(open_page, tiny_study, latent):
    page = tool(open_page, tiny_study, "Ranks", f"{latent}:2.0")
    assert "dotted line is the strength set now" in said(page) and not page.error
