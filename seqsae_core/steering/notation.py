"""Edits as text for links, "12:2.0,40:-1.5", and as JSON for files; both read back exactly.

A part of the text form is `target:action`. A target is a latent, `12`, or a concept of weighted ones,
`12*1.0_40*0.5`. An action is a strength, which adds, or one of `scale:0.5`, `mass:2.0`, `ablate`, `set=3.0`,
`clamp=0.0..2.0` (either end may be left out); the last three take `:strength` where they shall not go the whole way.
The first three may end in `*taste`: scaled by the user's own, `12:2.0*taste`.
"""

import json
import math
from collections.abc import Iterable
from typing import Any

from seqsae_core.errors import UserError
from seqsae_core.steering.edits import KINDS, TOWARDS, WHOLE, Edit, check, check_strength

FORM = "write latent:strength pairs, such as 12:2.0,40:-1.5"
KEYS = {"latent", "kind", "strength", "low", "high", "by_taste"}
TASTE = "*taste"
LARGEST = 1e9
UNBOUNDED = {"low": -math.inf, "high": math.inf}


def parse(text: str) -> tuple[Edit, ...]:
    """Edits from their text form; "" is no edit. Raises UserError on anything else.

    Whether the latents exist, strengths are within bounds and the edits go together, is for `check`.
    """
    try:
        return tuple(_parse_one(part) for part in text.split(",")) if text.strip() else ()
    except ValueError:
        raise UserError(f"The edits are “{text[:60]}”: {FORM}.") from None


def format_edits(edits: Iterable[Edit]) -> str:
    """The text form of edits; `parse` reads it back exactly."""
    return ",".join(f"{_target(edit)}:{_action(edit)}" for edit in edits)


def to_json(edits: Iterable[Edit], dictionary: str) -> str:
    """The JSON form, which names the dictionary, by fingerprint, whose latents are meant."""
    return json.dumps({"dictionary": dictionary, "edits": to_list(edits)}, indent=1, allow_nan=False)


def from_json(text: str, dictionary: str, latents: int) -> tuple[Edit, ...]:
    """Edits from their JSON form, checked.

    Raises UserError for text that is no such JSON, for another dictionary's fingerprint, and as `check` does.
    """
    try:
        values = json.loads(text)
        theirs, edits = values["dictionary"], from_list(values["edits"])
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise UserError(
            f"These are no edits ({_reason(error)}): give the JSON that was saved, with dictionary and edits."
        ) from None
    check_dictionary(theirs, dictionary)
    return check(edits, latents)


def check_dictionary(theirs: str, ours: str) -> None:
    """Raises UserError where edits were made for another dictionary than the one that is open."""
    if theirs != ours:
        raise UserError(
            f"These edits were made for the dictionary {theirs}, this one is {ours}: its latents mean other things. "
            "Open the dictionary that they belong to, or make them anew."
        )


def to_list(edits: Iterable[Edit]) -> list[dict[str, Any]]:
    """Edits as JSON values: what is infinite, the whole way or an open end, is left out."""
    return [
        {"latent": [list(part) for part in edit.latent] if isinstance(edit.latent, tuple) else int(edit.latent)}
        | {"kind": edit.kind}
        | {name: float(v) for name in ("strength", "low", "high") if not math.isinf(v := getattr(edit, name))}
        | ({"by_taste": True} if edit.by_taste else {})
        for edit in edits
    ]


def from_list(values: list[dict[str, Any]]) -> tuple[Edit, ...]:
    """The edits that `to_list` came from. Raises ValueError, TypeError or KeyError on anything else."""
    return tuple(_from_dict(one) for one in values)


def _from_dict(value: dict[str, Any]) -> Edit:
    if unknown := set(value) - KEYS:
        raise ValueError(f"unknown: {', '.join(sorted(unknown))}")
    latent = value["latent"]
    if isinstance(latent, list):
        latent = tuple((_whole(part), _number(weight)) for part, weight in latent)
    if not isinstance(by_taste := value.get("by_taste", False), bool):
        raise ValueError(f"by_taste is {str(by_taste)[:20]}, neither true nor false")
    numbers = {name: _number(value[name]) for name in ("strength", "low", "high") if name in value}
    latent = latent if isinstance(latent, tuple) else _whole(latent)
    return Edit(latent, kind=str(value["kind"]), by_taste=by_taste, **{"strength": WHOLE} | UNBOUNDED | numbers)


def _whole(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError(f"{value!r} is no latent")
    return value


def _number(value: Any) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or abs(value) > LARGEST:
        raise ValueError(f"{str(value)[:20]} is no number that can be used")
    return float(value)


def _reason(error: Exception) -> str:
    return f"{error} is missing" if isinstance(error, KeyError) else str(error)


def _parse_one(part: str) -> Edit:
    target, colon, action = (piece.strip() for piece in part.partition(":"))
    if not colon:
        raise ValueError
    latent, by_taste = _latents(target), action.endswith(TASTE)
    action = action.removesuffix(TASTE).rstrip()
    if action[:1] not in "abcdefghijklmnopqrstuvwxyz" or action in ("nan", "inf"):
        return Edit(latent, _finite(action), by_taste=by_taste)
    head, colon, strength = action.partition(":")
    kind, equals, levels = head.partition("=")
    if kind not in KINDS or (kind not in TOWARDS and not colon) or bool(equals) != (kind in ("set", "clamp")):
        raise ValueError
    return Edit(latent, _finite(strength) if colon else WHOLE, kind, *_levels(kind, levels), by_taste)


def _finite(text: str) -> float:
    strength = float(text)
    return strength if math.isfinite(strength) else check_strength(strength)


def _latents(target: str) -> int | tuple[tuple[int, float], ...]:
    if "*" not in target:
        return _latent(target)
    pairs = (one.partition("*") for one in target.split("_"))
    return tuple((_latent(latent), float(weight)) for latent, _, weight in pairs)


def _latent(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise ValueError
    return int(text)


def _levels(kind: str, text: str) -> tuple[float, float]:
    if kind == "set":
        return float(text), float(text)
    if kind == "ablate":
        return 0.0, 0.0
    low, dots, high = text.partition("..")
    if kind == "clamp" and not dots:
        raise ValueError
    return float(low or -math.inf), float(high or math.inf)


def _target(edit: Edit) -> str:
    if not isinstance(edit.latent, tuple):
        return str(edit.latent)
    return "_".join(f"{latent}*{float(weight)!r}" for latent, weight in edit.latent)


def _action(edit: Edit) -> str:
    strength = repr(float(edit.strength)) + (TASTE if edit.by_taste else "")
    if edit.kind == "add":
        return strength
    ends = ["" if math.isinf(level) else repr(float(level)) for level in (edit.low, edit.high)]
    head = edit.kind + {"set": f"={ends[0]}", "clamp": f"={'..'.join(ends)}"}.get(edit.kind, "")
    return head if edit.strength == WHOLE else f"{head}:{strength}"
