"""From a point or a row of the comparison to a dictionary."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import driving

pytestmark = pytest.mark.browser
ROW = HEADING = 35


@pytest.fixture(scope="module")
def swept(swept_study: Path, artefacts: Path, browser: Browser) -> Iterator[str]:
    """A dashboard on a study of three dictionaries."""
    with driving.dashboard(swept_study, artefacts / "swept.log") as url:
        yield url


def test_a_click_on_a_row_or_a_point_chooses_a_dictionary(page: Page, swept: str) -> None:
    driving.open_page(page, f"{swept}/dictionaries")
    command, chosen = page.get_by_test_id("stCode").filter(has_text="seqsae_core use"), page.get_by_label("Dictionary")
    expect(command).to_have_count(0)
    for row, name in ((2, "layer2-topk-64-k2"), (0, "layer1-topk-64-k4")):
        click_row(page, row)
        expect(chosen).to_have_value(name)
    expect(command).to_have_count(0)
    page.locator(".js-plotly-plot").first.locator(".scatterlayer .points path").last.click(force=True)
    expect(chosen).to_have_value("layer2-relu-64-l1-1")
    expect(command).to_contain_text("layer2-relu-64-l1-1")


def click_row(page: Page, row: int) -> None:
    """Clicks the first cell of a row of the table, counted from 0."""
    driving.settled(page)
    table = page.get_by_test_id("stDataFrame")
    table.scroll_into_view_if_needed()
    box = table.bounding_box()
    page.mouse.click(box["x"] + 60, box["y"] + HEADING + ROW * (row + 0.5))
