"""One self-contained HTML page, put together as a tree: every text is escaped when it is written, nothing runs, nothing
is fetched."""

import math
from collections.abc import Iterable, Sequence
from typing import Any
from xml.etree import ElementTree as ET

import pandas as pd

POLICY = "default-src 'none'; style-src 'unsafe-inline'"
STYLE = """
:root { color-scheme: light dark; --ink: #20242e; --paper: #fcfbf8; --soft: #f3f1ea; --line: #dfdbd0; }
@media (prefers-color-scheme: dark) { :root { --ink: #e9e7e1; --paper: #14161b; --soft: #1e2128; --line: #343944; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 62rem;
  margin: 2rem auto; padding: 0 1.2rem; }
h1, h2 { font-family: Georgia, serif; line-height: 1.2; } h2 { margin-top: 2.2rem; }
table { border-collapse: collapse; margin: 0.6rem 0; font-variant-numeric: tabular-nums; font-size: 0.9rem; }
th, td { text-align: start; padding: 0.25rem 0.8rem 0.25rem 0; border-bottom: 1px solid var(--line); }
.note { opacity: 0.75; font-size: 0.85rem; } svg { max-width: 100%; height: auto; } svg text { fill: var(--ink); }
.strip { display: flex; gap: 0.3rem; overflow-x: auto; margin: 0.2rem 0 0.8rem; }
.tile { flex: 0 0 8rem; padding: 0.35rem 0.5rem; border: 1px solid var(--line); border-radius: 5px; }
.tile { font-size: 0.78rem; } .tile b { display: block; overflow-wrap: anywhere; }
.tile.firing { border: 2px solid #5b6ee8; }
"""


def node(tag: str, *children: Any, **attributes: Any) -> ET.Element:
    """An element; children are elements or text, None is left out. `class_` writes the attribute class; an underscore
    inside a name a dash."""
    named = {name.rstrip("_").replace("_", "-"): str(value) for name, value in attributes.items()}
    element, last = ET.Element(tag, named), None
    for child in children:
        if isinstance(child, ET.Element):
            element.append(child)
            last = child
        elif child is not None:
            _add_text(element, last, clean(child))
    return element


def _add_text(element: ET.Element, last: ET.Element | None, text: str) -> None:
    if last is None:
        element.text = (element.text or "") + text
    else:
        last.tail = (last.tail or "") + text


def clean(value: Any) -> str:
    """Text without characters that no document may hold."""
    return "".join(c for c in str(value) if c in "\t\n" or (ord(c) >= 32 and not 0xD800 <= ord(c) <= 0xDFFF))


def table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> ET.Element:
    """A table of texts."""
    body = [node("tr", *(node("td", cell) for cell in row)) for row in rows]
    return node("table", node("thead", node("tr", *(node("th", cell) for cell in head))), node("tbody", *body))


def document(title: str, *parts: ET.Element) -> str:
    """The whole page."""
    head = node(
        "head", node("meta", charset="utf-8"), node("title", title), node("style", STYLE),
        node("meta", http_equiv="Content-Security-Policy", content=POLICY),
        node("meta", name="viewport", content="width=device-width, initial-scale=1"),
    )  # fmt: skip
    whole = node("html", head, node("body", *parts), lang="en")
    return "<!doctype html>\n" + ET.tostring(whole, encoding="unicode", method="html")


def number(value: Any, form: str = ".3f") -> str:
    """A figure with a true minus sign; a dash where there is none."""
    if value is None or pd.isna(value) or (isinstance(value, float) and math.isinf(value)):
        return "–"
    return format(value, form).replace("-", "−")


def interval(bounds: Sequence[float] | None, form: str = ".3f") -> str:
    """A 95 % interval, or nothing."""
    if bounds is None or any(pd.isna(bound) for bound in bounds):
        return ""
    return f" (95 %: {number(bounds[0], form)} to {number(bounds[1], form)})"
