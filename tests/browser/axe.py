"""axe-core in a page that is open."""

from importlib.resources import files

import pytest
from playwright.sync_api import Page

RUN = "() => axe.run(document, { resultTypes: ['violations'] })"
BAD = ("serious", "critical")


def accessible(page: Page) -> None:
    """Fails on a serious or critical finding in either theme."""
    pytest.importorskip("axe_playwright_python", reason="axe-playwright-python is not installed")
    if not page.evaluate("'axe' in window"):
        page.evaluate(files("axe_playwright_python").joinpath("axe.min.js").read_text())
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        page.wait_for_timeout(600)
        page.wait_for_selector("[data-stale=true]", state="detached")  # what is about to go is faded
        found = [violation for violation in page.evaluate(RUN)["violations"] if violation["impact"] in BAD]
        assert not told(found), (scheme, told(found))


def told(violations: list[dict]) -> list[str]:
    """Rule and element of each finding."""
    return [f"{rule['id']}: {node['html'][:200]}" for rule in violations for node in rule["nodes"]]
