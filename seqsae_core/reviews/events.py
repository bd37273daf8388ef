"""One thing that somebody did in a review, as it is kept for good."""

import json
import uuid
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from typing import Any

from seqsae_core.errors import UserError

VERDICTS = ("confirm", "rename", "reject", "unsure")
SETTLING = ("confirm", "rename", "reject")
PREFERENCES = ("latent", "neuron", "tie")
KINDS = {
    "verdict": VERDICTS, "settlement": SETTLING, "preference": PREFERENCES, "reading": (None,), "undo": (None,),
}  # fmt: skip
CONFIDENCE = {1: "a guess", 2: "fairly sure", 3: "sure"}
LONGEST = {"reviewer": 80, "name": 200, "note": 4000}
MOST_TAGS = 20
TEXTS = ("uid", "at", "reviewer", "fingerprint", "name", "automatic", "note", "detail")


def now() -> str:
    """This moment in UTC as ISO 8601, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


@dataclass(frozen=True)
class Event:
    """kind: reading (the name that a blind reviewer gave before any other was shown), verdict, settlement (of a
    disagreement), preference (of the blind test), undo (of `target`).

    automatic: the automatic name at that time; confidence: 1 to 3, see CONFIDENCE; seconds: from shown to decided;
    target: uid of the event undone or carried over; cosine: of the two decoder directions, where it was carried over.
    Raises UserError on an empty name of a reviewer, a new name that is missing, and values out of range.
    """

    reviewer: str
    fingerprint: str
    latent: int
    kind: str = "verdict"
    verdict: str | None = None
    name: str = ""
    automatic: str = ""
    confidence: int | None = None
    note: str = ""
    tags: tuple[str, ...] = ()
    blind: bool = False
    seconds: float | None = None
    detail: str = ""
    target: str | None = None
    cosine: float | None = None
    at: str = field(default_factory=now)
    uid: str = field(default_factory=lambda: uuid.uuid4().hex)

    def __post_init__(self):
        for name in TEXTS:
            _check_text(name, getattr(self, name))
        for tag in self.tags:
            _check_text("tag", tag)
        if self.target is not None:
            _check_text("target", self.target)
        _check_ranges(self)
        if not self.reviewer.strip():
            raise UserError("A review needs its reviewer's name. Write one; it is asked once a session.")
        if self.verdict == "rename" and not self.name.strip():
            raise UserError("A new name is missing. Write it, or choose reject where there is none.")
        if (self.kind == "undo") and not self.target:
            raise UserError("An undo names the event that it takes back (target).")

    def row(self) -> dict[str, Any]:
        """As the database keeps it."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        return values | {"tags": json.dumps(list(self.tags), ensure_ascii=False), "blind": int(self.blind)}

    @classmethod
    def of_row(cls, row: dict[str, Any]) -> "Event":
        """From a row of the database; further columns are left out."""
        values = {f.name: row[f.name] for f in fields(cls)}
        return cls(**values | {"tags": tuple(json.loads(row["tags"])), "blind": bool(row["blind"])})


def _check_text(name: str, text: Any) -> None:
    if not isinstance(text, str):
        raise UserError(f"{name} must be text, not {type(text).__name__}.")
    most = LONGEST.get(name, LONGEST["note"])
    if len(text) > most:
        raise UserError(f"{name} has {len(text):,} characters; at most {most:,} are kept. Shorten it.")
    if "\0" in text or (not text.isascii() and any("\ud800" <= c <= "\udfff" for c in text)):
        raise UserError(f"{name} holds characters that cannot be stored (NUL, lone surrogates). Remove them.")


def _check_ranges(event: Event) -> None:
    if event.kind not in KINDS or event.verdict not in KINDS[event.kind]:
        allowed = ", ".join(f"{kind} ({'/'.join(filter(None, of))})" for kind, of in KINDS.items())
        raise UserError(f"“{event.kind}” with the verdict “{event.verdict}” is no event of a review: use {allowed}.")
    if type(event.latent) is not int or not 0 <= event.latent < 2**31:
        raise UserError(f"latent is {event.latent!r}, but must be a whole number from 0 on.")
    if event.confidence not in (None, *CONFIDENCE):
        words = ", ".join(CONFIDENCE.values())
        raise UserError(f"confidence is {event.confidence!r}, but must be 1, 2 or 3 ({words}).")
    if len(event.tags) > MOST_TAGS:
        raise UserError(f"{len(event.tags)} tags; at most {MOST_TAGS} are kept.")
