"""The reviews' database: one SQLite file beside a study's stages, written by any number of processes at once.

A write is on the disk when `record` returns: the journal is synchronised with every commit (synchronous = FULL).
Source: SQLite's documentation of write-ahead logging and of PRAGMA synchronous.
"""

import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from seqsae_core.errors import UserError
from seqsae_core.reviews import schema
from seqsae_core.reviews.events import Event, now

WAIT_SECONDS = 10.0
COLUMNS = tuple(f.name for f in fields(Event))
INSERT = f"INSERT INTO event ({', '.join(COLUMNS)}) VALUES ({', '.join(':' + c for c in COLUMNS)})"  # noqa: S608
LAST_OF = """SELECT * FROM live WHERE reviewer = ? AND fingerprint = ? AND cosine IS NULL
  AND kind IN ('verdict', 'reading') ORDER BY id DESC LIMIT 1"""


class Reviews:
    """Events and what follows from them. A file that is not there reads as empty; the first write makes it."""

    def __init__(self, path: str | Path, wait: float = WAIT_SECONDS):
        """wait: seconds to wait for another process that is writing."""
        self.path, self.wait = Path(path), wait

    # ---- writing

    def register(self, fingerprint: str, name: str) -> None:
        """Make a dictionary known, by the name that the study gives it."""
        with self._writing() as connection:
            _register(connection, fingerprint, name)

    def record(self, *events: Event, directions: dict[int, np.ndarray] | None = None) -> None:
        """Adds events, all or none; on the disk on return. directions: decoder rows of the latents, kept for later.

        Raises UserError when the file is locked, read-only or damaged, and for a dictionary that is not registered.
        """
        with self._writing() as connection:
            for event in events:
                _add(connection, event, (directions or {}).get(event.latent))

    def add_all(
        self, dictionaries: dict[str, str], events: Iterable[Event], directions: dict[tuple[str, int], np.ndarray]
    ) -> int:
        """Adds dictionaries (fingerprint: name), events whose uid is new, and directions, all or none; how many events
        were new."""
        with self._writing() as connection:
            for fingerprint, name in dictionaries.items():
                _register(connection, fingerprint, name)
            before = connection.total_changes
            there = {uid for (uid,) in connection.execute("SELECT uid FROM event")}
            fresh = [event for event in events if event.uid not in there]
            for event in fresh:
                _add(connection, event, None)
            for (fingerprint, latent), vector in directions.items():
                _keep_direction(connection, fingerprint, latent, vector)
            return len(fresh) if connection.total_changes > before else 0

    def undo(self, reviewer: str, fingerprint: str) -> Event | None:
        """Takes back the last verdict or reading of a reviewer on a dictionary; that event, or None."""
        with self._writing() as connection:
            row = connection.execute(LAST_OF, (reviewer, fingerprint)).fetchone()
            if row is None:
                return None
            event = Event.of_row(dict(row))
            _add(connection, Event(reviewer, fingerprint, event.latent, "undo", target=event.uid), None)
            return event

    # ---- reading

    def last(self) -> int:
        """The number of the last event; changes with every write."""
        rows = self.rows("SELECT COALESCE(MAX(id), 0) AS last FROM event")
        return int(rows[0]["last"]) if rows else 0

    def events(self, fingerprint: str | None = None, latent: int | None = None) -> list[Event]:
        """Every event in order, undone ones included; of one dictionary or latent when asked."""
        where, values = _where(fingerprint=fingerprint, latent=latent)
        return [Event.of_row(row) for row in self.rows(f"SELECT * FROM event{where} ORDER BY id", values)]  # noqa: S608

    def verdicts(self, fingerprint: str, latent: int | None = None, reviewer: str | None = None) -> list[Event]:
        """The verdict of each reviewer on each latent that holds today; of one latent or reviewer when asked."""
        where, values = _where(fingerprint=fingerprint, latent=latent, reviewer=reviewer)
        return [Event.of_row(row) for row in self.rows(f"SELECT * FROM current_verdict{where} ORDER BY id", values)]  # noqa: S608

    def preferences(self, fingerprint: str) -> list[Event]:
        """Votes of the blind test that hold."""
        query = "SELECT * FROM live WHERE kind = 'preference' AND fingerprint = ? ORDER BY id"
        return [Event.of_row(row) for row in self.rows(query, (fingerprint,))]

    def outcomes(self, fingerprint: str) -> pd.DataFrame:
        """What holds of each reviewed latent, indexed by latent: status (accepted, rejected, disputed, unsure), name,
        automatic, verdict, who, at, confidence, settled, cosine, reviewers."""
        rows = self.rows("SELECT * FROM outcome WHERE fingerprint = ? ORDER BY latent", (fingerprint,))
        columns = ["latent", "status", "name", "automatic", "verdict", "who", "at", "confidence", "settled", "cosine"]
        return pd.DataFrame(rows, columns=[*columns, "reviewers"]).set_index("latent", drop=False)

    def dictionaries(self) -> dict[str, str]:
        """Fingerprint to name, the oldest first."""
        return {r["fingerprint"]: r["name"] for r in self.rows("SELECT * FROM dictionary ORDER BY first_seen, rowid")}

    def directions(self, fingerprint: str) -> dict[int, np.ndarray]:
        """Decoder directions that were kept of a dictionary, float32 (width,) each."""
        rows = self.rows("SELECT latent, vector FROM direction WHERE fingerprint = ?", (fingerprint,))
        return {r["latent"]: np.frombuffer(r["vector"], np.dtype("<f4")) for r in rows}

    def rows(self, query: str, values: Sequence[Any] = ()) -> list[dict[str, Any]]:
        """Rows of a query; none when there is no file. Raises UserError when it cannot be read."""
        if not self.path.exists():
            return []
        with self._said(), _reading(self.path, self.wait) as connection:
            return [dict(row) for row in connection.execute(query, values)]

    # ---- connections

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._said():
            connection = _connect(f"{self.path.resolve().as_uri()}?mode=rwc", self.wait)
            try:
                _prepare(connection, self.wait)
                connection.execute("BEGIN IMMEDIATE")
                yield connection
                connection.execute("COMMIT")
            finally:
                connection.close()

    @contextmanager
    def _said(self) -> Iterator[None]:
        """What SQLite refuses, in plain words."""
        try:
            yield
        except sqlite3.IntegrityError as error:
            raise UserError(f"{self.path} refused the entry, nothing was saved: {error}.") from error
        except sqlite3.DatabaseError as error:
            raise UserError(f"{explained(self.path, error, self.wait)} Nothing was saved, nothing is lost.") from error


def explained(path: Path, error: sqlite3.DatabaseError, wait: float) -> str:
    """What is wrong with the file and what to do about it."""
    text = str(error)
    if "locked" in text or "busy" in text:
        return f"{path} is locked: another process has been writing for {wait:.0f} s. Try again when it is done."
    if "readonly" in text or "unable to open" in text:
        return f"{path} cannot be written: it, or its folder, is read-only. Allow writing to both and try again."
    if "disk is full" in text or "disk I/O" in text:
        return f"{path} cannot be written ({text}): make room on the disk and try again."
    return f"{path} is damaged or is no database of reviews ({text}). Move it aside and bring the last export back in."


def _connect(address: str, wait: float) -> sqlite3.Connection:
    connection = sqlite3.connect(address, uri=True, timeout=wait, isolation_level=None)
    connection.row_factory = sqlite3.Row
    for setting in schema.EACH_CONNECTION:
        connection.execute(setting)
    return connection


@contextmanager
def _reading(path: Path, wait: float) -> Iterator[sqlite3.Connection]:
    address = f"{path.resolve().as_uri()}?mode=ro"
    connection = _connect(address, wait)
    try:
        connection.execute("SELECT 1 FROM event LIMIT 1")
    except sqlite3.OperationalError as error:
        connection.close()
        # In a read-only folder WAL has no room for its index; without a journal nobody is writing, and none is needed.
        if "unable to open" not in str(error) or path.with_name(f"{path.name}-wal").exists():
            raise
        connection = _connect(f"{address}&immutable=1", wait)
    try:
        yield connection
    finally:
        connection.close()


def _prepare(connection: sqlite3.Connection, wait: float) -> None:
    """The tables of a new file. Two processes may come at once: the second finds them made."""
    if connection.execute("PRAGMA user_version").fetchone()[0] == schema.VERSION:
        return
    _in_wal(connection, wait)
    connection.execute("BEGIN IMMEDIATE")
    if connection.execute("PRAGMA user_version").fetchone()[0] == 0:
        for statement in _statements(schema.TABLES + schema.VIEWS):
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {schema.VERSION}")
    connection.execute("COMMIT")


def _in_wal(connection: sqlite3.Connection, wait: float) -> None:
    """Changing the journal's mode does not wait for others as writes do, so that it is tried again."""
    until = time.monotonic() + wait
    while True:
        try:
            for setting in schema.SETTINGS:
                connection.execute(setting)
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > until:
                raise
            time.sleep(0.02)
        else:
            return


def _statements(script: str) -> Iterator[str]:
    """Statements of a script one by one: executescript would commit the transaction around it."""
    text = ""
    for line in script.splitlines(keepends=True):
        text += line
        if sqlite3.complete_statement(text):
            yield text
            text = ""


def _register(connection: sqlite3.Connection, fingerprint: str, name: str) -> None:
    query = "INSERT INTO dictionary VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
    connection.execute(query, (fingerprint, name, now()))


def _add(connection: sqlite3.Connection, event: Event, direction: np.ndarray | None) -> None:
    connection.execute("INSERT INTO reviewer VALUES (?) ON CONFLICT DO NOTHING", (event.reviewer,))
    connection.execute(INSERT, event.row())
    if direction is not None:
        _keep_direction(connection, event.fingerprint, event.latent, direction)


def _keep_direction(connection: sqlite3.Connection, fingerprint: str, latent: int, vector: np.ndarray) -> None:
    query = "INSERT INTO direction VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
    connection.execute(query, (fingerprint, latent, np.asarray(vector, np.dtype("<f4")).tobytes()))


def _where(**values: Any) -> tuple[str, tuple]:
    given = {name: value for name, value in values.items() if value is not None}
    return (" WHERE " + " AND ".join(f"{name} = ?" for name in given) if given else ""), tuple(given.values())
