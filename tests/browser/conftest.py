"""A browser and a dashboard for the tests of this folder; without Chromium they skip, in CI they fail."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from seqsae_core.study import Study
from tests.browser import driving

ARTEFACTS = driving.ROOT / "tests/artefacts"
expect.set_options(timeout=driving.PATIENCE * 1000)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium, started once."""
    path = driving.chromium_path()
    if path is None:
        reason = "no Chromium on this machine: apt-get install chromium"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    with sync_playwright() as playwright:
        browser = driving.launch(playwright, path)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def artefacts() -> Path:
    """Where screenshots and logs go; not part of the repository."""
    ARTEFACTS.mkdir(parents=True, exist_ok=True)
    return ARTEFACTS


@pytest.fixture(scope="session")
def address(tiny_study: Path, artefacts: Path, browser: Browser) -> Iterator[str]:
    """A dashboard on the tiny study that all tests share."""
    with driving.dashboard(tiny_study, artefacts / "dashboard.log") as url:
        yield url


@pytest.fixture(scope="session")
def latent(tiny_study: Path) -> int:
    """The latent whose steering moves the lists most."""
    effects = Study.open(tiny_study).effects()
    return int(effects["latent"].iloc[effects["effect"].argmax()])


@pytest.fixture(scope="session")
def window(browser: Browser) -> Iterator[BrowserContext]:
    """One browser window for all tests, so that Streamlit's scripts are loaded and compiled once a server."""
    context = browser.new_context(viewport=driving.SIZE)
    context.set_default_timeout(driving.PATIENCE * 1000)
    yield context
    context.close()


@pytest.fixture
def page(window: BrowserContext, artefacts: Path, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A fresh tab of 1440 × 900; the test fails on anything the console complains about."""
    page, complaints = listened(window)
    yield page
    keep_picture(page, artefacts, request)
    page.close()
    assert not complaints.found


@pytest.fixture(scope="module")
def kept(window: BrowserContext) -> Iterator[tuple[driving.Tab, driving.Complaints]]:
    """A tab that stays open through a file."""
    page, complaints = listened(window)
    yield driving.Tab(page), complaints
    page.close()
    assert not complaints.found


@pytest.fixture
def tab(kept: tuple[driving.Tab, driving.Complaints], artefacts: Path, request: pytest.FixtureRequest
        ) -> Iterator[driving.Tab]:  # fmt: skip
    """The tab of a file, 1440 × 900 again, for pages that are only looked at."""
    tab, complaints = kept
    tab.page.set_viewport_size(driving.SIZE)
    tab.page.emulate_media(color_scheme="light")
    yield tab
    keep_picture(tab.page, artefacts, request)
    found = complaints.found.copy()
    complaints.found.clear()
    assert not found


def listened(window: BrowserContext) -> tuple[Page, driving.Complaints]:
    """A new tab and what it complains about from now on."""
    page, complaints = window.new_page(), driving.Complaints()
    complaints.listen(page)
    return page, complaints


def keep_picture(page: Page, folder: Path, request: pytest.FixtureRequest) -> None:
    """A screenshot under the test's name."""
    page.screenshot(path=folder / f"{re.sub(r'[^0-9A-Za-z]+', '-', request.node.name).strip('-')}.png")
