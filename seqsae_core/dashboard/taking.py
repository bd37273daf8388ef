"""What one takes along: a table as CSV or Parquet, a latent's report and a study's summary as one HTML file.

Files are made when they are asked for, not when the page is drawn.
"""

import re
from collections.abc import Callable
from functools import partial

import pandas as pd
import streamlit as st

from seqsae_core.dashboard.loading import Opened
from seqsae_core.export import as_csv, as_parquet

FORMATS = {"csv": ("CSV", as_csv, "text/csv"), "parquet": ("Parquet", as_parquet, "application/vnd.apache.parquet")}


def table(rows: pd.DataFrame, name: str) -> None:
    """A menu under a table: all columns of these rows, also those that are not shown. name: of the file."""
    with st.popover("Take this table", icon=":material/download:", type="tertiary", key=f"take-{name}"):
        for ending, (label, write, mime) in FORMATS.items():
            st.download_button(
                f"{label}, {len(rows):,} rows", partial(write, rows), f"{_safe(name)}.{ending}", mime,
                key=f"take-{name}-{ending}", on_click="ignore", icon=":material/table:",
            )  # fmt: skip


def latent_report(opened: Opened, latent: int) -> None:
    """A latent's page as one file."""

    def write() -> str:
        from seqsae_core.reports.latent import latent_report

        return latent_report(opened.study, opened.dictionary, opened.features("latents"), latent)

    about = "This page as one HTML file that needs nothing else."
    _page("Report", f"{opened.study.name}-latent-{latent}", write, about)


def study_summary(opened: Opened) -> None:
    """A study as one file."""

    def write() -> str:
        from seqsae_core.reports.summary import study_summary

        return study_summary(opened.study, opened.dictionary, opened.features("latents"))

    about = "This study's figures as one HTML file that needs nothing else."
    _page("Summary", opened.study.name, write, about, "stretch")


def _page(label: str, name: str, write: Callable[[], str], about: str, width: str = "content") -> None:
    st.download_button(
        label, write, f"{_safe(name)}.html", "text/html", key=f"page-{name}", on_click="ignore",
        icon=":material/download:", help=about, width=width,
    )  # fmt: skip


def _safe(name: str) -> str:
    return re.sub(r"[^0-9A-Za-z._-]+", "-", name).strip("-") or "table"
