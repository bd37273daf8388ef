"""The live slider: from letting go to the exact list, and the frames while the mouse drags."""

from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Browser, Page

from benchmarks.browsing.watching import summary
from tests.browser import driving

PAUSE = 600
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


def measure(browser: Browser, study: Path, folder: Path, count: int) -> dict[str, Any]:
    """Of `count` releases and all frames of their drags, in one session on a fresh server."""
    with driving.dashboard(study, folder / "dashboard.log") as address:
        return reported(turns(browser.new_page(viewport=driving.SIZE), address, count))


def turns(page: Page, address: str, count: int) -> dict[str, list[float]]:
    """Milliseconds of each release (to the DOM, to the painted frame) and of each frame while dragging."""
    driving.open_page(page, f"{address}/steer")
    driving.scene_of(page)
    limit = float(page.locator(".steer input[type=range]").first.get_attribute("max"))
    driving.drag(page, 0.0)
    driving.release(page)
    page.wait_for_timeout(1000)
    page.evaluate(WATCH)
    for target in np.random.default_rng(0).uniform(-limit, limit, count):
        page.evaluate("window.seen.dragging = true")
        driving.drag(page, float(target), steps=40)
        page.evaluate("window.seen.dragging = false")
        driving.release(page)
        page.wait_for_timeout(PAUSE)
    return page.evaluate("window.seen")


def reported(seen: dict[str, list[float]]) -> dict[str, Any]:
    """Medians and 95th percentiles in milliseconds."""
    return {
        "release_to_list_ms": summary(seen["dom"]),
        "release_to_painted_ms": summary(seen["painted"]),
        "frame_while_dragging_ms": summary(seen["frames"]),
    }
