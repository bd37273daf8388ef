"""The page New study: what is taken for what, the exact command, and a build that it starts and stops."""

import gzip
import io
import shlex
import time
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from seqsae_core.__main__ import _parser, chosen
from seqsae_core.dashboard import processes, waiting
from seqsae_core.dashboard.studies import uploads
from seqsae_core.errors import UserError
from seqsae_core.study import Study, read_progress
from tests.pages.conftest import said

EVENTS, ITEMS = 600, 30


@pytest.fixture
def folder(tmp_path):
    """A table of events under a shop's own column names, and one of items."""
    rng = np.random.default_rng(0)
    users, items = rng.integers(0, 40, EVENTS), rng.integers(0, ITEMS, EVENTS)
    events = pd.DataFrame({"customer_id": users, "sku": items, "basket": 7, "bought": np.arange(EVENTS)})
    events.to_csv(tmp_path / "shop.csv", index=False)
    table = pd.DataFrame({"sku": np.arange(ITEMS), "name": [f"<b>{i}</b>" for i in range(ITEMS)], "aisle": "A|B"})
    table.to_csv(tmp_path / "goods.csv", index=False)
    return tmp_path


@pytest.fixture
def opened(open_page, folder):
    """The page with the two files named, and the column of times chosen."""
    page = open_page("new_study", folder / "studies" / "none")
    page.button_group(key="kind").set_value("A path on this machine").run()
    page.text_input(key="data-path").set_value(str(folder / "shop.csv")).run()
    assert "Which column is the time" in page.error[0].value
    page.text_input(key="items-path").set_value(str(folder / "goods.csv"))
    return page.selectbox(key="Interactions-time").set_value("bought").run()


def test_columns_are_guessed_shown_and_changed_and_the_command_says_what_was_changed(opened, folder):
    assert not opened.error and not opened.exception
    assert opened.selectbox(key="Interactions-user").value == "customer_id"
    assert opened.selectbox(key="Interactions-item").value == "sku"
    assert opened.selectbox(key="Items-title").value == "name"
    assert list(opened.dataframe[0].value.columns) == ["customer_id", "sku", "basket", "bought"]
    opened.selectbox(key="Items-concept").set_value("aisle").run()
    opened.selectbox(key="preset").set_value("tiny").run()
    command = shlex.split(opened.code[0].value)
    assert command[:4] == ["python", "-m", "seqsae_core", "build"]
    config = chosen(_parser().parse_args(command[3:]))
    assert (config.preset, config.data.source, config.data.items) == (
        "tiny", str(folder / "shop.csv"), str(folder / "goods.csv"),
    )  # fmt: skip
    assert config.data.columns == {"time": "bought", "concept": "aisle"}


def test_the_button_builds_beside_the_dashboard_and_stop_ends_it(opened, folder):
    study, command = folder / "studies" / "shop", opened.code[0].value
    next(b for b in opened.button if b.label == "Build this study").click().run()
    until = time.monotonic() + 60
    while not (read_progress(study) or {}).get("stages") and time.monotonic() < until:
        time.sleep(0.1)
    opened.run()
    opened.button(key="stop").click().run()
    processes.wait(study)
    assert not waiting.alive(read_progress(study)) and Study.exists(study)
    assert processes.failure(study, command) is None


def test_a_name_leads_nowhere_else_and_a_study_that_is_there_is_not_built_over(opened, invented, folder, monkeypatch):
    opened.text_input(key="name").set_value("../elsewhere").run()
    assert "small letters, digits" in opened.error[0].value and not opened.code
    monkeypatch.setenv("SEQSAE_STUDIES", str(invented.parent))
    opened.text_input(key="name").set_value(invented.name).run()
    assert "is there. Choose another name" in said(opened) and not opened.code


def test_a_table_that_cannot_be_read_says_why(open_page, folder):
    page = open_page("new_study", folder / "studies" / "none")
    page.button_group(key="kind").set_value("A path on this machine").run()
    for name, content, why in (
        ("a.csv", b"user,user\n1,2\n", "occurs twice"),
        ("b.parquet", b"PAR1 no", "cannot be read as .parquet"),
        ("c.csv.gz", b"\x1f\x8b not", "cannot be read"),
        ("d.csv", b"user,item\n1," + b"x" * 2_000_000, "longer than"),
    ):
        (folder / name).write_bytes(content)
        page.text_input(key="data-path").set_value(str(folder / name)).run()
        assert why in page.error[0].value and name in page.error[0].value, name
    page.text_input(key="data-path").set_value(str(folder / "nothing.csv")).run()
    assert "No data at" in page.error[0].value


def test_paths_of_this_machine_are_asked_for_only_where_nobody_else_can_ask(open_page, folder, monkeypatch):
    import streamlit as st

    monkeypatch.setattr(st, "get_option", lambda name: "0.0.0.0")
    page = open_page("new_study", folder / "studies" / "none")
    assert page.button_group(key="kind").options == ["Upload", "MovieTweetings"]


def test_an_upload_is_kept_once_under_a_name_that_is_not_the_senders(tmp_path):
    def sent(name: str, content: bytes) -> SimpleNamespace:
        return SimpleNamespace(name=name, getvalue=lambda: content)

    first = uploads.keep(sent("../../Escape.CSV", b"a"), tmp_path)
    assert first == uploads.keep(sent("other.csv", b"a"), tmp_path) and first.read_bytes() == b"a"
    assert first.parent.parent == tmp_path / "uploads" and first.name == "table.csv"
    assert uploads.keep(sent("x.jsonl.gz", gzip.compress(b"b")), tmp_path).name == "table.jsonl.gz"
    with pytest.raises(UserError, match="unknown file type"):
        uploads.keep(sent("x.pkl", b"c"), tmp_path)


LINES = b"user_id,item_id,timestamp\n" + b"1,2,3\n" * 2000


@pytest.mark.parametrize("name", ["t.csv", "t.csv.gz", "t.parquet"])
@pytest.mark.parametrize("limit", ["MOST_ROWS", "MOST_BYTES"])
def test_a_file_of_too_many_rows_or_bytes_unpacked_is_refused_and_not_kept(tmp_path, monkeypatch, name, limit):
    table = pd.read_csv(io.BytesIO(LINES))
    sent = {"t.csv": LINES, "t.csv.gz": gzip.compress(LINES), "t.parquet": table.to_parquet(index=False)}[name]
    assert uploads.keep(SimpleNamespace(name=name, getvalue=lambda: sent), tmp_path / "all").read_bytes() == sent
    monkeypatch.setattr(uploads, limit, {"MOST_ROWS": 1999, "MOST_BYTES": 100}[limit])
    with pytest.raises(UserError, match=rf"{name}: more than .* rows or, unpacked, .*command line"):
        uploads.keep(SimpleNamespace(name=name, getvalue=lambda: sent), tmp_path)
    assert not (tmp_path / uploads.FOLDER).exists()


@pytest.mark.parametrize(
    ("name", "sent"),
    [("t.csv.gz", b"no gzip"), ("t.csv.gz", gzip.compress(LINES, mtime=0)[:60]), ("t.parquet", b"PAR1 no parquet")],
    ids=["not gzip", "cut gzip", "not parquet"],
)
def test_a_packed_file_that_cannot_be_unpacked_is_refused(tmp_path, name, sent):
    with pytest.raises(UserError, match=rf"{name}: cannot be read as .*Check that the file is whole"):
        uploads.keep(SimpleNamespace(name=name, getvalue=lambda: sent), tmp_path)
