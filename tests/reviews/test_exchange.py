"""Out and in again without a difference; nothing of another dictionary without being asked."""

import csv
import io
import json
from itertools import product

import numpy as np
import pytest

from seqsae_core.errors import UserError
from seqsae_core.reviews import exchange, report
from seqsae_core.reviews.events import Event
from seqsae_core.reviews.store import Reviews

FINGERPRINT = "f" * 16
NASTY = ["=1+1", "+1", "-1", "@SUM(A1)", "'", "''=", "\tx", "\r\n", "a\"b,c\nd", "<script>", "", "ü 日本"]


def filled(reviews: Reviews) -> Reviews:
    """Events of all kinds with texts that break careless formats."""
    for i, text in enumerate(NASTY):
        event = Event("Ada", FINGERPRINT, i, "verdict", "rename", name=text.strip() or "x", automatic=text, note=text,
                      tags=(text,) if text else (), seconds=0.1 * i, confidence=1 + i % 3)  # fmt: skip
        reviews.record(event, directions={i: np.arange(4, dtype=np.float32) / 3})
    reviews.record(Event("@Bob", FINGERPRINT, 1, "reading", name="=x", blind=True))
    reviews.record(Event("@Bob", FINGERPRINT, 1, "preference", "tie", detail="neuron 3"))
    reviews.undo("Ada", FINGERPRINT)
    return reviews


@pytest.mark.parametrize("form", ["json", "csv"])
def test_the_round_trip_is_exact(reviews, tmp_path, form):
    filled(reviews)
    text = exchange.to_json(reviews) if form == "json" else exchange.to_csv(reviews.events())
    again = Reviews(tmp_path / "again.sqlite")
    found = exchange.read(text, again, FINGERPRINT, range(20))
    assert not found.needs_confirmation
    assert exchange.apply(found, again) == len(reviews.events())
    assert again.events() == reviews.events()
    assert again.outcomes(FINGERPRINT).equals(reviews.outcomes(FINGERPRINT))
    if form == "json":
        kept = {latent: vector.tobytes() for latent, vector in again.directions(FINGERPRINT).items()}
        assert kept == {latent: vector.tobytes() for latent, vector in reviews.directions(FINGERPRINT).items()}
        assert exchange.to_json(again) == exchange.to_json(reviews)


def test_importing_twice_adds_nothing(reviews):
    found = exchange.read(exchange.to_json(filled(reviews)), reviews, FINGERPRINT, range(20))
    assert found.there == len(found.events)
    before = reviews.events()
    assert exchange.apply(found, reviews) == 0
    assert reviews.events() == before


def test_no_cell_begins_like_a_formula(reviews):
    filled(reviews)
    for text in (exchange.to_csv(reviews.events()), report.to_csv(reviews, FINGERPRINT)):
        cells = [cell for row in csv.reader(io.StringIO(text, newline="")) for cell in row]
        assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]


def test_escaping_is_undone_exactly_and_hides_formulas():
    texts = {"".join(letters) for n in range(5) for letters in product("'=+-@ \t\rx", repeat=n)}
    for text in texts:
        assert exchange.unescaped(exchange.escaped(text)) == text
        assert not exchange.escaped(text).startswith(("=", "+", "-", "@", "\t", "\r"))
    assert len({exchange.escaped(text) for text in texts}) == len(texts)


def test_unknown_latents_and_other_dictionaries_are_listed_and_wait(reviews, tmp_path):
    reviews.register("0" * 16, "another")
    reviews.record(Event("Ada", "0" * 16, 1, "verdict", "confirm"), Event("Ada", FINGERPRINT, 99, "verdict", "confirm"))
    again = Reviews(tmp_path / "again.sqlite")
    found = exchange.read(exchange.to_json(reviews), again, FINGERPRINT, range(20))
    with pytest.raises(UserError, match=r"1 events on latents .*\(99\).*dictionary, 0{16}.*Nothing was imported"):
        exchange.apply(found, again)
    assert not again.path.exists()
    assert exchange.apply(found, again, confirmed=True) == 2


def broken(reviews: Reviews, change) -> str:
    """An export with something wrong."""
    whole = json.loads(exchange.to_json(filled(reviews)))
    change(whole)
    return json.dumps(whole)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda w: w.update(version=2), "version 1"),
        (lambda w: w.update(events=3), "no “events”"),
        (lambda w: w["events"][1].update(verdict="maybe"), "event 2"),
        (lambda w: w["events"][1].update(more=1), "event 2"),
        (lambda w: w["events"][1].update(reviewer=""), "event 2.*name"),
        (lambda w: w["events"][1].update(target=["a"]), "event 2.*target"),
        (lambda w: w["events"][1].update(target=[]), "event 2.*target"),
        (lambda w: w["events"][1].update(target=0), "event 2.*target"),
        (lambda w: w["events"][1].update(seconds="1"), "event 2.*seconds"),
        (lambda w: w["events"][1].update(cosine=1e400), "event 2.*cosine"),
        (lambda w: w["events"][1].update(blind=1), "event 2.*blind"),
        (lambda w: w["events"].append(w["events"][0]), "2 times"),
        (lambda w: w["events"].pop(11), "is about"),
        (lambda w: w["directions"][0].update(float32="?"), "directions"),
    ],
)
def test_a_broken_export_is_refused_whole(reviews, tmp_path, change, message):
    text, again = broken(reviews, change), Reviews(tmp_path / "again.sqlite")
    with pytest.raises(UserError, match=message):
        exchange.apply(exchange.read(text, again, FINGERPRINT, range(20)), again)
    assert not again.path.exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [("", "columns are missing"), ("{", "no JSON"), ("a,b\n1,2\n", "columns are missing"), ("[1]", "columns")],
)
def test_a_file_of_another_kind_is_refused(reviews, text, message):
    with pytest.raises(UserError, match=message):
        exchange.read(text, reviews, FINGERPRINT, range(3))


def test_a_broken_cell_names_its_line(reviews):
    reviews.record(Event("Ada", FINGERPRINT, 1, "verdict", "confirm"))
    text = exchange.to_csv(reviews.events()).replace('"1"', '"one"', 1)
    with pytest.raises(UserError, match="line 2"):
        exchange.read(text, reviews, FINGERPRINT, range(3))


def test_the_report_says_who_agreed_and_escapes_what_they_wrote(reviews):
    name = "<script>x</script>"
    reviews.record(Event("<i>Ada</i>", FINGERPRINT, 1, "verdict", "rename", name=name, automatic="Horror"))
    reviews.record(Event("Bob", FINGERPRINT, 1, "verdict", "reject", automatic="Horror", seconds=2.0))
    reviews.record(Event("Bob", FINGERPRINT, 2, "verdict", "reject", automatic="War", seconds=4.0))
    page = report.to_html(reviews, FINGERPRINT, "a <study>")
    assert "<script" not in page and "<i>Ada" not in page and "a &lt;study&gt;" in page
    assert "Krippendorff" in page and "Cohen" in page
    people = report.people(reviews, FINGERPRINT).set_index("reviewer")
    assert people.loc["Bob", ["latents", "reject", "median_seconds"]].tolist() == [2, 2, 3.0]
    assert report.names(reviews, FINGERPRINT)["status"].tolist() == ["disputed", "rejected"]
