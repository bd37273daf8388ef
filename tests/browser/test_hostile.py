"""Titles, names of concepts, reviews and scenarios that try to be more than text: every page shows them as they are."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pandas as pd
import pytest
from playwright.sync_api import Page

from seqsae_core.reports.latent import latent_report
from seqsae_core.reports.summary import study_summary
from seqsae_core.reviews import report
from seqsae_core.reviews.events import Event
from seqsae_core.reviews.names import with_reviews
from seqsae_core.reviews.store import Reviews
from seqsae_core.reviews.weights import Weights
from seqsae_core.steering.edits import Edit
from seqsae_core.steering.scenarios import Scenario, save
from seqsae_core.study import Study
from tests.browser import driving
from tests.browser.test_appearance import overflow

HOSTILE = (
    '<img src=x onerror="hostile=1"> ![x](http://hostile.invalid/x.png) [x](javascript:hostile=1) '
    "<script>hostile=1</script> <svg onload=hostile=1> $x^2$ :red[x] `` [x](//hostile.invalid) `"
)
LONG = "W" * 500
RIGHT_TO_LEFT = "\u202e" + "مرحبا بالعالم " * 30
EMOJI = "👩‍👩‍👧‍👦🏳️‍🌈" * 60
TITLES = (HOSTILE, LONG, RIGHT_TO_LEFT, EMOJI)
NAME = HOSTILE.replace("/", ":")[:80]
CONCEPTS = ("/concept", "/concept?search=img", "/concept?items=1-2-3")
LATENTS = ("/latents", "/latent", "/latent?latent=5", "/compare", "/find", "/find?items=3")
OTHERS = ("/latents_vs_neurons", "/dictionaries", "/against", "/steer", "/steer?history=1-2-3", "/review", "/studies")
ASKED = quote(HOSTILE)
LINKS = (
    f"/?study={ASKED}", f"/?dictionary={ASKED}", f"/latents?search={ASKED}", f"/concept?concept={ASKED}",
    f"/steer?edits={ASKED}", f"/latent?latent={ASKED}", f"/latents?where={ASKED}", f"/against?against={ASKED}",
)  # fmt: skip
PATHS = ("/", *LATENTS, *CONCEPTS, *OTHERS, *LINKS)
GENRE = "Drama"
ELSEWHERE = """() => [...document.querySelectorAll('[src], a')]
  .map((e) => new URL(e.src || e.href?.baseVal || e.href || '', location))
  .filter((address) => address.hostname === 'hostile.invalid').map(String)"""

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def study(tiny_study: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the tiny study in which every title is hostile, and so is the study's own name."""
    study = shutil.copytree(tiny_study, tmp_path_factory.mktemp("hostile") / NAME)
    for path in study.rglob("*.parquet"):
        _hostile(pd.read_parquet(path)).to_parquet(path)
    for path in study.rglob("dictionaries/**/*.json"):
        path.write_text(path.read_text().replace(GENRE, json.dumps(HOSTILE)[1:-1]))
    table = pd.read_parquet(study / "data/catalogue.parquet")
    table["title"] = [title_of(item) for item in table["item"]]
    table.to_parquet(study / "data/catalogue.parquet")
    _decide(Study.open(study))
    return study


@pytest.fixture(scope="module")
def hostile(study: Path, artefacts: Path) -> Iterator[str]:
    """A dashboard on it."""
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
        for latent in range(0 if who == "Ada" else 32, 64):  # below 32 nobody disagrees: the hostile names hold
            reviews.record(Event(who, weights.fingerprint, latent, "verdict", verdict, name=HOSTILE, note=HOSTILE,
                                 automatic=HOSTILE, tags=(HOSTILE,)))  # fmt: skip
    save(study.scenarios, Scenario(HOSTILE[:80], (Edit(5, 1.0),), weights.fingerprint, note=HOSTILE))


def harmless(page: Page) -> None:
    """Nothing of what was written has run or became an element."""
    assert page.evaluate("window.hostile") is None
    assert page.locator("img[src='x'], svg[onload], a[href^='javascript']").count() == 0
    assert page.evaluate(ELSEWHERE) == []
    assert page.locator("main .katex").count() == 0


@pytest.mark.parametrize("path", PATHS)
def test_a_title_never_runs(path: str, hostile: str, tab: driving.Tab) -> None:
    tab.visit(hostile + path)
    if path.startswith("/steer") and path not in LINKS:
        driving.scene_of(tab.page)
    harmless(tab.page)
    assert overflow(tab.page, 800) <= 0


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


def test_nor_do_columns_cells_and_the_name_of_a_file_that_is_sent(hostile: str, page: Page) -> None:
    driving.open_page(page, f"{hostile}/new_study")
    table = pd.DataFrame({name: [HOSTILE] * 3 for name in ("user_id", "item_id", "timestamp", HOSTILE, f"{HOSTILE} 2")})
    page.locator("input[type=file]").first.set_input_files(_file(f"{NAME}.csv", table.to_csv(index=False).encode()))
    page.get_by_text("Which column").or_(page.get_by_text("The study")).first.wait_for()
    driving.settled(page)
    harmless(page)


@pytest.mark.parametrize(("name", "content"), [
    (f"{NAME}.csv.gz", b"x"),
    (f"{NAME}.csv", f'"{HOSTILE}","{HOSTILE}"\n1,2\n'.replace('="hostile=1"', "").encode()),
])  # fmt: skip
def test_nor_does_what_a_refusal_quotes(name: str, content: bytes, hostile: str, page: Page) -> None:
    driving.open_page(page, f"{hostile}/new_study")
    page.locator("input[type=file]").first.set_input_files(_file(name, content))
    page.get_by_test_id("stAlert").first.wait_for()
    driving.settled(page)
    harmless(page)


def _file(name: str, content: bytes) -> dict:
    return {"name": name, "mimeType": "text/csv", "buffer": content}


def test_nor_do_reports(study: Path, page: Page) -> None:
    opened = Study.open(study)
    dictionary, reviews = opened.default_dictionary, Reviews(opened.reviews)
    fingerprint = Weights.of(opened).fingerprint
    rows = with_reviews(opened.features().set_index("feature", drop=False), reviews.outcomes(fingerprint))
    whole = report.to_html(reviews, fingerprint, opened.name)
    for text in (latent_report(opened, dictionary, rows, 5), study_summary(opened, dictionary, rows), whole):
        assert "onerror" in text
        page.set_content(text)
        harmless(page)


def test_no_table_offers_the_browsers_own_csv_which_would_hold_formulas(hostile: str, page: Page) -> None:
    driving.open_page(page, f"{hostile}/latents")
    its = page.get_by_label("Download as CSV").first
    its.wait_for(state="attached")  # under another name it would not be hidden
    shown = its.evaluate("e => getComputedStyle(e.closest('[data-testid=stElementToolbarButton]')).display")
    assert shown == "none"
