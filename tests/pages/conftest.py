"""Pages run by AppTest on a tiny study, or on invented ones for states that no build reaches quickly."""

from collections.abc import Callable
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from tests.pages import synthetic

ROOT = Path(__file__).resolve().parents[2]
Open = Callable[..., AppTest]


@pytest.fixture
def open_page(monkeypatch: pytest.MonkeyPatch) -> Open:
    """`open_page("latent", folder, latent=3)`: that page at those parameters, run once, without an exception."""

    def opened(name: str, folder: Path, **parameters: str | int) -> AppTest:
        monkeypatch.setenv("SEQSAE_STUDIES", str(folder.parent))
        monkeypatch.setenv("SEQSAE_STUDY", folder.name)
        monkeypatch.chdir(ROOT)
        st.cache_resource.clear()
        page = AppTest.from_file(str(ROOT / "pages" / f"{name}.py"), default_timeout=180)
        page.query_params.update({key: str(value) for key, value in parameters.items()})
        page.run()
        assert not page.exception, page.exception
        return page

    return opened


@pytest.fixture(scope="session")
def invented(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished study of invented figures with named, unclear and dead latents."""
    return synthetic.make(tmp_path_factory.mktemp("invented") / "demo")


@pytest.fixture(scope="session")
def unfinished(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Studies of invented figures that stop after a stage."""
    made: dict[str, Path] = {}

    def until(stage: str) -> Path:
        if stage not in made:
            made[stage] = synthetic.make(tmp_path_factory.mktemp("unfinished") / stage, until=stage)
        return made[stage]

    return until


def said(page: AppTest) -> str:
    """All text of a page that a reader sees without touching anything."""
    kinds = (page.title, page.header, page.subheader, page.markdown, page.caption, page.error, page.info, page.code)
    return "\n".join(element.value for kind in kinds for element in kind)
