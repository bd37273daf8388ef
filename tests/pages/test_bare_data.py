"""A study from bare `user item time` rows: every page works, and says what it lacks without titles and concepts."""

from pathlib import Path

import pandas as pd
import pytest

from seqsae_core.build import build
from seqsae_core.config import preset
from seqsae_core.dashboard import lacking
from seqsae_core.data.readers import locate
from seqsae_core.study import Study
from tests.pages.conftest import ROOT, said

PAGES = sorted(path.stem for path in (ROOT / "pages").glob("*.py"))


@pytest.fixture(scope="session")
def bare_study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A `tiny` study of MovieTweetings' rows without their films' table."""
    folder = tmp_path_factory.mktemp("bare")
    rows = pd.read_parquet(locate("movietweetings")[0])[["user_id", "movie_id"]]
    rows.assign(time=range(len(rows))).to_csv(folder / "events.csv", index=False)
    build(folder / "study", preset("tiny", source=str(folder / "events.csv")))
    return folder / "study"


@pytest.mark.parametrize("name", PAGES)
def test_every_page_works_without_titles_and_concepts(open_page, bare_study, name):
    assert said(open_page(name, bare_study))


def test_what_is_missing_is_said_in_place_of_empty_figures(open_page, bare_study):
    overview, contest = (said(open_page(name, bare_study)) for name in ("overview", "latents_vs_neurons"))
    assert lacking.UNTITLED in overview and lacking.UNCLASSED in overview and lacking.UNCLASSED in contest
    assert not any(empty in overview + contest for empty in ("0 concepts", "0 of 0", "**–**"))


def test_a_study_with_titles_and_classes_lacks_nothing(open_page, tiny_study):
    shown = said(open_page("overview", tiny_study)) + said(open_page("latents_vs_neurons", tiny_study))
    assert not any(text in shown for text in (lacking.UNTITLED, lacking.UNCLASSED, lacking.TOO_RARE))


def test_classes_that_are_there_but_rare_are_not_called_missing():
    catalogue = pd.DataFrame({"item_id": ["1", "2"], "title": ["A", "2"], "genres": ["Rare", ""]})
    assert lacking.comparison({"latents": {"concepts": 0}}, catalogue) == lacking.TOO_RARE
    assert lacking.comparison({"latents": {"concepts": 1}}, catalogue) is None
    assert lacking.titles(catalogue) is None


def test_items_are_called_by_their_ids(bare_study):
    catalogue = Study.open(bare_study).catalogue()
    assert (catalogue["title"].astype(str) == catalogue["item_id"].astype(str)).all()
    assert set(Study.open(bare_study).concepts().groups) == {"popularity"}
