"""docs/METHOD.md in the dashboard: what each figure means, section by section, and the links that lead there."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from seqsae_core.dashboard import navigation
from seqsae_core.dashboard.permalink import View, quote
from seqsae_core.errors import UserError

PATH = Path(__file__).resolve().parents[2] / "docs" / "METHOD.md"
HEADING = re.compile(r"^(##|###) (.+)$", re.MULTILINE)
ELSEWHERE = re.compile(r"\[([^\]]+)\]\((?!http)[^)]+\)")
FIRST = "What each figure means"


@dataclass(frozen=True)
class Section:
    """A part of the document: its heading, how deep it is (0 for what stands first, then 1 and 2), its Markdown."""

    title: str
    depth: int
    text: str


def link(section: str) -> str:
    """A Markdown link from any page to a section by its key; it opens a tab, so that the page keeps what it shows."""
    return f"[Method](method?section={section})"


@cache
def sections() -> dict[str, Section]:
    """The document's sections by key, in its order. Raises UserError where the file is not there."""
    try:
        text = PATH.read_text()
    except OSError as error:
        raise UserError(f"{PATH} cannot be read ({error}): copy it from the repository.") from None
    title, *parts = HEADING.split(text)
    heads = zip(parts[::3], parts[1::3], parts[2::3], strict=True)
    found = [Section(FIRST, 0, title.partition("\n")[2])]
    found += [Section(name, len(level) - 1, body) for level, name, body in heads]
    return {key(section.title): section for section in found}


def key(title: str) -> str:
    """A heading as links name it."""
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")


def chosen(view: View) -> str:
    """The key of the section that a link names, or of the first. Raises UserError for one that is not there."""
    there = sections()
    if view.section is not None and view.section not in there:
        raise UserError(f"METHOD has no section {quote(view.section)}. It has: {', '.join(there)}.")
    return view.section or next(iter(there))


def contents(view: View, here: str) -> None:
    """Links to all sections; the one that is read stands out."""
    for name, section in sections().items():
        indent = "\u2003" * max(0, section.depth - 1)
        label = f"{indent}**{section.title}**" if name == here else f"{indent}{section.title}"
        navigation.link("method", view.home().but(section=name), label)


def text(section: Section) -> str:
    """A section's Markdown; links to other files, which no page serves, are their words."""
    return ELSEWHERE.sub(r"\1", section.text)
