"""Latents beside every other kind of feature under one measurement, and the rivals that they do not beat."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from seqsae_core.dashboard import taking, widgets
from seqsae_core.dashboard.loading import Opened
from seqsae_core.dashboard.widgets import fixed, missing, percent
from seqsae_core.figures import contest
from seqsae_core.figures.style import kind_name

ABOUT = (
    "The same function measures all of them: the best candidate per concept is chosen on *select* users and scored on "
    "*score* users; in the right half on other items as well."
)
HOW_TO_READ = (
    "Dots are means over concepts of the best candidate's correlation; bars are 95 % intervals over users and items."
)
CEILING = "probe"
EQUAL = ("random_directions", "untrained_model_sae", "static_embedding_sae", "shuffled_sequence_sae")
COLUMNS = {
    "kind": ("Kind of feature", None, None),
    "features": ("Candidates", None, "localized"),
    "same": ("Same items", None, "%.3f"),
    "new": ("New items", None, "%.3f"),
    "matched": ("Equal numbers", "Same items, where only as many as there are neurons (±) may compete.", "%.3f"),
    "ahead_same": ("Latents − it, same items", "Paired difference with its 95 % interval.", None),
    "ahead_new": ("Latents − it, new items", "Paired difference with its 95 % interval.", None),
    "significant_share": ("With a significant concept", "Share of its live features.", widgets.PERCENT),
    "monosemanticity": ("Monosemanticity", "Mean over live features, by content.", "%.3f"),
    "monosemanticity_company": ("By company", "By what other users watched beside the items.", "%.3f"),
    "entropy": ("Entropy", "Bits over genres; fewer = purer.", "%.2f"),
}


def every_rival(opened: Opened) -> None:
    """The plot, the table, and in words whom latents do not beat."""
    widgets.section("Every rival", ABOUT)
    summary = opened.summary()
    widgets.chart(contest.comparison(summary), HOW_TO_READ, "rivals", "evidence")
    st.markdown(not_beaten(summary))
    columns = {
        name: st.column_config.Column(label, help=text)
        if form is None
        else st.column_config.NumberColumn(label, help=text, format=form)
        for name, (label, text, form) in COLUMNS.items()
    }
    rows = table(summary)
    shown = widgets.in_percent(rows, "significant_share")
    st.dataframe(shown, hide_index=True, column_config=columns, key="rivals-table", placeholder="–")
    taking.table(rows, "rivals")


def table(summary: Mapping[str, Any]) -> pd.DataFrame:
    """One row a kind, latents first."""
    rows = []
    for kind in contest.kinds_of(summary):
        found = summary[kind]
        gaps = summary.get("difference", {}).get(f"latents_minus_{kind}", {})
        row = {
            "kind": kind_name(kind),
            "features": found.get("features"),
            "same": found.get(contest.SAME),
            "new": found.get(contest.NEW),
            "matched": found.get("mean_max_correlation_matched"),
            "ahead_same": gap(gaps.get("same_items")),
            "ahead_new": gap(gaps.get("new_items")),
        }
        rows.append(row | {name: found.get(name) for name in list(COLUMNS)[len(row) :]})
    return pd.DataFrame(rows, columns=list(COLUMNS))


def gap(found: Mapping[str, Any] | None) -> str:
    """A paired difference with its interval, or nothing."""
    if not found or missing(found.get("mean")):
        return ""
    bounds = found.get("ci95")
    told = f" ({fixed(bounds[0], signed=True)} to {fixed(bounds[1], signed=True)})" if bounds else ""
    return fixed(found["mean"], signed=True) + told


def not_beaten(summary: Mapping[str, Any]) -> str:
    """Which rivals the latents are not shown to beat, on each measure. Markdown; kinds are our own words."""
    parts = []
    for key, words in (("same_items", "same items"), ("new_items", "new items")):
        gaps = {
            name.removeprefix("latents_minus_"): gaps.get(key) or {}
            for name, gaps in summary.get("difference", {}).items()
            if name != f"latents_minus_{CEILING}"
        }
        left = [kind_name(kind) for kind, found in gaps.items() if not (found.get("ci95") and found["ci95"][0] > 0)]
        equal = [kind_name(kind) for kind in gaps if kind in EQUAL and kind_name(kind) not in left]
        told = f"not shown to beat {', '.join(left)}" if left else "ahead of every rival measured"
        also = f" (with as many candidates: {', '.join(equal)})" if equal else ""
        parts.append(f"**On {words}** latents are {told}{also}.")
    return " ".join(parts) + " The probe is supervised: the ceiling, not a rival."


def names(opened: Opened) -> None:
    """What names the latents, and how well the names predict."""
    found = opened.summary()["latents"]
    if missing(found.get("named_by_concepts")):
        return
    widgets.section("What the names are worth")
    concepts, items = found["named_by_concepts"], found["named_by_items"]
    widgets.tiles(
        [
            ("Named by concepts", percent(concepts), "", "Live latents with a significant concept; docs/METHOD.md."),
            ("Named by items", percent(items), "", "Most of their activation falls on one to three items."),
            ("Unclear", percent(max(0.0, 1 - concepts - items)), "", "No significant evidence: no name."),
            (
                "Detection",
                fixed(found.get("median_name_score"), 2),
                "median balanced accuracy",
                "Does the name's rule tell on which items it fires strongly? On items that took no part in naming.",
            ),
            (
                "Tell of the history",
                percent(found.get("context_share")),
                "",
                "Live latents whose firing on the same item depends on place, time or taste.",
            ),
        ]
    )
