"""Pages that have nothing to show yet, or not what was asked for: what they say, in both themes and at 800 px."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import driving
from tests.browser.axe import accessible
from tests.browser.test_appearance import overflow
from tests.pages import synthetic

STATES = {
    "/?study=nowhere": "There is no study here yet",
    "/steer?study=growing": "This page is being made",
    "/?study=growing": "About 3 min left",
    "/latents?study=failed": "the disk is full",
    "/find?study=stopped": "No build is running",
    "/latents?study=half": "This page waits for the build",
    "/?study=half": "comes with the evidence",
    "/latents?study=mapless": "The map comes after the evidence",
    "/latent?study=mapless": "come with the stage steering",
    "/?study=damaged": "is damaged",
    "/latents?search=no such thing": "No latent matches",
    "/latent?latent=30": "fires in none of the sequences",
    "/latent?latent=999": "latents 0 to 63",
    "/latent?latent=x": "write a whole number",
    "/compare?latent=1&other=999": "latents 0 to 63",
    "/concept?search=qqqq": "No title has",
    "/concept?concept=Nonsense": "no concept",
    "/find?history=": "The history is empty",
    "/steer?history=": "The history is empty",
    "/against": "Only one dictionary has evidence",
    "/dictionaries": "No dictionary is screened yet",
    "/studies?study=growing": "being built",
    "/method?section=nonsense": "no section",
}

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of invented studies in every state that a study can be in."""
    root = tmp_path_factory.mktemp("states")
    whole = synthetic.make(root / "demo")
    shutil.copytree(whole, root / "gone")
    synthetic.make(root / "growing", until="data")
    synthetic.make(root / "failed", until="recommender")
    synthetic.progress(root / "failed", "sae", "failed", "the disk is full")
    synthetic.progress(root / "stopped", "data", pid=2**22 + 1)
    synthetic.make(root / "half", until="sae")
    synthetic.make(root / "mapless", until="evidence")
    (root / "damaged").mkdir()
    (root / "damaged/manifest.json").write_text("{")
    return root


@pytest.fixture(scope="module")
def states(root: Path, artefacts: Path, browser: Browser) -> Iterator[str]:
    """A dashboard on them."""
    with driving.dashboard(root / "demo", artefacts / "states.log") as url:
        yield url


@pytest.mark.parametrize("path", STATES)
def test_a_state_says_what_it_is(path: str, tab: driving.Tab, states: str, root: Path) -> None:
    synthetic.progress(root / "growing", "recommender", pid=os.getpid(), log=synthetic.LOG)  # old ones read as stopped
    tab.visit(states + path)
    page = tab.page
    expect(page.get_by_test_id("stMain")).to_contain_text(STATES[path])
    expect(page.get_by_test_id("stException")).to_have_count(0)
    assert overflow(page, 800) <= 0
    accessible(page)


def test_a_study_that_is_removed_while_it_is_open(page: Page, states: str, root: Path) -> None:
    driving.open_page(page, f"{states}/latents?study=gone")
    shutil.rmtree(root / "gone")
    page.get_by_role("textbox", name="Search").press_sequentially("drama", delay=60)
    driving.settled(page)
    expect(page.get_by_test_id("stException")).to_have_count(0)
    page.locator(".st-key-bar").get_by_role("link", name="Latents vs neurons").click()
    expect(page.get_by_text("There is no study here yet")).to_be_visible()
    page.get_by_role("link", name="demo").click()
    expect(page.get_by_role("heading", name="Demo")).to_be_visible()
