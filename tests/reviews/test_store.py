"""The store: append-only, derived views, undo, several writers, kill -9, refusals said plainly."""

import os
import signal
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from seqsae_core.errors import UserError
from seqsae_core.reviews.events import Event
from seqsae_core.reviews.store import Reviews

FINGERPRINT = "f" * 16
WRITER = """
import sys
from seqsae_core.reviews.events import Event
from seqsae_core.reviews.store import Reviews
store, who, count = Reviews(sys.argv[1], wait=60), sys.argv[2], int(sys.argv[3])
for i in range(count):
    event = Event(who, "f" * 16, i, "verdict", "confirm", automatic="Horror")
    store.record(event)
    print(event.uid, flush=True)
"""


def verdict(who: str, latent: int, verdict: str, **more) -> Event:
    """A verdict on a latent whose automatic name is Horror."""
    return Event(who, FINGERPRINT, latent, "verdict", verdict, automatic="Horror", **more)


def test_an_event_reads_back_as_it_was_written(reviews):
    event = verdict("Ada", 3, "rename", name="  Slashers ", note="=1+1 <b>bold</b>\n\ttwo", tags=("a,b", "ü"),
                    confidence=3, seconds=1.25, blind=True)  # fmt: skip
    reviews.record(event)
    assert reviews.events() == [event]


def test_events_cannot_be_changed_or_removed(reviews):
    reviews.record(verdict("Ada", 3, "confirm"))
    connection = sqlite3.connect(reviews.path)
    replacing = "REPLACE INTO event SELECT * FROM event"
    for statement in ("UPDATE event SET verdict = 'reject'", "DELETE FROM event", replacing):
        with pytest.raises(sqlite3.IntegrityError):
            connection.execute(statement)
    connection.close()
    assert reviews.verdicts(FINGERPRINT)[0].verdict == "confirm"


def test_the_file_uses_wal_foreign_keys_and_strict_tables(reviews):
    connection = sqlite3.connect(reviews.path)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    strict = dict(connection.execute("SELECT name, strict FROM pragma_table_list WHERE type = 'table'").fetchall())
    assert {strict[name] for name in ("event", "reviewer", "dictionary", "direction")} == {1}
    connection.close()
    with pytest.raises(UserError, match="nothing was saved"):
        reviews.record(Event("Ada", "unknown", 3, "verdict", "confirm"))
    assert reviews.events() == []


@pytest.mark.parametrize(
    ("verdicts", "status", "name"),
    [
        ([("Ada", "confirm", "")], "accepted", "Horror"),
        ([("Ada", "rename", "Slashers")], "accepted", "Slashers"),
        ([("Ada", "reject", "")], "rejected", ""),
        ([("Ada", "unsure", "")], "unsure", ""),
        ([("Ada", "confirm", ""), ("Bob", "unsure", "")], "accepted", "Horror"),
        ([("Ada", "confirm", ""), ("Bob", "rename", " horror")], "accepted", " horror"),
        ([("Ada", "confirm", ""), ("Bob", "reject", "")], "disputed", None),
        ([("Ada", "rename", "Slashers"), ("Bob", "rename", "Gore")], "disputed", None),
        ([("Ada", "reject", ""), ("Ada", "confirm", "")], "accepted", "Horror"),
    ],
)
def test_what_holds_follows_from_the_verdicts(reviews, verdicts, status, name):
    for who, said, new in verdicts:
        reviews.record(verdict(who, 7, said, name=new))
    row = reviews.outcomes(FINGERPRINT).loc[7]
    assert row["status"] == status
    assert name is None or row["name"] == name
    assert row["reviewers"] == len({who for who, *_ in verdicts})


def test_a_settlement_holds_until_somebody_says_otherwise(reviews):
    reviews.record(verdict("Ada", 7, "confirm"), verdict("Bob", 7, "reject"))
    reviews.record(Event("Eve", FINGERPRINT, 7, "settlement", "rename", name="Gore", automatic="Horror", confidence=2))
    row = reviews.outcomes(FINGERPRINT).loc[7]
    assert (row["status"], row["name"], row["who"], row["settled"]) == ("accepted", "Gore", "Eve", 1)
    reviews.record(verdict("Bob", 7, "rename", name="gore"))
    assert reviews.outcomes(FINGERPRINT).loc[7, "status"] == "accepted"
    reviews.record(verdict("Bob", 7, "reject"))
    assert reviews.outcomes(FINGERPRINT).loc[7, "status"] == "disputed"


def test_undo_takes_back_ones_own_last_event_and_stays_in_the_history(reviews):
    reviews.record(verdict("Ada", 1, "confirm"), verdict("Ada", 2, "reject"), verdict("Bob", 2, "confirm"))
    assert reviews.undo("Ada", FINGERPRINT).latent == 2
    assert [(v.reviewer, v.latent) for v in reviews.verdicts(FINGERPRINT)] == [("Ada", 1), ("Bob", 2)]
    assert [e.kind for e in reviews.events(latent=2)] == ["verdict", "verdict", "undo"]
    assert reviews.undo("Ada", FINGERPRINT).latent == 1
    assert reviews.undo("Ada", FINGERPRINT) is None


def test_undo_brings_the_verdict_before_it_back(reviews):
    reviews.record(verdict("Ada", 1, "confirm"), verdict("Ada", 1, "reject"))
    reviews.undo("Ada", FINGERPRINT)
    assert reviews.verdicts(FINGERPRINT)[0].verdict == "confirm"


def test_records_of_one_call_are_kept_together_or_not_at_all(reviews):
    with pytest.raises(UserError):
        reviews.record(verdict("Ada", 1, "confirm"), Event("Ada", "unknown", 2, "verdict", "confirm"))
    assert reviews.events() == []


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"reviewer": "  "}, "reviewer's name"),
        ({"verdict": "rename", "name": " "}, "new name is missing"),
        ({"verdict": "maybe"}, "no event of a review"),
        ({"verdict": None}, "no event of a review"),
        ({"latent": -1}, "whole number"),
        ({"latent": True}, "whole number"),
        ({"confidence": 4}, "confidence"),
        ({"note": "a\0b"}, "cannot be stored"),
        ({"note": "\ud800"}, "cannot be stored"),
        ({"note": "x" * 4001}, "at most 4,000"),
        ({"kind": "undo", "verdict": None}, "takes back"),
    ],
)
def test_an_event_that_cannot_be_is_refused(values, message):
    with pytest.raises(UserError, match=message):
        Event(**{"reviewer": "Ada", "fingerprint": FINGERPRINT, "latent": 1, "verdict": "confirm"} | values)


def test_a_file_that_is_not_there_reads_as_empty_and_is_not_made(tmp_path):
    store = Reviews(tmp_path / "reviews.sqlite")
    assert (store.events(), store.last(), len(store.outcomes(FINGERPRINT))) == ([], 0, 0)
    assert not store.path.exists()


def test_a_locked_file_is_said_and_the_verdict_can_be_given_again(reviews):
    holder = sqlite3.connect(reviews.path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    impatient = Reviews(reviews.path, wait=0.05)
    with pytest.raises(UserError, match=r"is locked.*Nothing was saved"):
        impatient.record(verdict("Ada", 1, "confirm"))
    holder.execute("ROLLBACK")
    holder.close()
    impatient.record(verdict("Ada", 1, "confirm"))
    assert len(reviews.events()) == 1


def test_a_file_that_is_no_database_is_said(tmp_path):
    path = tmp_path / "reviews.sqlite"
    path.write_bytes(b"not a database at all" * 100)
    for call in (lambda: Reviews(path).last(), lambda: Reviews(path).record(verdict("Ada", 1, "confirm"))):
        with pytest.raises(UserError, match="damaged or is no database"):
            call()
    assert path.read_bytes().startswith(b"not a database")


def test_a_read_only_file_can_be_read_and_says_that_it_cannot_be_written(reviews):
    if os.geteuid() == 0:
        pytest.skip("permissions do not bind the superuser")
    reviews.record(verdict("Ada", 1, "confirm"))
    folder = reviews.path.parent
    reviews.path.chmod(stat.S_IRUSR)
    folder.chmod(stat.S_IRUSR | stat.S_IXUSR)
    try:
        assert len(reviews.events()) == 1
        with pytest.raises(UserError, match=r"read-only.*Nothing was saved"):
            reviews.record(verdict("Ada", 2, "confirm"))
    finally:
        folder.chmod(stat.S_IRWXU)


def write(path: Path, who: str, count: int) -> subprocess.Popen:
    """A process of its own that writes verdicts and prints the uid of each that was confirmed."""
    command = [sys.executable, "-c", WRITER, str(path), who, str(count)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2])


def test_two_processes_at_once_lose_nothing(tmp_path):
    path = tmp_path / "reviews.sqlite"
    Reviews(path).register(FINGERPRINT, "layer1")
    writers = [write(path, who, 60) for who in ("Ada", "Bob")]
    said = {uid for writer in writers for uid in writer.communicate()[0].split()}
    assert len(said) == 120
    assert said == {event.uid for event in Reviews(path).events()}
    assert len(Reviews(path).verdicts(FINGERPRINT)) == 120


def test_every_confirmed_verdict_survives_a_kill(tmp_path):
    path = tmp_path / "reviews.sqlite"
    Reviews(path).register(FINGERPRINT, "layer1")
    writer = write(path, "Ada", 10_000)
    said = [writer.stdout.readline().strip() for _ in range(20)]
    writer.send_signal(signal.SIGKILL)
    said += writer.stdout.read().split("\n")[:-1]
    writer.wait()
    there = {event.uid for event in Reviews(path).events()}
    assert len(said) >= 20
    assert set(said) <= there
    Reviews(path).record(verdict("Bob", 1, "confirm"))
