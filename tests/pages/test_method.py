"""METHOD as a page, and the links from figures to the sections about them."""

import re

import pytest

from seqsae_core.dashboard import method
from tests.pages.conftest import said

LINK = re.compile(r"\(method\?section=([^)]*)\)")
FIGURES = ("overview", "latents", "latent", "compare", "latents_vs_neurons", "studies")


def test_no_line_of_the_document_is_lost_between_its_sections():
    kept = "".join(section.title + section.text for section in method.sections().values())
    lines = method.PATH.read_text().splitlines()[1:]
    assert not [line for line in lines if line.strip() and line.removeprefix("#").lstrip("# ") not in kept]


def test_a_section_is_opened_by_its_link_and_one_that_is_not_there_is_named(open_page, tmp_path):
    page = open_page("method", tmp_path / "none")
    assert len(page.get("page_link")) >= len(method.sections())
    for name in ("the-map", "sources", "nonsense"):
        page.query_params["section"] = name
        page.run()
        shown = [heading.value for heading in page.subheader]
        assert not shown if name == "nonsense" else method.sections()[name].title in shown
    assert "no section `nonsense`" in page.error[0].value


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_leads_to_the_section_about_it(open_page, invented, name):
    page = open_page(name, invented)
    sections = [section for caption in page.caption for section in LINK.findall(caption.value)]
    assert len(sections) >= max(1, len(page.get("plotly_chart")))
    assert set(sections) <= set(method.sections())
    assert "METHOD" not in said(page)
