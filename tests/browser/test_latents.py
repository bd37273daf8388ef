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
    page.go_back()
    page.wait_for_url(re.compile(r"/latents"))
    expect(page.get_by_role("heading", name="Latents", exact=True)).to_be_visible()
    expect(page.get_by_test_id("stDataFrame")).to_be_visible()
