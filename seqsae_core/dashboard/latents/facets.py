"""What a table of latents is narrowed to: facets, their text form for links, and the rows that pass."""

from dataclasses import dataclass, fields
from urllib.parse import quote, unquote

import pandas as pd

from seqsae_core.errors import UserError
from seqsae_core.sae.recurrence import PARTLY, STABLE

STATES = {"significant": "Significant", "other": "Not significant", "dead": "Dead"}
RECURRENCE = {"re-appears": (STABLE, 2.0), "partly": (PARTLY, STABLE), "lost": (-2.0, PARTLY)}
REVIEWS = ("none", "accepted", "rejected", "disputed", "unsure")
FORM = "parts such as concept:Horror,Drama;density:0.01..0.1;confidence:0.7;stability:re-appears;review:accepted"
NUMBER = "a number from 0 to 1"


@dataclass(frozen=True)
class Facets:
    """Which latents to show; what is empty or None narrows nothing. density: shares of positions, both ends included;
    confidence: the least balanced accuracy of the name's rule; stability: keys of RECURRENCE; review: of REVIEWS."""

    state: str | None = None
    concepts: tuple[str, ...] = ()
    density: tuple[float, float] | None = None
    confidence: float | None = None
    stability: tuple[str, ...] = ()
    review: tuple[str, ...] = ()

    @property
    def count(self) -> int:
        """How many facets narrow."""
        return sum(getattr(self, field.name) not in (None, ()) for field in fields(self))


def narrowed(rows: pd.DataFrame, facets: Facets) -> pd.DataFrame:
    """The rows that pass every facet, in their order. A figure that is not measured passes no facet about it.

    rows: alive, significant, top_concept, density, name_score and, where they are known, stability and name_review.
    """
    keep = pd.Series(True, rows.index)
    if facets.state:
        keep &= _state(rows, facets.state)
    if facets.concepts:
        keep &= rows["top_concept"].isin(facets.concepts) & rows["significant"]
    if facets.density:
        keep &= rows["density"].between(*facets.density)
    if facets.confidence is not None:
        keep &= rows["name_score"] >= facets.confidence
    if facets.stability:
        keep &= _recurrence(rows, facets.stability)
    if facets.review:
        keep &= _reviewed(rows).isin(facets.review)
    return rows[keep]


def _state(rows: pd.DataFrame, state: str) -> pd.Series:
    alive, significant = rows["alive"], rows["significant"]
    return {"significant": significant, "dead": ~alive, "other": alive & ~significant}[state]


def _recurrence(rows: pd.DataFrame, wanted: tuple[str, ...]) -> pd.Series:
    keep = pd.Series(False, rows.index)
    if "stability" in rows:
        for low, high in (RECURRENCE[name] for name in wanted):
            keep |= rows["alive"] & (rows["stability"] >= low) & (rows["stability"] < high)
    return keep


def _reviewed(rows: pd.DataFrame) -> pd.Series:
    said = rows["name_review"] if "name_review" in rows else pd.Series("", rows.index)
    return said.replace("", "none")


# ---- the text form


def format_facets(facets: Facets) -> str:
    """`parse_facets` reads it back; concepts are percent-encoded, so that no name breaks the form."""
    parts = {
        "state": facets.state or "",
        "concept": ",".join(quote(name, safe=" ") for name in facets.concepts),
        "density": f"{facets.density[0]:g}..{facets.density[1]:g}" if facets.density else "",
        "confidence": "" if facets.confidence is None else f"{facets.confidence:g}",
        "stability": ",".join(facets.stability),
        "review": ",".join(facets.review),
    }
    return ";".join(f"{name}:{text}" for name, text in parts.items() if text)


def parse_facets(text: str) -> Facets:
    """Facets of a link. Raises UserError naming the part that cannot be read, or the values that a facet has."""
    found = {}
    for part in filter(None, text.split(";")):
        name, colon, values = part.partition(":")
        if not colon or name not in PARSERS or name in found:
            raise UserError(f"write {FORM}")
        found[name] = PARSERS[name](name, values)
    concepts = found.pop("concept", ())
    return Facets(concepts=concepts, **found)


def _state_of(name: str, text: str) -> str:
    return _some(STATES)(name, text)[0]


def _concepts(name: str, text: str) -> tuple[str, ...]:
    return tuple(unquote(part) for part in text.split(",") if part)


def _range(name: str, text: str) -> tuple[float, float]:
    low, dots, high = text.partition("..")
    if not dots:
        raise UserError(f"{name} is two numbers, such as {name}:0.01..0.1")
    return _share(name, low), _share(name, high)


def _share(name: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise UserError(f"{name} takes {NUMBER}") from None
    if not 0 <= value <= 1:
        raise UserError(f"{name} takes {NUMBER}")
    return value


def _some(allowed):
    def parse(name: str, text: str) -> tuple[str, ...]:
        values = tuple(text.split(","))
        if not set(values) <= set(allowed):
            raise UserError(f"{name} is one or more of {', '.join(allowed)}")
        return values

    return parse


PARSERS = {
    "state": _state_of,
    "concept": _concepts,
    "density": _range,
    "confidence": _share,
    "stability": _some(RECURRENCE),
    "review": _some(REVIEWS),
}
