"""One reviewer's way through a queue: what is asked next, and what becomes of each answer."""

import time
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from seqsae_core.errors import UserError
from seqsae_core.reviews.events import Event
from seqsae_core.reviews.queue import queue
from seqsae_core.reviews.store import Reviews
from seqsae_core.reviews.weights import Weights

DID = {"confirm": "confirmed", "rename": "renamed", "reject": "rejected", "unsure": "left unsure"}


class Session:
    """A reviewer at a queue. A latent that somebody else has decided is reviewed blind: first the reviewer's own name
    (step "reading"), then whether the automatic one says the same ("compare"); else there is one step ("verdict")."""

    def __init__(
        self, reviews: Reviews, weights: Weights, features: pd.DataFrame, who: str, order: str, seed: int = 0,
        start: int | None = None,
    ):  # fmt: skip
        """features: with automatic names, indexed by latent; start: a latent to begin with, reviewed before or not.

        Raises UserError on an empty name."""
        if not who.strip():
            raise UserError("A review needs its reviewer's name. Write one; it is asked once a session.")
        self.reviews, self.weights, self.features, self.who = reviews, weights, features, who.strip()
        own = {v.latent for v in reviews.verdicts(weights.fingerprint, reviewer=self.who)}
        self.queue = queue(features, reviews.outcomes(weights.fingerprint), order, own, seed)
        self.before, self.done, self.place, self.times = len(own), 0, 0, []
        if start in features.index and bool(features.at[start, "alive"]):
            self.queue = [start, *(latent for latent in self.queue if latent != start)]
        self.saved = self.error = ""
        self._show()

    @property
    def latent(self) -> int | None:
        """The latent that is asked about; None at the end."""
        return self.queue[self.place] if self.place < len(self.queue) else None

    @property
    def following(self) -> int | None:
        """The latent after it."""
        return self.queue[self.place + 1] if self.place + 1 < len(self.queue) else None

    @property
    def token(self) -> str:
        """Names one question: an answer to another one is late and does not count."""
        return f"{self.latent}-{self.step}-{self.done}"

    @property
    def automatic(self) -> str:
        """The automatic name of the latent."""
        return str(self.features.at[self.latent, "name"])

    def decide(self, answer: Mapping[str, Any]) -> None:
        """Keeps an answer: token, verdict, name, confidence, note, tags (separated by commas).

        Raises UserError when it cannot be kept; the question stays.
        """
        if answer.get("token") != self.token or self.latent is None:
            return
        if self.step == "reading" and answer.get("verdict") == "rename":
            self._read(str(answer.get("name") or ""))
            return
        event = self._event(answer)
        self.reviews.record(event, directions={event.latent: self.weights.decoder[event.latent]})
        self.times.append(event.seconds or 0.0)
        self._after(f"Saved: {event.latent} {DID[str(event.verdict)]}{self._others()}.", 1)

    def skip(self, answer: Mapping[str, Any]) -> None:
        """On to the next; the latent stays in the queue of later sessions."""
        if answer.get("token") == self.token and self.latent is not None:
            self._after(f"Skipped: {self.latent}.", 0)

    def undo(self) -> None:
        """Takes the reviewer's last event back and asks about its latent again."""
        event = self.reviews.undo(self.who, self.weights.fingerprint)
        if event is None:
            self.saved = "Nothing to take back."
            return
        if event.latent in self.queue[: self.place]:
            self.place = self.queue.index(event.latent)
        elif event.latent != self.latent:
            self.queue.insert(self.place, event.latent)
        if event.kind == "verdict":
            own = int(self.done > 0)
            self.done, self.before = self.done - own, self.before - (1 - own)
        self.saved = f"Taken back: {event.latent}."
        self._show()

    def _read(self, name: str) -> None:
        reading = Event(self.who, self.weights.fingerprint, int(self.latent), "reading", name=name, blind=True)
        if not name.strip():
            raise UserError("A new name is missing. Write it, or choose reject where there is none.")
        self.reviews.record(reading, directions={reading.latent: self.weights.decoder[reading.latent]})
        self.own, self.step, self.saved = name, "compare", "Your name is kept."

    def _event(self, answer: Mapping[str, Any]) -> Event:
        verdict, name = str(answer.get("verdict")), str(answer.get("name") or "")
        tags = dict.fromkeys(tag.strip() for tag in str(answer.get("tags") or "").split(",") if tag.strip())
        return Event(
            self.who, self.weights.fingerprint, int(self.latent), "verdict", verdict,
            name=(self.own or name) if verdict == "rename" else "", automatic=self.automatic,
            confidence=answer.get("confidence"), note=str(answer.get("note") or ""), tags=tuple(tags), blind=self.blind,
            seconds=round(time.monotonic() - self.began, 2),
        )  # fmt: skip

    def _others(self) -> str:
        """What others said, for one who worked blind and is done."""
        if not self.blind:
            return ""
        others = [v for v in self._verdicts() if v.reviewer != self.who]
        said = ", ".join(f"{v.reviewer} {DID[str(v.verdict)]} it" + (f" “{v.name}”" if v.name else "") for v in others)
        return f" (automatic name “{self.automatic}”; {said})"

    def _verdicts(self) -> list[Event]:
        return self.reviews.verdicts(self.weights.fingerprint, self.latent) if self.latent is not None else []

    def _after(self, said: str, done: int) -> None:
        self.saved, self.place, self.done = said, self.place + 1, self.done + done
        self._show()

    def _show(self) -> None:
        self.blind = any(v.reviewer != self.who for v in self._verdicts())
        self.step, self.own = "reading" if self.blind else "verdict", ""
        self.began, self.error = time.monotonic(), ""

    def progress(self) -> str:
        """How many are done, and how long one takes."""
        pace = f" · {np.median(self.times):.1f} s a latent" if self.times else ""
        left = len(self.queue) - self.place
        return f"{self.done} this session, {self.before + self.done} in all, {left} left{pace}"
