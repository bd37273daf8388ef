"""From words in titles to the latents that cover them, and back; from a list to Steer."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser import driving

pytestmark = pytest.mark.browser


def test_words_become_a_concept_whose_latents_open_and_back_returns(page: Page, address: str) -> None:
    driving.open_page(page, f"{address}/concept")
    page.get_by_role("radio", name="Titles with words").click()
    words = page.get_by_role("textbox", name="Words in titles")
    words.fill("man, woman")
    words.press("Enter")
    page.wait_for_url(re.compile(r"/concept\?.*search=man"))
    main = page.get_by_test_id("stMain")
    expect(main).to_contain_text("Titles with “man, woman”")
    expect(page.get_by_role("heading", name="Against rivals")).to_be_visible()
    driving.settled(page)
    latent = page.locator(".st-key-stack-cover").get_by_role("link", name=" · ").first
    number = latent.inner_text().split(" · ")[0].split()[-1]
    latent.click()
    page.wait_for_url(re.compile(rf"/latent\?.*latent={number}\b"))
    expect(page).to_have_title("Latent")
    page.go_back()
    page.wait_for_url(re.compile(r"/concept\?.*search=man"))
    expect(page.get_by_role("textbox", name="Words in titles")).to_have_value("man, woman")
    expect(main).to_contain_text("Titles with “man, woman”")


def test_a_concept_leads_to_steer_with_its_latents(page: Page, address: str) -> None:
    driving.open_page(page, f"{address}/concept?concept=Drama")
    page.get_by_role("button", name="Steer with these latents").click()
    page.wait_for_url(re.compile(r"/steer\?.*edits="))
    sliders = driving.scene_of(page).get_by_role("slider")
    count = page.url.split("edits=")[1].split("&")[0].count("%3A")
    assert count >= 1
    expect(sliders).to_have_count(count)
