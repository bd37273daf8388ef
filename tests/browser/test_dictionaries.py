"""From a point or a row of the comparison to a dictionary."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import driving

pytestmark = pytest.mark.browser
ROW, HEADING = 34, 35


@pytest.fixture(scope="module")
def swept(swept_study: Path, artefacts: Path, browser: Browser) -> Iterator[str]:
    """A dashboard on a study of three dictionaries."""
    with driving.dashboard(swept_study, artefacts / "swept.log") as url:
        yield url


def test_a_click_on_a_point_or_a_row_chooses_a_dictionary(page: Page, swept: str) -> None:
    driving.open_page(page, f"{swept}/dictionaries")
    command = page.get_by_test_id("stCode").filter(has_text="seqsae_core use")
    expect(command).to_have_count(0)
    page.locator(".js-plotly-plot").first.locator(".point[style*='opacity']").first.wait_for()
    points = page.locator(".js-plotly-plot").first.locator(".scatterlayer .trace .points path")
    box = points.last.bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(command).to_be_visible()
    table = page.get_by_test_id("stDataFrame")
    chosen = page.get_by_role("combobox", name="Dictionary")
    for row, name in ((1, "layer1-topk-64-k4"), (2, "layer2-relu-64-l1-1"), (3, "layer2-topk-64-k2")):
        box = table.bounding_box()
        page.mouse.click(box["x"] + 60, box["y"] + HEADING + ROW * (row - 0.5))
        expect(chosen).to_have_value(name)
        driving.settled(page)
    expect(command).to_contain_text("layer2-topk-64-k2")
    page.get_by_role("link", name="Steer", exact=True).click()
    driving.scene_of(page)
