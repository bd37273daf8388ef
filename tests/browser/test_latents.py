"""From the table to a latent and back."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from benchmarks.browsing import shifting
from seqsae_core.study import Study
from tests.browser import driving

pytestmark = pytest.mark.browser
ROW, HEADING = 34, 35
SMALL = 0.2


def test_the_page_comes_without_a_jump(browser: Browser, address: str) -> None:
    """In Streamlit's own layout at first, it scored .5."""
    assert min(shifting.score(browser, f"{address}/latents") for _ in range(2)) <= SMALL


def test_a_click_opens_a_latent_and_back_returns(page: Page, address: str) -> None:
    driving.open_page(page, f"{address}/latents")
    table = page.get_by_test_id("stDataFrame")
    table.locator("canvas").first.wait_for()
    box = table.bounding_box()
    page.mouse.click(box["x"] + 150, box["y"] + HEADING + ROW * 1.5)
    page.wait_for_url(re.compile(r"/latent\?.*latent=\d+"))
    expect(page).to_have_title("Latent")
    expect(page.get_by_role("heading", name="What fires it")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", name="Latents", exact=True)).to_be_visible()
    driving.settled(page)
    assert re.search(r"/latents(\?|$)", page.url)
    expect(page.get_by_test_id("stDataFrame")).to_be_visible()


def test_the_click_that_opened_a_latent_is_not_taken_again_with_the_next_one(page: Page, address: str) -> None:
    """Until the latent's page has wholly come, the browser tells with the next click which row was chosen before."""
    comes = driving.still_coming(page)
    page.goto(f"{address}/latents")
    table = page.get_by_test_id("stDataFrame")
    table.locator("canvas").first.wait_for()
    box = table.bounding_box()
    page.mouse.click(box["x"] + 150, box["y"] + HEADING + ROW / 2)
    page.wait_for_url(re.compile(r"/latent\?.*latent=\d+"))
    expect(page.get_by_role("heading", name="What fires it")).to_be_visible()
    first = page.url
    page.get_by_role("button", name="Next Shortcut").click()
    page.wait_for_timeout(500)
    comes()
    page.wait_for_function("first => location.href !== first", arg=first)
    driving.settled(page)
    assert re.search(r"/latent\?.*latent=\d+", page.url) and page.url != first


def test_a_latent_leads_to_its_slider(page: Page, address: str, latent: int) -> None:
    driving.open_page(page, f"{address}/latent?latent={latent}")
    page.get_by_role("button", name="Steer this").click()
    slider = driving.scene_of(page).get_by_role("slider")
    expect(slider).to_have_attribute("aria-label", re.compile(rf"^Strength of latent {latent},"))


def shown(page: Page) -> int:
    """How many latents the table says it shows."""
    return int(page.get_by_text("the best-evidenced first").inner_text().split()[0].replace(",", ""))


@pytest.fixture(scope="module")
def title(tiny_study: Path) -> str:
    """The title that fires the most latents."""
    study = Study.open(tiny_study)
    item = study.strongest_items()["item"].value_counts().index[0]
    return study.catalogue().set_index("item").at[item, "title"].lower()


def test_typing_narrows_the_table_and_back_from_a_latent_finds_it_again(page: Page, address: str, title: str) -> None:
    driving.open_page(page, f"{address}/latents")
    every = shown(page)
    page.get_by_role("textbox", name="Search").press_sequentially(title, delay=60)
    page.wait_for_function("title => new URL(location).searchParams.get('search') === title", arg=title)
    driving.settled(page)
    few = shown(page)
    assert 1 < few < every
    box = page.get_by_test_id("stDataFrame").bounding_box()
    page.mouse.click(box["x"] + 150, box["y"] + HEADING + ROW / 2)
    page.wait_for_url(re.compile(r"/latent\?.*search="))
    expect(page.get_by_role("link", name=re.compile(f"1 of {few} found"))).to_be_visible()
    page.get_by_role("button", name="Next Shortcut").click()
    expect(page.get_by_role("link", name=re.compile(f"2 of {few} found"))).to_be_visible()
    page.get_by_role("link", name=re.compile("Back to the list")).click()
    expect(page.get_by_role("textbox", name="Search")).to_have_value(title)
    driving.settled(page)
    assert shown(page) == few


def test_a_lasso_on_the_map_narrows_the_table_until_it_is_left(page: Page, address: str) -> None:
    driving.open_page(page, f"{address}/latents")
    every = shown(page)
    page.locator('.modebar-btn[data-title="Box Select"]').click()
    box = page.locator(".stPlotlyChart .nsewdrag").first.bounding_box()
    middle = box["x"] + box["width"] / 2
    page.mouse.move(middle, box["y"] + 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] - 2, box["y"] + box["height"] - 2, steps=8)
    page.mouse.up()
    expect(page.get_by_text("inside the lasso")).to_be_visible()
    assert 0 < shown(page) < every
    page.get_by_role("button", name="Leave the lasso").click()
    expect(page.get_by_text("inside the lasso")).to_have_count(0)
    driving.settled(page)
    assert shown(page) == every
