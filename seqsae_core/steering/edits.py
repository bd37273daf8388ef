"""Edits of latents and their text form in links, "12:2.0,40:-1.5"."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from seqsae_core.errors import UserError

MAX_STRENGTH = 100.0
FORM = "write latent:strength pairs, such as 12:2.0,40:-1.5"


@dataclass(frozen=True)
class Edit:
    """Add `strength` units of a latent: a displacement from the unedited code, so that 0 is the identity.

    One unit is one standard deviation of the latent's activation where it fires. The displacement is linear and
    not clamped: a latent may be pushed below zero.
    """

    latent: int
    strength: float


def check(edits: Iterable[Edit], latents: int) -> tuple[Edit, ...]:
    """The edits as a tuple.

    Raises UserError for a latent outside 0..latents − 1 or a strength that is no number within ±MAX_STRENGTH.
    """
    edits = tuple(edits)
    for edit in edits:
        whole = isinstance(edit.latent, int | np.integer) and not isinstance(edit.latent, bool)
        if not whole or not 0 <= edit.latent < latents:
            raise UserError(
                f"There is no latent {edit.latent}: choose a whole number from 0 to {latents - 1}."
            )
        check_strength(edit.strength)
    return edits


def check_strength(strength: float) -> float:
    """The strength itself. Raises UserError unless it is a number within ±MAX_STRENGTH."""
    if not math.isfinite(strength) or abs(strength) > MAX_STRENGTH:
        raise UserError(
            f"The strength of an edit is {strength:g}: give a number from {-MAX_STRENGTH:g} to "
            f"{MAX_STRENGTH:g} (units of one standard deviation of the latent where it fires)."
        )
    return strength


def parse(text: str) -> tuple[Edit, ...]:
    """Edits from their text form; "" is no edit. Raises UserError on anything else.

    Whether the latents exist is for `check`, which knows the dictionary.
    """
    return tuple(_parse_one(part, text) for part in text.split(",")) if text.strip() else ()


def _parse_one(part: str, text: str) -> Edit:
    latent, colon, strength = (piece.strip() for piece in part.partition(":"))
    if not (colon and latent.isascii() and latent.isdigit() and len(latent) < 10):
        raise UserError(f"The edits are “{text[:60]}”: {FORM}.")
    try:
        value = float(strength)
    except ValueError:
        raise UserError(f"The edits are “{text[:60]}”: {FORM}.") from None
    return Edit(int(latent), check_strength(value))


def format_edits(edits: Iterable[Edit]) -> str:
    """The text form of edits; `parse` reads it back exactly."""
    return ",".join(f"{edit.latent}:{float(edit.strength)!r}" for edit in edits)
