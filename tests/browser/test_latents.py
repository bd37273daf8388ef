"""From the table to a latent and back."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser import driving

pytestmark = pytest.mark.browser
ROW, HEADING = 34, 35


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


def test_a_latent_leads_to_its_slider(page: Page, address: str, latent: int) -> None:
    driving.open_page(page, f"{address}/latent?latent={latent}")
    page.get_by_role("button", name="Steer this").click()
    slider = driving.scene_of(page).get_by_role("slider")
    expect(slider).to_have_attribute("aria-label", re.compile(rf"^Strength of latent {latent},"))
