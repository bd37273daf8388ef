"""The guide's tour without a mouse: every control is reached by Tab, and keys do what clicks do."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser import driving

FOCUSED = """() => {
  let node = document.activeElement;
  while (node?.shadowRoot?.activeElement) node = node.shadowRoot.activeElement;
  return node;
}"""
MATCHES = """([node, selector, text]) => {
  const labels = [...(node.labels ?? [])].map((label) => label.innerText);
  return node.matches(selector) && [node.ariaLabel, node.innerText, ...labels].join().includes(text);
}"""
FAR = 200

pytestmark = pytest.mark.browser


def tab_to(page: Page, selector: str, text: str = "") -> None:
    """Presses Tab until an element that matches has the focus; text: what it or its label says."""
    for _ in range(FAR):
        page.keyboard.press("Tab")
        node = page.evaluate_handle(FOCUSED)
        if page.evaluate(MATCHES, [node, selector, text]):
            return
    pytest.fail(f"Tab does not reach {selector} “{text}”")


def follow(page: Page, name: str) -> None:
    """A link of the bar."""
    tab_to(page, ".st-key-bar a", name)
    page.keyboard.press("Enter")
    expect(page).to_have_title(name)
    driving.settled(page)


def test_turning_a_latent_and_asking_why(page: Page, address: str) -> None:
    driving.open_page(page, f"{address}/")
    tab_to(page, "button", "Steer a recommendation")
    page.keyboard.press("Enter")
    serial = int(driving.scene_of(page).get_attribute("data-serial"))
    driving.settled(page)
    tab_to(page, "input[type=range]")
    page.keyboard.press("End")
    page.wait_for_selector(f'.steer[data-serial="{serial + 1}"]')
    driving.settled(page)
    expect(page.locator(".steer .said")).not_to_have_text("Both lists are identical.")
    tab_to(page, "button.why")
    page.keyboard.press("Enter")
    expect(page.get_by_text(re.compile(r"is at rank \d+"))).to_be_visible()
    driving.settled(page)
    tab_to(page, "button", "Why this item?")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    expect(page.get_by_text("One line an item")).to_be_visible()


def test_from_a_history_to_a_latent_and_a_table_taken_along(page: Page, address: str, tmp_path: Path) -> None:
    driving.open_page(page, f"{address}/")
    follow(page, "Find")
    page.locator(".heat .cell").first.wait_for()
    driving.settled(page)
    tab_to(page, ".cell")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/latent\?.*latent=\d+"))
    driving.settled(page)
    follow(page, "Latents vs neurons")
    tab_to(page, "input", "Against")
    page.keyboard.type("PCA")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("kind=pca"))
    driving.settled(page)
    tab_to(page, "button", "Take this table")
    page.keyboard.press("Enter")
    with page.expect_download() as download:
        tab_to(page, "button", "CSV")
        page.keyboard.press("Enter")
    download.value.save_as(tmp_path / "taken.csv")
    assert (tmp_path / "taken.csv").read_text("utf-8-sig").startswith("kind,")


def test_searching_for_a_latent_and_opening_it(page: Page, address: str) -> None:
    driving.open_page(page, f"{address}/latents")
    page.get_by_test_id("stDataFrame").locator("canvas").first.wait_for()
    tab_to(page, "input[aria-label=Search]")
    page.keyboard.type("1")
    expect(page.get_by_text("1 shown, the best-evidenced first")).to_be_visible()
    driving.settled(page)
    tab_to(page, "canvas")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    page.wait_for_url(re.compile(r"/latent\?.*latent=1&"))
    expect(page).to_have_title("Latent")
