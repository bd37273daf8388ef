"""How far things jump while a page comes: the Layout Instability score of browsers (CLS), page by page."""

from pathlib import Path
from typing import Any

from playwright.sync_api import Browser

from seqsae_core.dashboard.navigation import ENTRIES
from tests.browser import driving

QUIET = 2000
WATCH = """() => {
  window.shifts = [];
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) window.shifts.push([entry.startTime, entry.value]);
  }).observe({ type: 'layout-shift', buffered: true });
}"""


def measure(browser: Browser, study: Path, folder: Path, count: int) -> dict[str, Any]:
    """Each page opened `count` times by its address; the largest score of each, of its worst window as web.dev defines
    it: shifts less than 1 s apart, 5 s at most."""
    worst = {}
    with driving.dashboard(study, folder / "dashboard.log") as address:
        for entry in ENTRIES:
            worst[entry.key] = max(score(browser, f"{address}/{entry.key}") for _ in range(count))
    return {"layout_shift": {key: round(score, 4) for key, score in worst.items()}}


def score(browser: Browser, address: str) -> float:
    """Of one page, opened in a window of its own."""
    page = browser.new_page(viewport=driving.SIZE)
    page.add_init_script(f"({WATCH})()")
    driving.open_page(page, address)
    page.wait_for_timeout(QUIET)
    shifts = page.evaluate("window.shifts")
    page.close()
    return largest_window(shifts)


def largest_window(shifts: list[tuple[float, float]]) -> float:
    """The largest sum of scores of one window; shifts: (milliseconds, score), in order."""
    largest, total, began, last = 0.0, 0.0, -1e9, -1e9
    for at, score in shifts:
        if at - last >= 1000 or at - began >= 5000:
            total, began = 0.0, at
        total, last = total + score, at
        largest = max(largest, total)
    return largest
