"""Links that ask for what is not there: a clear message, and a page that goes on from it."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser import driving

BROKEN = {
    "/steer?user=999999": "There is no user 999999",
    "/steer?edits=9999:2.0": "There is no latent 9999",
    "/steer?edits=3:nan": "strength of an edit is nan",
    "/steer?edits=three:2": "write latent:strength pairs",
    "/steer?history=1-999999": "There is no item 999999",
    "/latent?latent=9999": "latent 9999",
    "/compare?latent=1&other=9999": "latent 9999",
    "/find?user=999999": "There is no user 999999",
    "/find?history=1-999999": "There is no item 999999",
    "/find?items=999999": "There is no item 999999",
    "/latents?where=density:x": "where is density:x",
    "/latents?study=nowhere": "no study",
    "/latents?dictionary=nothing": "no dictionary",
}

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("link", BROKEN)
def test_broken_link(link: str, tab: driving.Tab, address: str) -> None:
    tab.visit(address + link)
    expect(tab.page.get_by_test_id("stMain")).to_contain_text(re.compile(re.escape(BROKEN[link]), re.I))
    expect(tab.page.get_by_test_id("stException")).to_have_count(0)


def test_too_large_a_strength_becomes_the_largest_with_a_word(page: Page, address: str) -> None:
    page.goto(f"{address}/steer?edits=3:900")
    expect(page.get_by_text("900 became 16")).to_be_visible(timeout=driving.PATIENCE * 1000)
    driving.scene_of(page)
    page.wait_for_url(re.compile(r"edits=3%3A16\.0"))


def test_starting_over_leads_to_a_page_that_works(page: Page, address: str) -> None:
    page.goto(f"{address}/steer?user=999999")
    page.get_by_role("link", name="Start over").click()
    driving.scene_of(page)
    expect(page.get_by_test_id("stAlert")).to_have_count(0)


def test_an_empty_history_asks_for_a_title(page: Page, address: str) -> None:
    page.goto(f"{address}/steer?history=")
    expect(page.get_by_text("The history is empty")).to_be_visible(timeout=driving.PATIENCE * 1000)
    expect(page.get_by_role("textbox", name="Add a title to the history")).to_be_visible()
