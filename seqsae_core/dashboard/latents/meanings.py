"""A latent beside every concept: how it tells it, whether it promotes it, and what it says of the history."""

import pandas as pd
import streamlit as st

from seqsae_core.dashboard import taking, widgets
from seqsae_core.dashboard.loading import Opened

SHOWN = 8
ALL = "All concepts"
ABOUT = (
    "How well its activation tells the concept of the item just read (score users), and how much more it raises the "
    "scores of items with the concept (its direction times the items' output vectors)."
)
NUMBERS = {
    "r_score": ("r", "Pearson correlation over positions of score users.", "%.3f"),
    "r_partial": ("Partial r", "The same without release year and popularity.", "%.3f"),
    "z": ("z", "Of the permutation test, each item once; ✓ = significant at 5 % over all latents × concepts.", "%.1f"),
    "roc_auc": ("ROC AUC", "Chance that it fires more on an item with the concept than on one without.", "%.3f"),
    "average_precision": ("Avg. precision", "Area under precision over recall.", "%.3f"),
    "f1": ("Best F1", "At the best threshold on its activation.", "%.3f"),
    "mean_in": ("Mean in", "Mean activation where the item has the concept.", "%.3f"),
    "mean_out": ("Mean out", "Mean activation where it has not.", "%.3f"),
    "promotes": ("Promotes", "Mean effect on scores of items with the concept minus without, in sd.", "%+.2f"),
    "promotes_auc": ("Output AUC", "Chance that it raises an item with the concept more than one without.", "%.3f"),
}
ABOUT_HISTORY = (
    "Compared within items: does it fire more on the *same* item later in a history, after other items, for users of "
    "another taste? Only what is significant at 5 % over all latents × concepts."
)
NO_HISTORY = "Nothing significant: on a given item, it fires alike wherever in a history and for whomever."


def every_concept(opened: Opened, latent: int) -> None:
    """One row a concept, those it correlates with most first."""
    widgets.section("Every concept, both ways", ABOUT)
    table = opened.alignment(latent)
    if table.empty:
        st.caption("No concept occurs where it was measured.")
        return
    rows = table.reindex(table["r_score"].abs().sort_values(ascending=False, kind="stable").index)
    more = len(rows) > SHOWN and st.toggle(ALL, key="all-concepts")
    marked = rows.assign(sure=rows["significant"].map({True: "✓", False: ""}), concept=rows["concept"].astype(str))
    columns = {
        "concept": st.column_config.TextColumn("Concept", width="medium"),
        "sure": st.column_config.TextColumn("✓", width=35, help="Significant at 5 % family-wise error."),
        **{
            name: st.column_config.NumberColumn(label, help=text, format=form)
            for name, (label, text, form) in NUMBERS.items()
        },
    }
    shown = marked[list(columns)] if more else marked[list(columns)].head(SHOWN)
    st.dataframe(shown, hide_index=True, column_config=columns, key=f"alignment-{more}", placeholder="")
    taking.table(rows, f"latent-{latent}-concepts")


def history(opened: Opened, latent: int) -> None:
    """What the place, the time and the taste around an item change in its firing."""
    widgets.section("What the history adds", ABOUT_HISTORY)
    table = opened.context(latent)
    found = table[table["significant"]]
    if found.empty:
        st.caption(NO_HISTORY)
        return
    order = found["r_within"].abs().sort_values(ascending=False, kind="stable").index
    rows = found.loc[order, ["concept", "r_within", "r", "z"]].head(SHOWN)
    columns = {
        "concept": st.column_config.TextColumn("On the same item, it goes with", width="large"),
        "r_within": st.column_config.NumberColumn("r within items", format="%+.3f", help="Negative: it fires less."),
        "r": st.column_config.NumberColumn("r over all", format="%+.3f", help="Items included."),
        "z": st.column_config.NumberColumn("z", format="%+.1f", help="Clustered by user."),
    }
    st.dataframe(pd.DataFrame(rows), hide_index=True, column_config=columns, key="context", placeholder="")
    taking.table(table, f"latent-{latent}-history")
