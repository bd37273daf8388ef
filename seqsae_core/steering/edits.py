"""Edits of latents: six kinds, of one latent or a concept, and what makes a set of them fit to be made."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from seqsae_core.errors import UserError

KINDS = ("add", "set", "scale", "clamp", "ablate", "mass")
TOWARDS = ("set", "clamp", "ablate")
MAX_STRENGTH = 100.0
WHOLE = math.inf
UNIT = "units of one standard deviation of the latent where it fires"


@dataclass(frozen=True)
class Edit:
    """One edit of codes; `strength` is a displacement from the unedited code, so that 0 is the identity.

    latent: one latent, or a concept: (latent, weight) pairs, the weight multiplying the strength. One unit is one
    standard deviation of the latent's activation where it fires. With code c, unit u and strength s the new code is

    add: c + s·u, linear and not clamped: a latent may be pushed below zero;
    scale: max(1 + s, 0) · c;
    set, clamp, ablate: c moved by at most s·u towards the interval from low·u to high·u (set: low = high; ablate: 0);
    WHOLE goes all the way, and the strength is never negative;
    mass: c + s·u, what it gains or loses taken from or given to the other active latents in proportion, so that the
    sum of the codes stays; no code gets below zero.

    by_taste: the strength of add, scale and mass is multiplied by how much the history has of it, see `taste.affinity`.
    """

    latent: int | tuple[tuple[int, float], ...]
    strength: float
    kind: str = "add"
    low: float = -math.inf
    high: float = math.inf
    by_taste: bool = False

    @property
    def parts(self) -> tuple[tuple[int, float], ...]:
        """The (latent, weight) pairs: one of weight 1 for a single latent."""
        return self.latent if isinstance(self.latent, tuple) else ((self.latent, 1.0),)

    @property
    def latents(self) -> tuple[int, ...]:
        """The latents that the edit names."""
        return tuple(latent for latent, _ in self.parts)


def set_to(latent: int | tuple[tuple[int, float], ...], level: float, strength: float = WHOLE) -> Edit:
    """The code at `level` units, or as near as `strength` units bring it."""
    return Edit(latent, strength, "set", level, level)


def clamp(
    latent: int | tuple[tuple[int, float], ...],
    low: float = -math.inf,
    high: float = math.inf,
    strength: float = WHOLE,
) -> Edit:
    """The code between `low` and `high` units, or as near as `strength` units bring it."""
    return Edit(latent, strength, "clamp", low, high)


def ablate(latent: int | tuple[tuple[int, float], ...], strength: float = WHOLE) -> Edit:
    """The code at 0, or as near as `strength` units bring it."""
    return Edit(latent, strength, "ablate", 0.0, 0.0)


def check(edits: Iterable[Edit], latents: int) -> tuple[Edit, ...]:
    """The edits as a tuple.

    Raises UserError for an unknown kind, a latent outside 0..latents − 1 or twice in a concept, a weight, strength or
    level out of bounds, and for edits that want one latent at two places.
    """
    edits = tuple(edits)
    for edit in edits:
        _check_kind(edit)
        for latent, weight in edit.parts:
            _check_latent(latent, latents)
            _check_weight(weight, edit)
        if not edit.parts or len(set(edit.latents)) < len(edit.parts):
            raise UserError(f"The {edit.kind} of a concept names no latent, or one twice: give each one weight.")
        _check_levels(edit)
        _check_strength_of(edit)
        _check_taste(edit)
    _check_together(edits)
    return edits


def check_strength(strength: float) -> float:
    """The strength itself. Raises UserError unless it is a number within ±MAX_STRENGTH."""
    if not math.isfinite(strength) or abs(strength) > MAX_STRENGTH:
        raise UserError(
            f"The strength of an edit is {strength:g}: give a number from {-MAX_STRENGTH:g} to "
            f"{MAX_STRENGTH:g} ({UNIT})."
        )
    return strength


def linear(edits: Iterable[Edit]) -> bool:
    """Whether the edits move every state alike, whatever its codes: true of `add` alone, the same for all users."""
    return all(edit.kind == "add" and not edit.by_taste for edit in edits)


def _check_kind(edit: Edit) -> None:
    if edit.kind not in KINDS:
        raise UserError(f"There is no kind of edit “{edit.kind}”. Choose one of: {', '.join(KINDS)}.")


def _check_latent(latent: int, latents: int) -> None:
    whole = isinstance(latent, int | np.integer) and not isinstance(latent, bool)
    if not whole or not 0 <= latent < latents:
        raise UserError(f"There is no latent {latent}: choose a whole number from 0 to {latents - 1}.")


def _check_weight(weight: float, edit: Edit) -> None:
    if not (math.isfinite(weight) and 0 < abs(weight) <= MAX_STRENGTH):
        raise UserError(f"The weight of a latent is {weight:g}: give a number within ±{MAX_STRENGTH:g}, but not 0.")
    if edit.kind in TOWARDS and weight < 0:
        raise UserError(f"The weight of a latent is {weight:g}, but {edit.kind} has no direction: give one above 0.")


def _check_levels(edit: Edit) -> None:
    low, high = edit.low, edit.high
    if edit.kind not in TOWARDS:
        fits = (low, high) == (-math.inf, math.inf)
    elif edit.kind == "clamp":
        fits = low <= high and any(abs(level) <= MAX_STRENGTH for level in (low, high))
    else:
        fits = low == high and abs(low) <= (MAX_STRENGTH if edit.kind == "set" else 0)
    if not fits or any(MAX_STRENGTH < abs(level) < math.inf for level in (low, high)):
        raise UserError(
            f"The levels of {_said(edit)} cannot be: give set one number, clamp a lower and a higher one, each "
            f"within ±{MAX_STRENGTH:g} ({UNIT}), and the other kinds none."
        )


def _check_strength_of(edit: Edit) -> None:
    if edit.kind not in TOWARDS:
        check_strength(edit.strength)
    elif not (0 <= edit.strength <= MAX_STRENGTH or edit.strength == WHOLE):
        raise UserError(
            f"The strength of {_said(edit)} is {edit.strength:g}, but it says how far the code may move at most: "
            f"give a number from 0 to {MAX_STRENGTH:g} ({UNIT}), or none for the whole way."
        )


def _check_taste(edit: Edit) -> None:
    if edit.by_taste and edit.kind in TOWARDS:
        raise UserError(
            f"{_said(edit).capitalize()} goes to a level, which is the same for all: only add, scale and mass can be "
            "scaled by taste. Choose one of these, or leave taste out."
        )


def _check_together(edits: Sequence[Edit]) -> None:
    """Refuse two edits that fix where one latent ends, or whose intervals for it have nothing in common."""
    for one, other in combinations([edit for edit in edits if edit.kind in TOWARDS], 2):
        both = set(one.latents) & set(other.latents)
        fixed = one.low == one.high and other.low == other.high
        if both and (fixed or max(one.low, other.low) > min(one.high, other.high)):
            raise UserError(
                f"Two edits contradict each other on latent {min(both)}: {_said(one)} and {_said(other)}. Drop one."
            )


def _said(edit: Edit) -> str:
    """An edit in a few words, for messages."""
    names = ", ".join(map(str, edit.latents[:3])) + ("…" if len(edit.latents) > 3 else "")
    levels = {"set": f" to {edit.high:g}", "clamp": f" between {edit.low:g} and {edit.high:g}"}
    return f"{edit.kind} {names}{levels.get(edit.kind, '')}"
