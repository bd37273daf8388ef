"""Titles that try to be more than text: every page shows them as they are."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from playwright.sync_api import Page

from tests.browser import driving

HOSTILE = (
    '<img src=x onerror="window.hostile=1"><script>window.hostile=1</script> [x](javascript:window.hostile=1) '
    "<svg onload=window.hostile=1> $x^2$ :red[x]"
)
CONCEPTS = ("/concept", "/concept?search=img", "/concept?items=1-2-3")
LATENTS = ("/latents", "/latent", "/compare", "/find", "/find?items=3")
PATHS = ("/", *LATENTS, *CONCEPTS, "/latents_vs_neurons", "/steer", "/steer?history=1-2-3")

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def hostile(tiny_study: Path, tmp_path_factory: pytest.TempPathFactory, artefacts: Path) -> Iterator[str]:
    """A dashboard on a copy of the tiny study in which every title is hostile."""
    study = shutil.copytree(tiny_study, tmp_path_factory.mktemp("hostile") / "study")
    table = pd.read_parquet(study / "data/catalogue.parquet")
    table["title"] = [f"{HOSTILE} {item}" for item in table["item"]]
    table.to_parquet(study / "data/catalogue.parquet")
    with driving.dashboard(study, artefacts / "hostile.log") as url:
        yield url


@pytest.mark.parametrize("path", PATHS)
def test_a_title_never_runs(path: str, hostile: str, page: Page) -> None:
    driving.open_page(page, hostile + path)
    if path.startswith("/steer"):
        driving.scene_of(page)
    assert page.evaluate("window.hostile") is None
    assert page.locator("img[src='x'], svg[onload], a[href^='javascript']").count() == 0


def test_the_steered_list_shows_it_literally(hostile: str, page: Page) -> None:
    driving.open_page(page, f"{hostile}/steer")
    driving.scene_of(page)
    driving.drag(page, -8.0)
    driving.release(page)
    assert all(title.startswith(HOSTILE) for title in driving.titles(page, "after"))
    assert page.evaluate("window.hostile") is None
