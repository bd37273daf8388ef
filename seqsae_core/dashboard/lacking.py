"""What pages cannot show because the study's data did not name it, and what to add."""

from typing import Any

import pandas as pd

UNTITLED = (
    "The data name no titles, so every page calls items by their ids. Build with an item table that has a column of "
    "titles (`--items`, `--title-column`)."
)
UNCLASSED = (
    "The data name no genres or other classes of items, so there is no concept to compare latents and neurons on; "
    "popularity, and what else the item table says, is shown concept by concept. Build with an item table that has a "
    "column of classes (`--items`, `--concept-column`)."
)
TOO_RARE = (
    "No genre occurs often enough among the held-out users to compare latents and neurons on it. Build from more "
    "users, or with broader classes of items."
)


def titles(catalogue: pd.DataFrame) -> str | None:
    """The sentence for a catalogue in which every title is the item's id; None where there are titles."""
    same = catalogue["title"].astype(str) == catalogue["item_id"].astype(str)
    return UNTITLED if same.all() else None


def comparison(summary: dict[str, Any], catalogue: pd.DataFrame) -> str | None:
    """Why latents and neurons were compared on no concept; None where they were compared on some."""
    if summary["latents"]["concepts"]:
        return None
    return TOO_RARE if catalogue["genres"].fillna("").astype(str).str.len().any() else UNCLASSED
