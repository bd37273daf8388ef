"""axe-core finds nothing serious or critical, in light or dark; test_appearance.py has it look at every page."""

import pytest
from playwright.sync_api import Page

from tests.browser import driving
from tests.browser.axe import accessible

PATHS = ("/find?items=3", "/method?section=the-map")

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("path", PATHS)
def test_no_serious_finding_on_a_part_of_a_page(path: str, tab: Page, address: str) -> None:
    driving.visit(tab, address + path)
    accessible(tab)
