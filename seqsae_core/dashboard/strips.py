"""Example sequences as strips of item tiles, shaded by activation: a small component that sets text only."""

from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from seqsae_core.figures.style import kind_colour

QUANTILES = ("Strongest", "Strong", "Middling", "Weak", "Weakest")


def show(examples: pd.DataFrame, catalogue: pd.DataFrame, kind: str, key: str) -> None:
    """Strips of these examples. catalogue is indexed by item number; shading is relative to the strongest example."""
    rows = [example(row, catalogue) for row in examples.to_dict("records")]
    peak = max(item["activation"] for row in rows for item in row["items"])
    _component()(key=key, data={"examples": rows, "peak": peak, "colour": kind_colour(kind)})


def quantile_name(quantile: int) -> str:
    """An activation quantile in words, 0 the strongest."""
    return QUANTILES[quantile] if 0 <= quantile < len(QUANTILES) else f"Quantile {quantile + 1}"


def example(row: dict[str, Any], catalogue: pd.DataFrame) -> dict[str, Any]:
    """One row of `examples.parquet` as the component reads it."""
    items = [
        tile(item, catalogue) | {"activation": float(a), "firing": i == row["at"]}
        for i, (item, a) in enumerate(zip(row["items"], row["activations"], strict=True))
    ]
    label = f"activation {row['activation']:.2f} · user {int(row['user'])}, event {int(row['event']) + 1}"
    spoken = f"Sequence of {len(items)} items; it fires on {items[int(row['at'])]['title']}"
    following = int(row["next_item"] or 0) if int(row["at"]) == len(items) - 1 else 0
    return {
        "label": label,
        "spoken": spoken,
        "items": items,
        "next": tile(following, catalogue) if following else None,
    }


def tile(item: int, catalogue: pd.DataFrame) -> dict[str, str]:
    """Title, and year with genres, of an item."""
    row = catalogue.loc[int(item)]
    year = "" if pd.isna(row["year"]) else str(int(row["year"]))
    genres = str(row["genres"] or "").replace("|", ", ")
    return {"title": str(row["title"]), "meta": " · ".join(filter(None, (year, genres)))}


@cache
def _component() -> Any:
    here = Path(__file__).parent
    return st.components.v2.component(
        "seqsae_strips",
        html='<div class="strips"></div>',
        css=(here / "strips.css").read_text(),
        js=(here / "strips.js").read_text(),
    )
