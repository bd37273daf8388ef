"""Every page opened by its own address as the first request to a fresh server."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.request import urlopen

import pytest
from playwright.sync_api import Page, expect

from seqsae_core.dashboard.navigation import ENTRIES, IN_BAR, STYLE
from tests.browser import driving

PATHS = {
    "overview": "/", "latents": "/latents?search=19", "latent": "/latent?latent={latent}",
    "compare": "/compare?latent={latent}&other=1", "find": "/find?user=5", "studies": "/studies",
    "concept": "/concept?search=the", "latents_vs_neurons": "/latents_vs_neurons", "dictionaries": "/dictionaries",
    "steer": "/steer?user=5&edits={latent}:2.0", "against": "/against", "review": "/review", "new_study": "/new_study",
    "method": "/method?section=the-map",
}  # fmt: skip
TITLES = {entry.key: entry.title for entry in ENTRIES}

pytestmark = pytest.mark.browser


class Cold(NamedTuple):
    """A page by its key, its address on a fresh server, and what that server prints."""

    key: str
    address: str
    log: Path


@pytest.fixture(scope="module")
def port() -> int:
    """One for all servers, so that the browser compiles Streamlit's scripts once."""
    return driving.free_port()


@pytest.fixture(params=PATHS)
def cold(request: pytest.FixtureRequest, tiny_study: Path, latent: int, artefacts: Path, port: int) -> Iterator[Cold]:
    """A server that has answered nothing yet, for each page."""
    log = artefacts / f"cold-{request.param}.log"
    with driving.dashboard(tiny_study, log, port) as address:
        yield Cold(request.param, address + PATHS[request.param].format(latent=latent), log)


def test_cold_link(cold: Cold, page: Page) -> None:
    driving.open_page(page, cold.address)
    assert page.title() == TITLES[cold.key]
    bar = page.locator(".st-key-bar")
    for name in IN_BAR:
        expect(bar.get_by_role("link", name=TITLES[name], exact=True)).to_be_visible()
    expect(page.get_by_test_id("stException")).to_have_count(0)
    expect(page.get_by_test_id("stAlert")).to_have_count(int(cold.key == "against"))  # there is one dictionary only
    expect(page.get_by_role("heading", level=1)).to_have_count(1)
    with urlopen(cold.address) as answer:
        assert STYLE.read_text() in answer.read().decode()
    assert "Traceback" not in cold.log.read_text()
