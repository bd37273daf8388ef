"""The button in the bar that copies the link of what is seen."""

from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

LABEL = "Copy link"


def button() -> None:
    """On every page: the address says everything that the page shows."""
    _component()(key="share", data={"label": LABEL}, width="content")


@cache
def _component() -> Any:
    here = Path(__file__).parent
    html = f'<button class="share" type="button"><span class="words" role="status">{LABEL}</span></button>'
    return st.components.v2.component(
        "seqsae_share", html=html, css=(here / "share.css").read_text(), js=(here / "share.js").read_text(),
    )  # fmt: skip
