"""How fast the live slider answers in a real browser: `python benchmarks/dashboard.py STUDY [--releases N]`.

Times are taken inside the page: from the slider's `change` event to the answer in the DOM and to the frame that shows
it, and between animation frames while the mouse drags.
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
    parser.add_argument("study", type=Path)
    parser.add_argument("--releases", type=int, default=60)
    options = parser.parse_args()
    path = driving.chromium_path()
    if path is None:
        sys.exit("No Chromium on this machine: apt-get install chromium")
    with tempfile.TemporaryDirectory() as logs, sync_playwright() as playwright:
        browser = driving.launch(playwright, path)
        with driving.dashboard(options.study.resolve(), Path(logs) / "dashboard.log") as address:
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            seen = measure(page, address, options.releases)
        version = browser.version
        browser.close()
    print(json.dumps(report(options.study, seen, version), indent=1))


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


def report(study: Path, seen: dict[str, list[float]], browser: str) -> dict:
    """Medians and 95th percentiles in milliseconds, and the machine."""
    return {
        "study": str(study),
        "release_to_list_ms": summary(seen["dom"]),
        "release_to_painted_ms": summary(seen["painted"]),
        "frame_while_dragging_ms": summary(seen["frames"]),
        "machine": {
            "cores": os.cpu_count(),
            "architecture": platform.machine(),
            "python": platform.python_version(),
            "browser": f"Chromium {browser}, headless, without a GPU",
            "load_at_end": os.getloadavg()[0],
        },
    }


def summary(values: list[float]) -> dict[str, float]:
    """Number of values, median, 95th percentile, largest."""
    p50, p95 = np.percentile(values, [50, 95])
    return {"n": len(values), "p50": round(p50, 1), "p95": round(p95, 1), "max": round(max(values), 1)}


if __name__ == "__main__":
    main()
