"""The strip of latents × positions: keys walk through it, and a cell opens its latent."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser import driving

pytestmark = pytest.mark.browser


def test_a_cell_opens_its_latent_by_keyboard(page: Page, address: str) -> None:
    driving.open_page(page, f"{address}/find?user=5")
    strip = page.locator(".heat")
    strip.locator(".cell").first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    said = strip.locator(".cell:focus").get_attribute("aria-label")
    second = strip.locator("tbody tr").nth(1).locator(".name").inner_text()
    assert said.startswith(f"Latent {second.split(' · ')[0]},")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(rf"latent=({second.split(' · ')[0]})\b"))
    expect(page.get_by_role("heading", name="What fires it")).to_be_visible()
