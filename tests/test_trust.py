"""Who gets in: other sites' pages, other folders, formulas in spreadsheets, files that are too large."""

import csv
import tomllib
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pandas as pd
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from seqsae_core import log
from seqsae_core.errors import UserError
from seqsae_core.export import as_csv, export
from seqsae_core.locking import writing
from seqsae_core.reviews import exchange
from seqsae_core.reviews.store import Reviews
from seqsae_core.store import Store
from seqsae_core.study import Study
from tests.pages import synthetic

ROOT = Path(__file__).resolve().parents[1]
STREAM = "/_stcore/stream"


@pytest.fixture(scope="module")
def address(tmp_path_factory) -> str:
    driving = pytest.importorskip("tests.browser.driving")
    folder = tmp_path_factory.mktemp("trust")
    with driving.dashboard(synthetic.make(folder / "demo"), folder / "log") as url:
        yield url


def opened(stream: str, origin: str) -> None:
    """Opens a session as a page of an origin would. Raises InvalidStatus where the server refuses."""
    with connect(stream, origin=origin, subprotocols=["streamlit"]):
        pass


def test_the_settings_keep_the_dashboard_to_this_machine_and_its_own_pages():
    server = tomllib.loads((ROOT / ".streamlit/config.toml").read_text())["server"]
    assert server["address"] == "localhost" and server["enableCORS"] and server["enableXsrfProtection"]
    assert not server["enableStaticServing"] and server["maxUploadSize"] <= 200


STRANGERS = ("http://evil.example", "http://evil.example:8501", "null", "http://localhost.evil.example")


@pytest.mark.parametrize("origin", STRANGERS)
def test_a_page_of_another_site_gets_no_session(address, origin):
    stream = address.replace("http", "ws") + STREAM
    with pytest.raises(InvalidStatus, match="40"):
        opened(stream, origin)
    opened(stream, address)


@pytest.mark.parametrize("path", [
    "/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/static/../../app.py", "/static/%2e%2e%2f%2e%2e%2fapp.py",
    "/app/static/../app.py", "/media/../../../etc/passwd", "/component/../../../etc/passwd", "/_stcore/../../app.py",
    "/component/seqsae/%2e%2e%2f%2e%2e%2f%2e%2e%2fetc/passwd", "/..%5c..%5cetc%5cpasswd", "//etc/passwd",
])  # fmt: skip
def test_no_address_of_the_server_reads_a_file_of_the_machine(address, path):
    try:
        with urlopen(Request(address + path), timeout=10) as answer:
            body = answer.read()
    except HTTPError as error:
        body = error.read()
    assert b"root:" not in body and b"navigation.setup" not in body


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_a_file_is_not_taken_without_the_token(address, method):
    request = Request(f"{address}/_stcore/upload_file/s/f", data=b"x", method=method, headers={"Origin": "http://evil"})
    with pytest.raises(HTTPError) as error:
        urlopen(request, timeout=10)
    assert error.value.code in (400, 403)


EVIDENCE = f"dictionaries/{synthetic.DICTIONARY}/evidence"


@pytest.mark.parametrize("name", ["data", "scenarios", "reviews.sqlite", EVIDENCE])
def test_a_link_within_a_study_leads_nowhere_else(tmp_path, name):
    study, outside = Study.open(synthetic.make(tmp_path / "demo")), tmp_path / "outside"
    (study.path / name).rename(outside) if (study.path / name).exists() else outside.mkdir()
    (study.path / name).symlink_to(outside)
    reach = {"data": study.catalogue, "scenarios": lambda: study.scenarios, "reviews.sqlite": lambda: study.reviews}
    with pytest.raises(UserError, match=r"leads out of the study"):
        reach.get(name, study.features)()


@pytest.mark.parametrize("name", [".partial", ".checkpoint", "dictionaries", "recommender", ".lock", "log.jsonl"])
def test_a_build_writes_through_no_link_of_a_study(tmp_path, name):
    study, outside = tmp_path / "study", tmp_path / "outside"
    study.mkdir()
    outside.write_text("theirs") if name in (".lock", "log.jsonl") else outside.mkdir()
    (study / name).symlink_to(outside)
    if name == "log.jsonl":
        log.write(study, "page")
    else:
        with pytest.raises(UserError, match=r"leads out of the study|a symbolic link is in the way"):
            _one_stage(study, "sae" if name == "dictionaries" else "recommender")
    assert outside.read_text() == "theirs" if outside.is_file() else not list(outside.iterdir())


def _one_stage(folder: Path, stage: str) -> None:
    with writing(folder, "build"):
        store = Store.create(folder, {})
        with store.stage(stage, "layer1", "0" * 16) as (aside, _):
            (aside / "file").write_text("ours")


def test_tables_for_spreadsheets_hold_no_formulas(tmp_path):
    study = Study.open(synthetic.make(tmp_path / "demo"))
    path = study.folder("data") / "catalogue.parquet"
    table = pd.read_parquet(path)
    hostile = ["=1+1", "+1", "-1", "@x", "\t=1", "\r=1", "\n=1", "＝1", "'=1", "plain"]
    table["title"] = [hostile[i % len(hostile)] for i in range(len(table))]
    table.to_parquet(path)
    with (export(study, "csv", tmp_path / "out") / "catalogue.csv").open(newline="") as file:
        titles = [row["title"] for row in csv.DictReader(file)]
    assert not [title for title in titles if title[0] in "=+-@\t\r\n＝"]
    assert [exchange.unescaped(title) for title in titles] == table["title"].tolist()
    for other in (tmp_path / "out").glob("*.csv"):
        texts = pd.read_csv(other, dtype=str, keep_default_na=False)
        numbers = pd.read_csv(other).select_dtypes("number").columns
        cells = texts.drop(columns=numbers).to_numpy().ravel()
        assert not [cell for cell in [*texts.columns, *cells] if cell.startswith(("=", "+", "@"))], other


def test_tables_taken_from_a_page_hold_no_formulas():
    hostile = ["=1+1", "+1", "-1", "@x", "\t=1", "\r=1", "\n=1", "＝1", "a\r=1", "a\n=1"]
    rows = list(csv.reader(as_csv(pd.DataFrame({"=name": hostile, "n": -1.5})).decode("utf-8-sig").splitlines(True)))
    assert rows[0] == ["'=name", "n"] and len(rows) == len(hostile) + 1
    assert [row[0] for row in rows[1:]] == [exchange.escaped(text) for text in hostile]
    assert {row[1] for row in rows[1:]} == {"-1.5"}


def test_an_import_of_too_many_reviews_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(exchange, "MOST_EVENTS", 1)
    from seqsae_core.reviews.events import Event

    text = exchange.to_csv([Event("Ada", "f" * 16, 1, "verdict", "confirm") for _ in range(2)])
    with pytest.raises(UserError, match="2 events; at most 1"):
        exchange.read(text, Reviews(tmp_path / "r.sqlite"), "f" * 16, range(4))


def test_the_lock_file_has_every_pinned_version_with_hashes():
    pins = (ROOT / "requirements.txt").read_text().split()
    entries = (ROOT / "requirements.lock").read_text().replace(" \\\n", "").splitlines()
    locked = {line.split()[0].split("+")[0] for line in entries if "--hash=sha256:" in line}
    assert set(pins) <= locked
    assert not [line for line in entries if line and not line.startswith("#") and "--hash=sha256:" not in line]
