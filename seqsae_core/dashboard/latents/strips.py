"""Example sequences as strips of item tiles, shaded by activation: a small component that sets text only."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from seqsae_core.figures.style import kind_colour

Lists = Sequence[Sequence[int]]
FOLD = 4
QUANTILES = ("Strongest", "Strong", "Middling", "Weak", "Weakest")


def show(
    examples: pd.DataFrame, catalogue: pd.DataFrame, kind: str, key: str, recommended: Lists | None = None
) -> None:
    """Strips of these examples, a screenful and the rest behind a button. catalogue is indexed by item number; shading
    is relative to the strongest example; recommended: what the model lists after each firing item, the best first."""
    lists = recommended or [()] * len(examples)
    rows = [example(row, catalogue, items) for row, items in zip(examples.to_dict("records"), lists, strict=True)]
    peak = max(item["activation"] for row in rows for item in row["items"])
    _component()(key=key, data={"examples": rows, "peak": peak, "colour": kind_colour(kind), "fold": FOLD})


def quantile_name(quantile: int) -> str:
    """An activation quantile in words, 0 the strongest."""
    return QUANTILES[quantile] if 0 <= quantile < len(QUANTILES) else f"Quantile {quantile + 1}"


def example(row: dict[str, Any], catalogue: pd.DataFrame, recommended: Sequence[int] = ()) -> dict[str, Any]:
    """One row of `examples.parquet`, with what was recommended after its firing item, as the component reads it."""
    items = [
        tile(item, catalogue) | {"activation": float(a), "firing": i == row["at"]}
        for i, (item, a) in enumerate(zip(row["items"], row["activations"], strict=True))
    ]
    label = f"activation {row['activation']:.2f} · at item {int(row['event']) + 1} of user {int(row['user'])}'s history"
    spoken = f"Sequence of {len(items)} items; it fires on {items[int(row['at'])]['title']}"
    watched, at = int(row["next_item"] or 0), int(row["at"])
    following = watched if at == len(items) - 1 else 0
    return {
        "label": label,
        "spoken": spoken,
        "items": items,
        "next": tile(following, catalogue) if following else None,
        "recommended": [tile(item, catalogue) | {"hit": int(item) == watched} for item in recommended],
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
