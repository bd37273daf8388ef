"""Titles, names of concepts, reviews and scenarios that try to be more than text: every page shows them as they are."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from playwright.sync_api import Page

from seqsae_core.reviews.events import Event
from seqsae_core.reviews.store import Reviews
from seqsae_core.reviews.weights import Weights
from seqsae_core.steering.edits import Edit
from seqsae_core.steering.scenarios import Scenario, save
from seqsae_core.study import Study
from tests.browser import driving
from tests.browser.test_appearance import overflow

HOSTILE = (
    '<img src=x onerror="window.hostile=1"><script>window.hostile=1</script> [x](javascript:window.hostile=1) '
    "<svg onload=window.hostile=1> $x^2$ :red[x]"
)
LONG = "W" * 500
RIGHT_TO_LEFT = "\u202e" + "مرحبا بالعالم " * 30
EMOJI = "👩‍👩‍👧‍👦🏳️‍🌈" * 60
TITLES = (HOSTILE, LONG, RIGHT_TO_LEFT, EMOJI)
CONCEPTS = ("/concept", "/concept?search=img", "/concept?items=1-2-3")
LATENTS = ("/latents", "/latent", "/latent?latent=5", "/compare", "/find", "/find?items=3")
OTHERS = ("/latents_vs_neurons", "/dictionaries", "/steer", "/steer?history=1-2-3", "/review")
PATHS = ("/", *LATENTS, *CONCEPTS, *OTHERS)
GENRE = "Drama"

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def hostile(tiny_study: Path, tmp_path_factory: pytest.TempPathFactory, artefacts: Path) -> Iterator[str]:
    """A dashboard on a copy of the tiny study in which every title is hostile."""
    study = shutil.copytree(tiny_study, tmp_path_factory.mktemp("hostile") / "study")
    for path in study.rglob("*.parquet"):
        _hostile(pd.read_parquet(path)).to_parquet(path)
    for path in study.rglob("dictionaries/**/*.json"):
        path.write_text(path.read_text().replace(GENRE, json.dumps(HOSTILE)[1:-1]))
    table = pd.read_parquet(study / "data/catalogue.parquet")
    table["title"] = [title_of(item) for item in table["item"]]
    table.to_parquet(study / "data/catalogue.parquet")
    _decide(Study.open(study))
    with driving.dashboard(study, artefacts / "hostile.log") as url:
        yield url


def title_of(item: int) -> str:
    """What the study calls an item: markup, 500 letters without a space, text from right to left, or emoji."""
    return f"{TITLES[item % len(TITLES)]} {item}"


def _hostile(table: pd.DataFrame) -> pd.DataFrame:
    """A table in which a genre has a hostile name, in headings too."""
    named = table.map(lambda value: value.replace(GENRE, HOSTILE) if isinstance(value, str) else value)
    return named.rename(columns=lambda name: name.replace(GENRE, HOSTILE))


def _decide(study: Study) -> None:
    """Two reviewers who disagree in hostile words, and a scenario with a hostile name and note."""
    reviews, weights = Reviews(study.reviews), Weights.of(study)
    reviews.register(weights.fingerprint, study.default_dictionary)
    for who, verdict in (("Ada", "rename"), (HOSTILE[:80], "reject")):
        for latent in range(64):
            reviews.record(Event(who, weights.fingerprint, latent, "verdict", verdict, name=HOSTILE, note=HOSTILE,
                                 automatic=HOSTILE, tags=(HOSTILE,)))  # fmt: skip
    save(study.scenarios, Scenario(HOSTILE[:80], (Edit(5, 1.0),), weights.fingerprint, note=HOSTILE))


def harmless(page: Page) -> None:
    """Nothing of what was written has run or became an element."""
    assert page.evaluate("window.hostile") is None
    assert page.locator("img[src='x'], svg[onload], a[href^='javascript']").count() == 0


@pytest.mark.parametrize("path", PATHS)
def test_a_title_never_runs(path: str, hostile: str, page: Page) -> None:
    driving.open_page(page, hostile + path)
    if path.startswith("/steer"):
        driving.scene_of(page)
    harmless(page)
    assert overflow(page, 800) <= 0


PARTS = (("/steer?edits=5:1.0", "Scenarios"), ("/review", "History"), ("/review", "Agreement"))


@pytest.mark.parametrize(("path", "choice"), PARTS)
def test_nor_do_names_and_notes_of_reviews_and_scenarios(path: str, choice: str, hostile: str, page: Page) -> None:
    driving.open_page(page, hostile + path)
    page.get_by_role("radio", name=choice).or_(page.get_by_role("button", name=choice)).first.click()
    driving.settled(page)
    harmless(page)


def test_the_steered_list_shows_it_literally(hostile: str, page: Page) -> None:
    driving.open_page(page, f"{hostile}/steer")
    driving.scene_of(page)
    driving.drag(page, -8.0)
    driving.release(page)
    assert all(title.startswith(TITLES) for title in driving.titles(page, "after"))
    assert page.evaluate("window.hostile") is None
