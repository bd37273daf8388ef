"""axe-core finds nothing serious or critical, in light or dark; test_appearance.py has it look at every page."""

import pytest

from tests.browser import driving
from tests.browser.axe import accessible

PATHS = ("/find?items=3", "/method?section=the-map")

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("path", PATHS)
def test_no_serious_finding_on_a_part_of_a_page(path: str, tab: driving.Tab, address: str) -> None:
    tab.visit(address + path)
    accessible(tab.page)
