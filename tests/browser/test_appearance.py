"""Pages in two widths and two themes: nothing wider than the window, axe finds nothing, screenshots for the eye."""

from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.browser import driving
from tests.browser.axe import accessible

PATHS = {
    "overview": "/", "latents": "/latents", "latent": "/latent", "compare": "/compare", "find": "/find",
    "latents_vs_neurons": "/latents_vs_neurons", "concept": "/concept", "dictionaries": "/dictionaries",
    "steer": "/steer", "studies": "/studies", "against": "/against", "review": "/review", "new_study": "/new_study",
    "method": "/method?section=evidence",
}  # fmt: skip
TALLEST = 4000

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("key", PATHS)
def test_fits_the_window_and_is_accessible(key: str, tab: driving.Tab, address: str, artefacts: Path) -> None:
    tab.visit(address + PATHS[key])
    page = tab.page
    if key == "steer":
        driving.scene_of(page)
    for width, scheme in ((1440, "light"), (800, "dark")):
        assert overflow(page, width) <= 0
        page.emulate_media(color_scheme=scheme)
        page.wait_for_timeout(300)
        page.screenshot(path=artefacts / f"{key}-{width}-{scheme}.png", animations="disabled")
    accessible(page)


def overflow(page: Page, width: int) -> int:
    """Pixels by which the page is wider than a window of this width; leaves the window as tall as the page."""
    page.set_viewport_size({"width": width, "height": 900})
    page.wait_for_timeout(300)
    wide, tall = page.get_by_test_id("stMain").evaluate("e => [e.scrollWidth - e.clientWidth, e.scrollHeight]")
    page.set_viewport_size({"width": width, "height": min(tall, TALLEST)})
    page.wait_for_timeout(300)
    return wide
