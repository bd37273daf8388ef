"""Pages in two widths and both themes: nothing wider than the window, screenshots for the eye."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.browser import driving

PATHS = {
    "overview": "/", "latents": "/latents", "latent": "/latent", "latents_vs_neurons": "/latents_vs_neurons",
    "steer": "/steer",
}  # fmt: skip
TALLEST = 4000

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("key", PATHS)
def test_fits_the_window(key: str, browser: Browser, address: str, artefacts: Path) -> None:
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.set_default_timeout(driving.PATIENCE * 1000)
    page, complaints = context.new_page(), driving.Complaints()
    complaints.listen(page)
    driving.open_page(page, address + PATHS[key])
    for width in (1440, 800):
        for scheme in ("light", "dark"):
            assert overflow(page, width, scheme) <= 0
            page.screenshot(path=artefacts / f"{key}-{width}-{scheme}.png")
    context.close()
    assert not complaints.found


def overflow(page: Page, width: int, scheme: str) -> int:
    """Pixels by which the page is wider than a window of this width, once it has been drawn at its full height."""
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 900})
    page.wait_for_timeout(300)
    wide, tall = page.get_by_test_id("stMain").evaluate("e => [e.scrollWidth - e.clientWidth, e.scrollHeight]")
    page.set_viewport_size({"width": width, "height": min(tall, TALLEST)})
    page.wait_for_timeout(300)
    return wide
