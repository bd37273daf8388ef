"""The table of 16,384 latents of an invented study: from a letter or a click to the new count under it."""

from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page

from benchmarks.browsing.watching import summary
from tests.browser import driving
from tests.pages import synthetic

LATENTS = 16_384
SEARCHES = ("drama", "war", "199", "comedy", "the", "horror")
STATES = ("Significant", "Not significant", "Dead", "All")
COUNTED = """() => {
  const seen = window.counted = { began: 0, took: [], said: null };
  const begin = () => { seen.began = performance.now(); };
  for (const type of ['input', 'pointerdown']) document.addEventListener(type, begin, true);
  const count = () => [...document.querySelectorAll('[data-testid=stCaptionContainer]')].map((e) => e.textContent)
    .find((text) => text.includes('best-evidenced'));
  seen.said = count();
  new MutationObserver(() => {
    const now = count();
    if (now && now !== seen.said) { seen.said = now; seen.took.push(performance.now() - seen.began); }
  }).observe(document.body, { childList: true, subtree: true, characterData: true });
}"""


def measure(browser: Browser, study: Path, folder: Path, count: int) -> dict[str, Any]:
    """Milliseconds to the new count; of a search they include the pause of 100 ms after the last letter."""
    large = synthetic.enlarge(synthetic.make(folder / "large"), LATENTS)
    with driving.dashboard(large, folder / "dashboard.log") as address:
        page = browser.new_page(viewport=driving.SIZE)
        driving.open_page(page, f"{address}/latents")
        page.get_by_text("the best-evidenced first").wait_for()
        page.wait_for_timeout(3000)
        page.evaluate(COUNTED)
        typed, clicked = _filters(page, count)
    return {"latents": LATENTS, "search_to_count_ms": summary(typed), "state_to_count_ms": summary(clicked)}


def _filters(page: Page, count: int) -> tuple[list[float], list[float]]:
    typed, clicked = [], []
    for turn in range(count):
        page.get_by_role("textbox", name="Search").fill(SEARCHES[turn % len(SEARCHES)])
        typed.append(_took(page))
        page.get_by_role("textbox", name="Search").fill("")
        _took(page)
        for state in STATES:
            page.get_by_test_id("stButtonGroup").first.get_by_text(state, exact=True).click()
            clicked.append(_took(page))
    return typed, clicked


def _took(page: Page) -> float:
    page.wait_for_function("window.counted.took.length > 0", timeout=driving.PATIENCE * 1000)
    took = page.evaluate("window.counted.took.splice(0)[0]")
    page.wait_for_timeout(1500)
    return took
