"""How fast pages answer in a real browser: `python benchmarks/dashboard.py STUDY [--releases N]` for the live slider,
`python benchmarks/dashboard.py --filters N` for the table of 16,384 latents of an invented study.

Times are taken inside the page: from the slider's `change` event to the answer in the DOM and to the frame that shows
it, and between animation frames while the mouse drags; of a filter from the event to the new count under the table,
which for a search includes the pause of 100 ms after the last letter.
"""

import argparse
import json
import os
import platform
import sys
import tempfile
from pathlib import Path

import numpy as np
from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.browser import driving  # noqa: E402
from tests.pages import synthetic  # noqa: E402

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

WATCH = """() => {
  const roots = [...document.querySelectorAll('[data-testid=stBidiComponentIsolated]')].map((e) => e.shadowRoot);
  const steer = roots.map((r) => r.querySelector('.steer')).find(Boolean);
  const seen = window.seen = { dom: [], painted: [], frames: [], dragging: false };
  let released = 0, last = null;
  steer.addEventListener('change', () => { released = performance.now(); }, true);
  const answered = () => {
    const began = released;
    seen.dom.push(performance.now() - began);
    requestAnimationFrame(() => requestAnimationFrame((now) => seen.painted.push(now - began)));
  };
  new MutationObserver(answered).observe(steer, { attributes: true, attributeFilter: ['data-serial'] });
  const frame = (now) => {
    if (seen.dragging && last !== null) seen.frames.push(now - last);
    last = seen.dragging ? now : null;
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
}"""


def main() -> None:
    """Measure and print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("study", type=Path, nargs="?")
    parser.add_argument("--releases", type=int, default=60)
    parser.add_argument("--filters", type=int, default=0, help="measure so many filters instead of the slider")
    options = parser.parse_args()
    path = driving.chromium_path()
    if path is None:
        sys.exit("No Chromium on this machine: apt-get install chromium")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = driving.launch(playwright, path)
        study = large(Path(folder)) if options.filters else options.study.resolve()
        with driving.dashboard(study, Path(folder) / "dashboard.log") as address:
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            if options.filters:
                found = filtering(page, address, options.filters)
            else:
                found = sliding(measure(page, address, options.releases))
        version = browser.version
        browser.close()
    print(json.dumps({"study": str(study), **found, "machine": machine(version)}, indent=1))


def large(folder: Path) -> Path:
    """An invented study of 16,384 latents."""
    return synthetic.enlarge(synthetic.make(folder / "large"), LATENTS)


def filtering(page: Page, address: str, count: int) -> dict:
    """Milliseconds from a letter, and from a click on a state, to the new count under the table."""
    driving.open_page(page, f"{address}/latents")
    page.get_by_text("the best-evidenced first").wait_for()
    page.wait_for_timeout(3000)
    page.evaluate(COUNTED)
    typed, clicked = [], []
    for turn in range(count):
        page.get_by_role("textbox", name="Search").fill(SEARCHES[turn % len(SEARCHES)])
        typed.append(_took(page))
        page.get_by_role("textbox", name="Search").fill("")
        _took(page)
        for state in STATES:
            page.get_by_test_id("stButtonGroup").first.get_by_text(state, exact=True).click()
            clicked.append(_took(page))
    return {"latents": LATENTS, "search_to_count_ms": summary(typed), "state_to_count_ms": summary(clicked)}


def _took(page: Page) -> float:
    page.wait_for_function("window.counted.took.length > 0", timeout=driving.PATIENCE * 1000)
    took = page.evaluate("window.counted.took.splice(0)[0]")
    page.wait_for_timeout(1500)
    return took


def measure(page: Page, address: str, releases: int) -> dict[str, list[float]]:
    """Milliseconds of each release (to the DOM, to the painted frame) and of each frame while dragging."""
    driving.open_page(page, f"{address}/steer")
    driving.scene_of(page)
    limit = float(page.locator(".steer input[type=range]").first.get_attribute("max"))
    driving.drag(page, 0.0)
    driving.release(page)
    page.wait_for_timeout(1000)
    page.evaluate(WATCH)
    for target in np.random.default_rng(0).uniform(-limit, limit, releases):
        page.evaluate("window.seen.dragging = true")
        driving.drag(page, float(target), steps=40)
        page.evaluate("window.seen.dragging = false")
        driving.release(page)
        page.wait_for_timeout(600)
    return page.evaluate("window.seen")


def sliding(seen: dict[str, list[float]]) -> dict:
    """Medians and 95th percentiles in milliseconds."""
    return {
        "release_to_list_ms": summary(seen["dom"]),
        "release_to_painted_ms": summary(seen["painted"]),
        "frame_while_dragging_ms": summary(seen["frames"]),
    }


def machine(browser: str) -> dict:
    """What it was measured on."""
    return {
        "cores": os.cpu_count(),
        "architecture": platform.machine(),
        "python": platform.python_version(),
        "browser": f"Chromium {browser}, headless, without a GPU",
        "load_at_end": os.getloadavg()[0],
    }


def summary(values: list[float]) -> dict[str, float]:
    """Number of values, median, 95th percentile, largest."""
    p50, p95 = np.percentile(values, [50, 95])
    return {"n": len(values), "p50": round(p50, 1), "p95": round(p95, 1), "max": round(max(values), 1)}


if __name__ == "__main__":
    main()
