"""The strip of latents × positions: a small component that sets text only."""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from seqsae_core.dashboard.latents.strips import tile
from seqsae_core.figures.style import LATENTS


def show(firing: pd.DataFrame, latents: Sequence[int], names: Mapping[int, str], history: Sequence[int],
         catalogue: pd.DataFrame, key: str) -> int | None:  # fmt: skip
    """The strip of these latents; the one that was opened, or None.

    firing: latent, place (from 1), activation; catalogue is indexed by item; of the history the items that the
    dictionary read last are shown: from the first place that fires anything.
    """
    first = int(firing["place"].min()) if len(firing) else 1
    places = range(first, len(history) + 1)
    columns = [{"place": place, **tile(history[place - 1], catalogue)} for place in places]
    shown = firing[firing["latent"].isin(latents)]
    grid = shown.pivot_table(index="latent", columns="place", values="activation", aggfunc="sum", fill_value=0.0)
    grid = grid.reindex(index=list(latents), columns=places, fill_value=0.0).fillna(0.0)
    rows = [
        {"latent": int(latent), "name": str(names[latent]), "cells": [round(float(a), 4) for a in cells]}
        for latent, cells in zip(grid.index, grid.to_numpy(), strict=True)
    ]
    data = {"columns": columns, "rows": rows, "peak": float(grid.to_numpy().max(initial=0)) or 1.0, "colour": LATENTS}
    return _component()(key=key, data=data, on_opened_change=lambda: None).opened


@cache
def _component() -> Any:
    here = Path(__file__).parent
    return st.components.v2.component(
        "seqsae_heat", html='<div class="heat"></div>',
        css=(here / "heat.css").read_text(), js=(here / "heat.js").read_text(),
    )  # fmt: skip
