"""Static charts as SVG trees: dots with intervals, and a histogram."""

from collections.abc import Sequence
from typing import NamedTuple
from xml.etree import ElementTree as ET

import numpy as np

from seqsae_core.reports.page import node, number

GREY, LATENTS = "#8b93a1", "#5b6ee8"
LONGEST = 34
WIDTH, LEFT, RIGHT, ROW, FOOT = 760, 210, 90, 24, 34


class Dot(NamedTuple):
    """One row of a chart: what it is called, its value with an interval or None, its colour."""

    label: str
    value: float
    low: float | None = None
    high: float | None = None
    colour: str = LATENTS


def dots(rows: Sequence[Dot], axis: str, reference: float = 0.0) -> ET.Element:
    """A dot a row on one scale, with its interval and its value in figures; a line at the reference value."""
    ends = [reference, *(v for row in rows for v in (row.value, row.low, row.high) if _known(v))]
    low, high = min(ends), max(ends)
    span = (high - low) or 1.0
    height = ROW * len(rows) + FOOT
    place = lambda value: LEFT + (value - low) / span * (WIDTH - LEFT - RIGHT)  # noqa: E731
    parts = [_line(place(reference), 0, place(reference), height - FOOT, dash="3 3")]
    for at, row in enumerate(rows):
        parts += _dot(row, ROW * (at + 0.5), place)
    parts.append(_text((LEFT + WIDTH - RIGHT) / 2, height - 10, axis, "middle"))
    return _frame(height, parts, axis)


def _dot(row: Dot, y: float, place) -> list[ET.Element]:
    label = row.label if len(row.label) <= LONGEST else row.label[: LONGEST - 1] + "…"
    parts = [_text(LEFT - 12, y + 4, label, "end"), _text(WIDTH - RIGHT + 14, y + 4, number(row.value), "start")]
    if _known(row.low) and _known(row.high):
        parts.append(_line(place(row.low), y, place(row.high), y, colour=row.colour))
    if _known(row.value):
        parts.append(node("circle", cx=f"{place(row.value):.1f}", cy=f"{y:.1f}", r=5, fill=row.colour))
    return parts


def bars(low: np.ndarray, high: np.ndarray, counts: np.ndarray, axis: str) -> ET.Element:
    """A histogram; low and high are the edges of each bar."""
    height, most = 190, max(int(np.max(counts, initial=0)), 1)
    span = (high[-1] - low[0]) or 1.0
    place = lambda value: 10 + (value - low[0]) / span * (WIDTH - 20)  # noqa: E731
    parts = [
        node(
            "rect", x=f"{place(a):.1f}", width=f"{max(place(b) - place(a) - 1, 0.5):.1f}", fill=LATENTS,
            y=f"{(height - FOOT) * (1 - count / most):.1f}", height=f"{(height - FOOT) * count / most:.1f}",
        )
        for a, b, count in zip(low, high, counts, strict=True)
    ]  # fmt: skip
    ends = ((low[0], "start"), (high[-1], "end"))
    parts += [_text(place(value), height - 18, number(float(value), ".2f"), anchor) for value, anchor in ends]
    parts.append(_text(WIDTH / 2, height - 4, f"{axis}; the highest bar holds {most:,}", "middle"))
    return _frame(height, parts, axis)


def _known(value: float | None) -> bool:
    return value is not None and bool(np.isfinite(value))


def _line(x1: float, y1: float, x2: float, y2: float, colour: str = GREY, dash: str = "none") -> ET.Element:
    points = {name: f"{value:.1f}" for name, value in {"x1": x1, "y1": y1, "x2": x2, "y2": y2}.items()}
    return node("line", **points, stroke=colour, stroke_width=1.6, stroke_dasharray=dash)


def _text(x: float, y: float, text: str, anchor: str) -> ET.Element:
    return node("text", text, x=f"{x:.1f}", y=f"{y:.1f}", text_anchor=anchor, font_size=12)


def _frame(height: float, parts: Sequence[ET.Element], label: str) -> ET.Element:
    size = {"viewBox": f"0 0 {WIDTH} {height}", "width": WIDTH, "height": height}
    return node("svg", *parts, **size, role="img", aria_label=label)
