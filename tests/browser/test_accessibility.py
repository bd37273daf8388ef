"""axe-core finds nothing serious or critical, in light or dark; test_appearance.py has it look at every page."""

from importlib.resources import files

import pytest

pytest.importorskip("axe_playwright_python", reason="axe-playwright-python is not installed")

from playwright.sync_api import Page

from tests.browser import driving

AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text()
RUN = "() => axe.run(document, { resultTypes: ['violations'] })"
BAD = ("serious", "critical")
PATHS = ("/find?items=3", "/method?section=the-map")

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("path", PATHS)
def test_no_serious_finding_on_a_part_of_a_page(path: str, page: Page, address: str) -> None:
    driving.open_page(page, address + path)
    accessible(page)


def accessible(page: Page) -> None:
    """Fails on a serious or critical finding in either theme."""
    page.evaluate(AXE)
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        page.wait_for_timeout(600)
        found = [violation for violation in page.evaluate(RUN)["violations"] if violation["impact"] in BAD]
        assert not told(found), (scheme, told(found))


def told(violations: list[dict]) -> list[str]:
    """Rule and element of each finding."""
    return [f"{rule['id']}: {node['html'][:200]}" for rule in violations for node in rule["nodes"]]
