"""A tiny study of each format, kept as it was built then: every page opens it today, and the files are whole."""

import shutil
from pathlib import Path

import pytest

from seqsae_core.metrics import quoted
from seqsae_core.study import Study, sha256
from tests.pages.conftest import ROOT

KEPT = sorted(path.parent for path in (ROOT / "tests/formats").glob("*/manifest.json"))
PAGES = (
    "overview", "latents", "latent", "compare", "find", "concept", "latents_vs_neurons", "dictionaries", "against",
    "steer", "review", "studies",
)  # fmt: skip


@pytest.fixture(scope="module", params=KEPT, ids=lambda folder: f"format-{folder.name}")
def kept(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of a kept study: pages write its log."""
    return shutil.copytree(request.param, tmp_path_factory.mktemp("kept") / "old")


@pytest.mark.parametrize("name", PAGES)
def test_a_page_opens_a_study_of_an_earlier_format(open_page, kept, name):
    page = open_page(name, kept)
    assert not page.error
    assert len(page.title) == 1


def test_its_figures_are_read_and_its_files_are_those_that_were_built(kept):
    study = Study.open(kept)
    figures = quoted(study)
    assert figures["data"]["users"] == len(study.sequences()) and 0 < figures["recommender"]["ndcg@10"] < 1
    for key, entry in study.manifest["stages"].items():
        assert {path.name: sha256(path) for path in (kept / key).iterdir()} == entry["sha256"]
