"""A click on the table or on the map of latents, and on a page's name in the bar, to the page that it opens."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Browser, Page, TimeoutError

from benchmarks.browsing import watching
from seqsae_core.dashboard.navigation import ENTRIES, IN_BAR
from tests.browser import driving

ROW, HEADING, ROWS = 34, 35, 15
PAUSE, PATIENCE = 1200, 15_000
LATENT = (
    "[...document.querySelectorAll('[data-testid=stCaptionContainer]')]"
    ".some((e) => /^Latent \\d+ · one of/.test(e.textContent))"
    " && document.querySelector('h1')?.textContent !== 'Latents'"
)
# Places of latents on the screen that no neuron covers, so that a click hits one.
POINTS = """() => {
  const plot = document.querySelector('.js-plotly-plot'), box = plot.querySelector('.nsewdrag').getBoundingClientRect();
  const { xaxis, yaxis } = plot._fullLayout, every = [], others = [];
  for (const trace of plot._fullData) for (let i = 0; i < trace.x.length; i++) {
    const at = [box.x + xaxis.l2p(trace.x[i]), box.y + yaxis.l2p(trace.y[i])];
    (trace.customdata ? every : others).push(at);
  }
  const low = Math.min(box.bottom, innerHeight) - 9;
  const inside = ([x, y]) => x > box.left + 9 && x < box.right - 9 && y > box.top + 9 && y < low;
  return every.filter((p) => inside(p) && others.every((o) => Math.hypot(o[0] - p[0], o[1] - p[1]) > 25));
}"""


def latents(browser: Browser, study: Path, folder: Path, count: int) -> dict[str, Any]:
    """`count` clicks on rows and as many on points, each from the page of all latents, in one session."""
    with driving.dashboard(study, folder / "dashboard.log") as address:
        page = browser.new_page(viewport=driving.SIZE)
        driving.open_page(page, f"{address}/latents")
        watching.install(page)
        _ready(page)
        rows = _opened(page, _rows(page, count + 2))
        points = _opened(page, _points(page, count + 2))
    missed = 2 * (count + 2) - len(rows) - len(points)
    return {
        "row_to_latent": watching.summaries(rows[2:]), "point_to_latent": watching.summaries(points[2:]),
        "clicks_without_an_answer": missed,
    }  # fmt: skip


def _ready(page: Page) -> None:
    """The table and the map are there, and nothing runs."""
    page.get_by_test_id("stDataFrame").locator("canvas").first.wait_for(timeout=watching.PATIENCE)
    page.locator(".stPlotlyChart .nsewdrag").first.wait_for(timeout=watching.PATIENCE)
    driving.settled(page)
    page.wait_for_timeout(PAUSE)


def _rows(page: Page, count: int) -> Iterator[tuple[float, float]]:
    """The middles of rows of the table, one after another."""
    for turn in range(count):
        box = page.get_by_test_id("stDataFrame").bounding_box()
        yield box["x"] + 150, box["y"] + HEADING + ROW * (turn % ROWS + 0.5)


def _points(page: Page, count: int) -> Iterator[tuple[float, float]]:
    """Places of latents on the map, drawn by lot."""
    draw = np.random.default_rng(0)
    for _ in range(count):
        places = page.evaluate(POINTS)
        yield tuple(places[draw.integers(len(places))])


def _opened(page: Page, places: Iterator[tuple[float, float]]) -> list[dict[str, float]]:
    """The times of clicks on these places, each with the way back."""
    times = []
    for x, y in places:
        page.mouse.move(x, y)
        page.wait_for_timeout(300)
        watching.wait_for(page, LATENT)
        page.mouse.down()
        page.mouse.up()
        with suppress(TimeoutError):
            times.append(watching.took(page, within=PATIENCE))
            page.wait_for_timeout(PAUSE)
            page.go_back()
        _ready(page)
    return times


def pages(browser: Browser, study: Path, folder: Path, count: int) -> dict[str, Any]:
    """`count` rounds over the pages of the bar, after one that warms them up: all switches, and page by page."""
    with driving.dashboard(study, folder / "dashboard.log") as address:
        page = browser.new_page(viewport=driving.SIZE)
        driving.open_page(page, f"{address}/{IN_BAR[1]}")
        watching.install(page)
        titles = {entry.key: entry.title for entry in ENTRIES}
        headings = {key: _heading(page, titles[key]) for key in IN_BAR}
        times = {key: [] for key in IN_BAR}
        draw = np.random.default_rng(0)
        for _ in range(count):
            for key in _order(draw, page.url):
                times[key].append(_switch(page, key, titles[key], headings[key]))
    every = [one for key in IN_BAR for one in times[key]]
    by_page = {key: {name: round(float(np.percentile([t[name] for t in of], 95)), 1) for name in of[0]}
               for key, of in times.items()}  # fmt: skip
    return {"page_switch": watching.summaries(every), "p95_by_page_ms": by_page}


def _heading(page: Page, title: str) -> str:
    """Opens a page for the first time; its heading."""
    _link(page, title).click()
    page.wait_for_timeout(3000)
    driving.settled(page)
    return page.locator("h1").first.inner_text()


def _order(draw: np.random.Generator, url: str) -> list[str]:
    """All pages of the bar in an order drawn by lot that does not begin with the page that is open."""
    while True:
        order = draw.permutation(IN_BAR).tolist()
        if order[0] != url.split("?")[0].rsplit("/", 1)[-1]:
            return order


def _switch(page: Page, key: str, title: str, heading: str) -> dict[str, float]:
    path = "/" if key == IN_BAR[0] else f"/{key}"
    watching.wait_for(
        page, f"location.pathname === {path!r} && document.querySelector('h1')?.textContent === {heading!r}"
    )
    _link(page, title).click()
    times = watching.took(page)
    page.wait_for_timeout(PAUSE)
    return times


def _link(page: Page, title: str) -> Any:
    return page.locator(".st-key-bar").get_by_role("link", name=title, exact=True)
