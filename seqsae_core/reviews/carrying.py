"""Reviews of a dictionary that was trained again: carried over where directions match, else kept in the archive."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from seqsae_core.reviews.events import Event
from seqsae_core.reviews.store import Reviews
from seqsae_core.reviews.weights import Weights

ENOUGH = 0.9
CARRIED = ("verdict", "settlement")


def matches(old: Mapping[int, np.ndarray], new: np.ndarray) -> dict[int, tuple[int, float]]:
    """Old latent → (new latent, cosine), one to one among those of at least ENOUGH, with the largest total.

    old: directions (width,) by latent; new: (latents, width). Nothing matches across different widths.
    """
    from scipy.optimize import linear_sum_assignment

    kept = {latent: vector for latent, vector in old.items() if len(vector) == new.shape[1]}
    if not kept:
        return {}
    cosines = _unit(np.stack(list(kept.values()))) @ _unit(new).T
    rows, columns = linear_sum_assignment(np.where(cosines >= ENOUGH, -cosines, 0))
    latents = list(kept)
    return {
        latents[r]: (int(c), float(cosines[r, c]))
        for r, c in zip(rows, columns, strict=True)
        if cosines[r, c] >= ENOUGH
    }


def settle_in(reviews: Reviews, weights: Weights, name: str) -> int:
    """Makes a dictionary known and carries over what was decided of its predecessor, the one last known by that name;
    how many events were new. Called again, it does nothing."""
    there = reviews.dictionaries()
    if weights.fingerprint in there:
        return 0
    before = [fingerprint for fingerprint, known in there.items() if known == name]
    if before:
        return carry(reviews, before[-1], weights, name)
    reviews.register(weights.fingerprint, name)
    return 0


def carry(reviews: Reviews, old: str, weights: Weights, name: str) -> int:
    """Copies what holds of one dictionary to another, makes that known, and marks the copies with the cosine; how many.

    One transaction: a process that is killed meanwhile leaves the new dictionary unknown, and the next carries over.
    """
    found = matches(reviews.directions(old), weights.decoder)
    holding = [e for e in _holding(reviews, old) if e.latent in found]
    copies = [_carried(event, *found[event.latent], weights.fingerprint) for event in holding]
    directions = {(weights.fingerprint, c.latent): weights.decoder[c.latent] for c in copies}
    return reviews.add_all({weights.fingerprint: name}, copies, directions)


def archive(reviews: Reviews, current: Sequence[str]) -> list[Event]:
    """Verdicts that hold of dictionaries that are no longer there and were not carried over."""
    carried = {e.target for e in reviews.events() if e.cosine is not None}
    gone = [fingerprint for fingerprint in reviews.dictionaries() if fingerprint not in current]
    return [e for fingerprint in gone for e in reviews.verdicts(fingerprint) if e.uid not in carried]


def _holding(reviews: Reviews, fingerprint: str) -> list[Event]:
    query = f"SELECT * FROM current_verdict WHERE fingerprint = ? UNION ALL SELECT * FROM ({_RULINGS})"  # noqa: S608
    rows = reviews.rows(query, (fingerprint, fingerprint))
    return [Event.of_row(row) for row in sorted(rows, key=lambda row: row["id"])]


_RULINGS = "SELECT * FROM ruling WHERE fingerprint = ?"


def _carried(event: Event, latent: int, cosine: float, fingerprint: str) -> Event:
    uid = f"{event.uid}@{fingerprint}"
    return replace(event, uid=uid, target=event.uid, fingerprint=fingerprint, latent=latent, cosine=cosine)


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), np.finfo(np.float32).tiny)
