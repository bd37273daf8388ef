"""Reports as one HTML file: what they say, and that nothing in a title or a name becomes markup."""

import html
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from seqsae_core.errors import UserError
from seqsae_core.export import as_csv, as_parquet
from seqsae_core.reports import svg
from seqsae_core.reports.latent import latent_report
from seqsae_core.reports.page import POLICY, document, node, number
from seqsae_core.reports.summary import study_summary
from seqsae_core.study import Study

HOSTILE = '</style><script>alert(1)</script><img src=x onerror=alert(1)> & "q" \u202e\x00 ' + "t" * 500
LIMIT = 2 * 2**20


class Tags(HTMLParser):
    """Names of all tags and attributes of a page."""

    def __init__(self, text: str):
        super().__init__()
        self.tags, self.attributes = set(), set()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}


@pytest.fixture(scope="module")
def study(tiny_study: Path) -> Study:
    return Study.open(tiny_study)


@pytest.fixture(scope="module")
def rows(study: Study) -> pd.DataFrame:
    return study.features().set_index("feature", drop=False)


def harmless(text: str) -> None:
    found = Tags(text)
    assert not found.tags & {"script", "img", "iframe", "link", "object", "form", "a"}
    assert not any(name.startswith("on") or name in ("src", "href") for name in found.attributes)
    assert html.escape(POLICY, quote=False) in text and len(text.encode()) <= LIMIT


def test_a_latents_report_holds_its_figures_and_examples(study, rows):
    row = rows.sort_values("z", ascending=False).iloc[0]
    text = latent_report(study, study.default_dictionary, rows, int(row["feature"]))
    harmless(text)
    assert number(row["correlation"]) in text and html.escape(row["name"]) in text
    examples = study.examples(None, "latents", int(row["feature"]))
    title = study.catalogue().set_index("item").at[int(examples["items"].iloc[0][0]), "title"]
    assert html.escape(title, quote=False) in text and text.count("<svg") == 2


def test_a_dead_latent_has_a_report_and_one_that_is_not_there_is_named(study, rows):
    dead = rows.assign(alive=False)
    assert "never fires" in latent_report(study, study.default_dictionary, dead, 3)
    with pytest.raises(UserError, match="latents 0 to"):
        latent_report(study, study.default_dictionary, rows, 9999)


def test_a_studys_summary_holds_what_the_study_holds(study, rows):
    text = study_summary(study, study.default_dictionary, rows)
    harmless(text)
    assert number(study.recommender_metrics()["hr@10"], ".4f") in text
    found = study.evidence_summary()["latents"]
    assert number(found["mean_max_correlation"]) in text and number(found["mean_max_correlation_new_items"]) in text
    assert all(html.escape(key) in text for key in study.manifest["stages"])


def test_hostile_titles_and_names_stay_text(study, rows, monkeypatch):
    catalogue = study.catalogue().assign(title=HOSTILE, genres=HOSTILE)
    monkeypatch.setattr(Study, "catalogue", lambda self: catalogue)
    named = rows.assign(name=HOSTILE, name_evidence=HOSTILE, top_concept=HOSTILE)
    harmless(latent_report(study, study.default_dictionary, named, int(named["z"].idxmax())))
    harmless(study_summary(study, study.default_dictionary, named))


def test_text_between_elements_keeps_its_order():
    text = document("t", node("p", "a", node("b", "<"), "c", None, "d", class_="x", data_y=1))
    assert '<p class="x" data-y="1">a<b>&lt;</b>cd</p>' in text


def test_dots_lie_in_the_order_of_their_values_with_missing_ones_left_out():
    figure = svg.dots([svg.Dot("a", 0.5, 0.4, 0.6), svg.Dot("b", float("nan")), svg.Dot("c", -1.0)], "r")
    places = [float(circle.get("cx")) for circle in figure.iter("circle")]
    assert len(places) == 2 and places[0] > places[1]


def test_bars_are_as_high_as_their_counts():
    edges = np.arange(4.0)
    figure = svg.bars(edges[:-1], edges[1:], np.array([1, 4, 2]), "x")
    heights = [float(bar.get("height")) for bar in figure.iter("rect")]
    assert [round(h / heights[0], 1) for h in heights] == [1, 4, 2]


def test_a_table_survives_parquet_and_csv_with_lists_as_json(tmp_path):
    table = pd.DataFrame({"a": ["é, \"x\"\n", "שלום"], "b": [np.array([1, 2]), np.array([3])]}, index=[4, 9])
    (tmp_path / "t.parquet").write_bytes(as_parquet(table))
    (tmp_path / "t.csv").write_bytes(as_csv(table))
    back = pd.read_parquet(tmp_path / "t.parquet")
    assert back["a"].tolist() == table["a"].tolist() and [b.tolist() for b in back["b"]] == [[1, 2], [3]]
    flat = pd.read_csv(tmp_path / "t.csv")
    assert flat["a"].tolist() == table["a"].tolist() and flat["b"].tolist() == ["[1, 2]", "[3]"]
    assert re.match(b"\xef\xbb\xbf", as_csv(table))


@pytest.mark.parametrize("value", [None, np.nan, pd.NA, np.inf])
def test_a_figure_that_is_not_there_is_a_dash(value):
    assert number(value) == "–"


def test_a_latent_whose_name_has_no_confidence_has_a_report(study, rows):
    unsure = rows.assign(name_score=pd.array([pd.NA] * len(rows), dtype="Float64"))
    alive = int(rows.index[rows["alive"]][0])
    assert "Name confidence" in latent_report(study, study.default_dictionary, unsure, alive)
