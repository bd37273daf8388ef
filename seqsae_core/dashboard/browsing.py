"""The latents' table, beside their map: one frame of rows, searched, filtered, and opened by a click."""

import pandas as pd
import streamlit as st

from seqsae_core.dashboard import navigation, permalink, widgets
from seqsae_core.dashboard.latent_map import latent_map
from seqsae_core.dashboard.loading import Opened
from seqsae_core.dashboard.permalink import View

SHOWN = {"All": None, "Significant": "significant", "Not significant": "other", "Dead": "dead"}
COLUMNS = {
    "feature": st.column_config.NumberColumn("#", width=55, format="%d"),
    "name": st.column_config.TextColumn("Name", width=185),
    "top_concept": st.column_config.TextColumn("Top concept", width=125),
    "correlation": st.column_config.ProgressColumn(
        "Correlation",
        format="%.2f",
        min_value=0,
        max_value=1,
        width=105,
        help="Pearson r with the top concept on users that took no part in choosing it.",
    ),
    "density": st.column_config.NumberColumn(
        "Density", format="percent", width=72, help="Share of positions where it fires."
    ),
    "effect": st.column_config.NumberColumn(
        "Steering",
        format="%.1f",
        width=70,
        help="Mean number of top-10 items replaced at +2 units, over fixed histories.",
    ),
    "stability": st.column_config.NumberColumn(
        "Stable",
        format="%.2f",
        width=65,
        help="Mean cosine with its partner in re-trainings: from .8 on it re-appears, from .5 on partly.",
    ),
    "significant": st.column_config.CheckboxColumn(
        "Signif.", width=60, help="Its top concept, at 5 % family-wise over all latents and concepts."
    ),
    "name_review": st.column_config.TextColumn(
        "Review", width=80, help="What analysts decided; accepted names replace automatic ones."
    ),
}


def latents(opened: Opened) -> pd.DataFrame:
    """All latents, the best-evidenced first, with the steering effect where it is there."""
    rows = opened.features("latents").reset_index(drop=True)
    if opened.has("steering"):
        effects = opened.effects()[["latent", "effect"]].reset_index(drop=True)
        rows = rows.merge(effects, left_on="feature", right_on="latent", how="left")
    rows["top_group"] = rows["top_group"].where(rows["significant"], "")
    rows["name"] = rows["name"].where(rows["alive"], "dead: never fires")
    return rows.sort_values(["alive", "significant", "z"], ascending=False, kind="stable", na_position="last")


def controls(view: View) -> tuple[str, str]:
    """The search box and the choice of which latents; the search is part of the link."""
    box, choice = st.columns([3, 2], vertical_alignment="bottom")
    search = box.text_input(
        "Search", view.search or "", placeholder="name, concept or number", icon=":material/search:"
    )
    shown = choice.segmented_control("Show", list(SHOWN), default="All", required=True)
    permalink.write(view.but(search=search.strip() or None))
    return search.strip(), SHOWN[shown or "All"]


def filtered(rows: pd.DataFrame, search: str, state: str | None) -> pd.DataFrame:
    """Rows whose name, concept or number contain every word of the search, in a state."""
    states = {
        "significant": rows["significant"],
        "dead": ~rows["alive"],
        "other": rows["alive"] & ~rows["significant"],
    }
    rows = rows[states[state]] if state else rows
    if search.isdecimal():
        return rows[rows["feature"] == int(search)]
    text = (rows["name"] + " " + rows["top_concept"]).str.lower()
    for word in search.lower().split():
        rows = rows[text.reindex(rows.index).str.contains(word, regex=False)]
    return rows


def nothing_found(opened: Opened) -> None:
    """No row passes: say so, and the way back."""
    st.info("No latent matches. Try a genre, a decade such as 1990s, or a number.", icon=":material/search_off:")
    if st.button("Show all latents"):
        navigation.go("latents", opened.view.home())


def table_and_map(opened: Opened, rows: pd.DataFrame) -> None:
    """Side by side; either opens a latent."""
    left, right = widgets.pair([7, 5], "browse", gap="medium")
    with left:
        picked = table(rows)
    with right:
        picked = latent_map(opened, rows) if picked is None else picked
    if picked is not None:
        # Streamlit puts the new parameters on this page's address first: with the search among them, Back finds it.
        search = permalink.read().search
        navigation.go("latent", opened.view.home().but(latent=picked, search=search))


def table(rows: pd.DataFrame) -> int | None:
    """The table; the latent whose row was clicked, or None."""
    columns = [c for c in COLUMNS if c in rows]
    event = st.dataframe(
        rows[columns],
        column_config=COLUMNS,
        hide_index=True,
        height=640,
        key="table",
        on_select="rerun",
        selection_mode="single-cell",
        placeholder="–",
        row_height=34,
    )
    st.caption(f"{len(rows):,} shown, the best-evidenced first. Click a heading to sort, a row to open it.")
    row = widgets.clicked_cell(event, rows)
    return None if row is None else int(row["feature"])
