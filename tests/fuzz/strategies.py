"""Values that nobody would write, and good documents with something wrong in them."""

import copy
import json
import math
from typing import Any

from hypothesis import strategies as st

from seqsae_core.reviews import events
from seqsae_core.steering.edits import KINDS, WHOLE, Edit

NASTY = st.sampled_from([
    "", " ", ".", "..", "../..", "/etc/passwd", "a/b", "..\\..", "\0", "\ufeff", "\ud800", "NaN", "inf", "-0", "1e999",
    "²", "=1+1", "@x", "<script>alert(1)</script>", "'", '"', "`", "%00", "٣", "1_000", "0x10", "٠.٥", "\r\n",
    "x" * 300,
])  # fmt: skip
TEXT = NASTY | st.text(max_size=40) | st.text("0123456789.:,*_=-+eE abcdefgklmps", max_size=40)
NUMBERS = st.integers() | st.floats() | st.sampled_from([2**63, -(2**63) - 1, 10**400, math.nan, math.inf, -0.0])
DEEP = "[" * 20_000
FINITE = st.floats() | st.integers(-(2**63), 2**63)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=8,
)


def _places(value: Any, path: tuple = ()) -> list[tuple]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path] + [place for key, one in inner for place in _places(one, (*path, key))]


@st.composite
def damaged(draw: st.DrawFn, document: Any) -> str:
    """JSON text of a good document of which a part was replaced or removed, or whose text was cut off or nested."""
    made = copy.deepcopy(document)
    for _ in range(draw(st.integers(0, 3))):
        *way, last = draw(st.sampled_from(_places(made)[1:] or [("x",)]))
        holder = made
        for key in way:
            holder = holder[key]
        if draw(st.booleans()):
            holder[last] = draw(JSON)
        else:
            del holder[last]
        if not _places(made)[1:]:
            break
    text = json.dumps(made)
    if draw(st.integers(0, 4)) == 0:
        text = text[: draw(st.integers(0, len(text)))] + draw(TEXT)
    if draw(st.integers(0, 15)) == 0:
        text = text.replace(": ", f": {DEEP}", 1)
    return text


LEVELS = st.floats(-64, 64, allow_nan=False)
LATENTS = st.integers(0, 63) | st.lists(
    st.tuples(st.integers(0, 63), st.floats(0.01, 60)), min_size=1, max_size=4, unique_by=lambda part: part[0]
).map(tuple)


@st.composite
def edits(draw: st.DrawFn) -> Edit:
    """Any edit that can be written."""
    kind, latent = draw(st.sampled_from(sorted(KINDS))), draw(LATENTS)
    if kind == "set":
        level = draw(LEVELS)
        return Edit(latent, draw(st.just(WHOLE) | st.floats(0, 64)), kind, level, level)
    if kind == "ablate":
        return Edit(latent, draw(st.just(WHOLE) | st.floats(0, 64)), kind, 0.0, 0.0)
    if kind == "clamp":
        low, high = sorted((draw(LEVELS), draw(LEVELS)))
        return Edit(latent, WHOLE, kind, draw(st.sampled_from([low, -math.inf])), high)
    return Edit(latent, draw(LEVELS), kind)


STORED = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=60) | st.sampled_from(
    ["=1+1", "'", "''", "'=", "-1", "a,b\r\n\"c\"", "\ufeffx", "<img src=x onerror=alert(1)>"]
)


@st.composite
def reviews(draw: st.DrawFn) -> events.Event:
    """Any event that the store takes, but an undo."""
    kind = draw(st.sampled_from([k for k in sorted(events.KINDS) if k != "undo"]))
    verdict = draw(st.sampled_from(events.KINDS[kind]))
    name = draw(STORED)
    return events.Event(
        draw(STORED.filter(str.strip)), draw(st.sampled_from(["f" * 16, "0" * 16])), draw(st.integers(0, 80)), kind,
        verdict, name=name if name.strip() or verdict != "rename" else "a name", automatic=draw(STORED),
        confidence=draw(st.sampled_from([None, 1, 2, 3])), note=draw(STORED), blind=draw(st.booleans()),
        tags=tuple(draw(st.lists(STORED, max_size=3))), detail=draw(STORED),
        seconds=draw(st.none() | st.floats(0, 1e6)),
    )  # fmt: skip
