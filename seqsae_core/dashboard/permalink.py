"""The URL is the page's state: query parameters to a frozen View and back, or a UserError that the page shows."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

import streamlit as st

from seqsae_core.dashboard.latents.facets import Facets, format_facets, parse_facets
from seqsae_core.errors import UserError
from seqsae_core.steering import notation
from seqsae_core.steering.edits import Edit

KINDS = ("latents", "neurons", "pca", "random_directions")
MAX_HISTORY, MAX_ITEMS = 500, 1000
MAX_EDITS = 16


@dataclass(frozen=True)
class View:
    """What a link says. None means "not said": the page chooses its own default.

    history: item numbers (1..n), oldest first; items: those of a concept put together by hand. edits: of
    every kind, as `steering.notation` writes them; position: where they are made; made_for: the fingerprint of the
    dictionary whose latents they name. search and where: what the table of latents is narrowed to; other: the latent,
    or against: the dictionary, that stands beside the one named; section: of METHOD.
    """

    study: str | None = None
    dictionary: str | None = None
    latent: int | None = None
    kind: str | None = None
    feature: int | None = None
    concept: str | None = None
    user: int | None = None
    history: tuple[int, ...] | None = None
    edits: tuple[Edit, ...] | None = None
    search: str | None = None
    items: tuple[int, ...] | None = None
    position: str | None = None
    made_for: str | None = None
    where: Facets | None = None
    other: int | None = None
    against: str | None = None
    section: str | None = None

    def but(self, **changes: Any) -> "View":
        """The same view with some parameters changed (None drops one)."""
        return replace(self, **changes)

    def home(self) -> "View":
        """Study and dictionary only: what every link to another page carries."""
        return View(study=self.study, dictionary=self.dictionary)


def parse(parameters: Mapping[str, str]) -> View:
    """Query parameters to a View; parameters of other owners are ignored.

    Raises UserError naming the parameter, its value and the form expected.
    """
    known = {name: parameters[name].strip() for name in PARSERS if parameters.get(name) is not None}
    return View(**{name: PARSERS[name](name, text) for name, text in known.items()})


def params(view: View) -> dict[str, str]:
    """A View as query parameters, in a fixed order; `parse(params(view)) == view`."""
    values = {f.name: getattr(view, f.name) for f in fields(view)}
    return {name: _format(name, value) for name, value in values.items() if value is not None}


def read() -> View:
    """The View of the current URL. Raises UserError on a value that cannot be read."""
    return parse(st.query_params.to_dict())


def write(view: View) -> None:
    """Puts a View into the URL, without a rerun. Does nothing when it is there already (no extra step for Back)."""
    wanted = params(view)
    if {k: v for k, v in st.query_params.to_dict().items() if k in PARSERS} != wanted:
        st.query_params.from_dict(wanted)


def quote(text: str) -> str:
    """A value from the URL as it may stand in a message: one short code span, so that nothing in it is rendered."""
    short = text if len(text) <= 60 else text[:60] + "…"
    return "`" + short.replace("`", "'") + "`"


def _name(name: str, text: str) -> str | None:
    if name == "study" and (text in (".", "..") or any(c in text for c in "/\\\0") or not _nameable(text)):
        raise UserError(
            f"The link's study {quote(text)} is not a study's name: use the folder's name alone, without a path."
        )
    return text or None


def _nameable(text: str) -> bool:
    """Whether a file system takes the text as a name: at most 255 bytes, no lone surrogates."""
    return len(text.encode(errors="replace")) <= 255 and not any("\ud800" <= c <= "\udfff" for c in text)


def _number(name: str, text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise UserError(f"The link's {name} is {quote(text)}: write a whole number, such as {name}=12.")
    return int(text)


def _kind(name: str, text: str) -> str:
    if text not in KINDS:
        raise UserError(f"The link's kind is {quote(text)}: use one of {', '.join(KINDS)}.")
    return text


def _items(name: str, text: str) -> tuple[int, ...]:
    parts, most = text.split("-") if text else [], MAX_HISTORY if name == "history" else MAX_ITEMS
    if len(parts) > most:
        raise UserError(f"The link's {name} has {len(parts)} items: use at most {most}.")
    if not all(p.isascii() and p.isdigit() and len(p) < 10 for p in parts):
        raise UserError(
            f"The link's {name} is {quote(text)}: write item numbers joined by dashes, such as {name}=12-55-103."
        )
    return tuple(int(p) for p in parts)


def _edits(name: str, text: str) -> tuple[Edit, ...]:
    try:
        edits = notation.parse(text)
    except UserError as error:
        why = f"{notation.FORM}." if "write latent" in str(error) else str(error)
        raise UserError(f"The link's edits are {quote(text)}: {why}") from None
    if len(edits) > MAX_EDITS:
        raise UserError(f"The link has {len(edits)} edits: use at most {MAX_EDITS}.")
    if len({(edit.latent, edit.kind) for edit in edits}) < len(edits):
        raise UserError(f"The link's edits {quote(text)} name a latent twice: give each latent one edit of a kind.")
    return edits


def _facets(name: str, text: str) -> Facets:
    try:
        return parse_facets(text)
    except UserError as error:
        raise UserError(f"The link's {name} is {quote(text)}: {error}.") from None


PARSERS = {
    "study": _name,
    "dictionary": _name,
    "latent": _number,
    "kind": _kind,
    "feature": _number,
    "concept": _name,
    "user": _number,
    "history": _items,
    "edits": _edits,
    "search": _name,
    "items": _items,
    "position": _name,
    "made_for": _name,
    "where": _facets,
    "other": _number,
    "against": _name,
    "section": _name,
}


def _format(name: str, value: Any) -> str:
    if name in ("history", "items"):
        return "-".join(map(str, value))
    if name == "edits":
        return notation.format_edits(value)
    if name == "where":
        return format_facets(value)
    return str(value)
