"""Reviews out and in again, as CSV or JSON, without losing a character. The formats are described in docs/METHOD.md."""

import base64
import binascii
import csv
import io
import json
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from seqsae_core.errors import UserError
from seqsae_core.reviews.events import Event
from seqsae_core.reviews.store import COLUMNS, Reviews

FORMAT, VERSION = "seqsae-reviews", 1
NUMBERS = {"latent": int, "confidence": int, "seconds": float, "cosine": float}
OPTIONAL = ("verdict", "target", "confidence", "seconds", "cosine")
FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "\t", "\r", "\n", "'")
MOST_CHARACTERS, MOST_EVENTS, LARGEST = 50_000_000, 200_000, 1e12
Directions = dict[tuple[str, int], np.ndarray]


@dataclass(frozen=True)
class Import:
    """What a file holds, before any of it is applied. unknown: events of this dictionary on latents that it has not;
    foreign: events by fingerprint of other dictionaries; there: events that the store has already."""

    events: tuple[Event, ...]
    dictionaries: dict[str, str]
    directions: Directions
    unknown: tuple[Event, ...]
    foreign: dict[str, int]
    there: int

    @property
    def needs_confirmation(self) -> bool:
        """Whether something in it does not belong to the dictionary that is open."""
        return bool(self.unknown or self.foreign)


# ---- out


def to_json(reviews: Reviews) -> str:
    """Everything in the store: dictionaries, events in order, decoder directions (little-endian float32 as base64)."""
    known = reviews.dictionaries()
    directions = [
        {"fingerprint": f, "latent": latent, "float32": base64.b64encode(vector.tobytes()).decode()}
        for f in known
        for latent, vector in sorted(reviews.directions(f).items())
    ]
    events = [asdict(event) | {"tags": list(event.tags)} for event in reviews.events()]
    whole = {"format": FORMAT, "version": VERSION, "dictionaries": known, "events": events, "directions": directions}
    return json.dumps(whole, indent=1, ensure_ascii=False, allow_nan=False)


def to_csv(events: Iterable[Event]) -> str:
    """One row an event, one column a field. A text that a spreadsheet would run as a formula begins with '."""
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for event in events:
        writer.writerow([_cell(name, value) for name, value in event.row().items()])
    return out.getvalue()


def escaped(text: str) -> str:
    """A text as a spreadsheet shows it: what begins like a formula, or with ', gets ' in front."""
    return f"'{text}" if text.startswith(FORMULA) else text


def unescaped(text: str) -> str:
    """The reverse of `escaped`."""
    return text[1:] if text[:1] == "'" and text[1:].startswith(FORMULA) else text


def _cell(name: str, value: Any) -> str:
    if value is None:
        return ""
    return repr(value) if name in NUMBERS else escaped(str(value))


# ---- in


def decoded(data: bytes) -> str:
    """A file's bytes as text. Raises UserError when they are no UTF-8."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        told = f"The file is no UTF-8 text ({error.reason} at byte {error.start:,})"
        raise UserError(f"{told}. Export it again.") from None


def read(text: str, reviews: Reviews, fingerprint: str, latents: Collection[int]) -> Import:
    """What an export holds, checked row by row against the dictionary that is open; nothing is written.

    Raises UserError naming the first row that cannot be read.
    """
    if len(text) > MOST_CHARACTERS:
        raise UserError(f"The file has {len(text):,} characters; at most {MOST_CHARACTERS:,} are read. Split it.")
    parse = _read_json if text.lstrip("\ufeff \t\r\n").startswith("{") else _read_csv
    events, names, directions = parse(text.lstrip("\ufeff"))
    if len(events) > MOST_EVENTS:
        raise UserError(f"The file has {len(events):,} events; at most {MOST_EVENTS:,} are read at once. Split it.")
    _refuse_twice(events)
    there = {event.uid for event in reviews.events()}
    unknown = tuple(e for e in events if e.fingerprint == fingerprint and e.latent not in latents)
    foreign = Counter(e.fingerprint for e in events if e.fingerprint != fingerprint)
    known = {e.fingerprint: names.get(e.fingerprint, "imported") for e in events}
    _refuse_loose(events, there)
    return Import(tuple(events), known | names, directions, unknown, dict(foreign), sum(e.uid in there for e in events))


def apply(found: Import, reviews: Reviews, confirmed: bool = False) -> int:
    """Writes what `read` found, all or nothing; how many events were new.

    Raises UserError while it holds unknown latents or other dictionaries' events and is not confirmed. Those of other
    dictionaries go to the archive; those on unknown latents are kept with the rest and name nothing.
    """
    if found.needs_confirmation and not confirmed:
        raise UserError(f"{listed(found)} Nothing was imported. Confirm to bring it in all the same.")
    return reviews.add_all(found.dictionaries, found.events, found.directions)


def listed(found: Import) -> str:
    """What does not belong to the dictionary that is open, in words; empty when all does."""
    parts = []
    if found.unknown:
        latents = ", ".join(str(e.latent) for e in found.unknown[:10])
        more = " …" if len(found.unknown) > 10 else ""
        parts.append(f"{len(found.unknown)} events on latents that this dictionary has not ({latents}{more}).")
    parts += [f"{n} events of another dictionary, {fingerprint}." for fingerprint, n in found.foreign.items()]
    return " ".join(parts)


def _read_json(text: str) -> tuple[list[Event], dict[str, str], Directions]:
    try:
        whole = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UserError(f"The file is no JSON ({error}). Export it again.") from None
    if whole.get("format") != FORMAT or whole.get("version") != VERSION:
        raise UserError(f"The file is no export of reviews: it must say format “{FORMAT}”, version {VERSION}.")
    names, events = whole.get("dictionaries"), whole.get("events")
    if not isinstance(names, dict) or not isinstance(events, list):
        raise UserError("The file holds no “dictionaries” (an object) or no “events” (a list). Export it again.")
    if not all(isinstance(name, str) for name in names.values()):
        raise UserError("“dictionaries” must give each fingerprint a name as text. Correct it.")
    made = [_event(row, f"event {i}") for i, row in enumerate(events, start=1)]
    return made, names, _directions(whole.get("directions") or [])


def _directions(rows: Any) -> Directions:
    try:
        return {
            (str(r["fingerprint"]), int(r["latent"])): np.frombuffer(
                base64.b64decode(r["float32"], validate=True), np.dtype("<f4")
            )
            for r in rows
        }
    except (KeyError, TypeError, ValueError, OverflowError, binascii.Error) as error:
        raise UserError(f"“directions” cannot be read ({error}). Leave it out, or export again.") from None


def _read_csv(text: str) -> tuple[list[Event], dict[str, str], Directions]:
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    try:
        missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
        if missing:
            raise UserError(f"The file is no export of reviews: columns are missing ({', '.join(missing)}).")
        return [_of_cells(row, f"line {reader.line_num}") for row in reader], {}, {}
    except csv.Error as error:
        raise UserError(f"Line {reader.line_num} is no CSV ({error}). Export it again.") from None


def _of_cells(cells: dict[str, str | None], where: str) -> Event:
    if None in cells or None in cells.values():
        raise UserError(f"The file's {where} has another number of cells than the heading. Correct it.")
    row: dict[str, Any] = {name: unescaped(cells[name]) for name in COLUMNS}
    try:
        row |= {name: of(row[name]) for name, of in NUMBERS.items() if row[name] != ""}
        row |= {"tags": json.loads(row["tags"] or "[]"), "blind": {"0": False, "1": True, "": False}[row["blind"]]}
    except (ValueError, KeyError, RecursionError) as error:
        raise UserError(f"The file's {where} cannot be read ({error}). Correct it.") from None
    return _event(row | {name: None for name in OPTIONAL if row[name] == ""}, where)


def _event(row: Any, where: str) -> Event:
    try:
        return _checked(Event(**row | {"tags": tuple(row["tags"])}))
    except UserError as error:
        raise UserError(f"The file's {where}: {error}") from None
    except (TypeError, KeyError) as error:
        raise UserError(f"The file's {where} is no event of a review ({error}). Export it again.") from None


def _checked(event: Event) -> Event:
    """The event, if its numbers are some; JSON from elsewhere may hold anything."""
    for name, value in (("seconds", event.seconds), ("cosine", event.cosine)):
        if value is not None and (type(value) not in (int, float) or not abs(value) <= LARGEST):
            raise UserError(f"{name} is {value!r:.40}, but must be a number up to {LARGEST:.0e}.")
    if type(event.blind) is not bool:
        raise UserError(f"blind is {event.blind!r:.40}, but must be true or false.")
    return event


def _refuse_twice(events: list[Event]) -> None:
    twice = [uid for uid, n in Counter(e.uid for e in events).items() if n > 1]
    if twice:
        raise UserError(f"The file holds the event {twice[0]} {Counter(e.uid for e in events)[twice[0]]} times.")


def _refuse_loose(events: list[Event], there: set[str]) -> None:
    known = set(there)
    for event in events:
        known.add(event.uid)
        if event.target is not None and event.target not in known:
            raise UserError(f"The event {event.uid} is about {event.target}, which neither the file nor the store has.")
