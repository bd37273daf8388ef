"""The latents' table, beside their map: one frame of rows, searched, filtered, and opened by a click."""

import time
from contextlib import suppress
from functools import partial
from typing import NoReturn

import pandas as pd
import streamlit as st
from streamlit.errors import StreamlitAPIException

from seqsae_core.dashboard import navigation, permalink, taking, widgets
from seqsae_core.dashboard.latents import narrowing
from seqsae_core.dashboard.latents.facets import Facets, narrowed
from seqsae_core.dashboard.latents.latent_map import lassoed, latent_map, release_lasso
from seqsae_core.dashboard.loading import Opened

TABLE, MAP = "latents-table", "latents-map"
ROWS, SHOWN, NARROWED = "table", "latents-shown", "latents-narrowed"
REST = 0.2  # seconds
COLUMNS = {
    "significant": st.column_config.CheckboxColumn(
        "✓", width=38, help="Its top concept is significant at 5 % family-wise over all latents and concepts."
    ),
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
        "Density", format="%.2f %%", width=78, help="Share of positions where it fires."
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
    "name_review": st.column_config.TextColumn(
        "Review", width=80, help="What analysts decided; accepted names replace automatic ones."
    ),
}


def latents(opened: Opened) -> pd.DataFrame:
    """All latents, the best-evidenced first, with the steering effect where it is there."""
    return opened.once("latents by evidence", lambda: _latents(opened))


def _latents(opened: Opened) -> pd.DataFrame:
    rows = opened.features("latents").reset_index(drop=True)
    if opened.has("steering"):
        effects = opened.effects()[["latent", "effect"]].reset_index(drop=True)
        rows = rows.merge(effects, left_on="feature", right_on="latent", how="left")
    rows["top_group"] = rows["top_group"].where(rows["significant"], "")
    rows["name"] = rows["name"].where(rows["alive"], "dead: never fires")
    return rows.sort_values(["alive", "significant", "z"], ascending=False, kind="stable", na_position="last")


def filtered(opened: Opened, rows: pd.DataFrame, search: str, facets: Facets) -> pd.DataFrame:
    """Rows of `latents` that pass the facets and contain every word of the search; a number finds its latent."""
    rows = narrowed(rows, facets)
    if search.isdecimal():
        return rows[rows["feature"] == int(search)]
    words = search.casefold().split()
    if not words:
        return rows
    text = _searched(opened).loc[rows.index]
    for word in words:
        text = text[text.str.contains(word, regex=False)]
    return rows.loc[text.index]


def _searched(opened: Opened) -> pd.Series:
    """What a search looks through: name, top concept and titles of every latent, in lower case, by row of `latents`."""
    rows = latents(opened)
    titles = lambda: _titles(opened, opened.stamp("data", "evidence")).reindex(rows["feature"]).fillna("")  # noqa: E731
    names = lambda: (rows["name"] + "\n" + rows["top_concept"] + "\n").str.casefold()  # noqa: E731
    return opened.once("searched text", lambda: names() + titles().to_numpy())


@st.cache_resource(max_entries=4, show_spinner=False)
def _titles(_opened: Opened, stamp: str) -> pd.Series:
    """By latent the titles that fire it most, in lower case, one a line."""
    items = _opened.study.strongest_items(_opened.dictionary)
    titles = _opened.catalogue()["title"].astype(str).str.casefold().reindex(items["item"]).to_numpy()
    return pd.Series(titles, items["feature"]).groupby(level=0).agg("\n".join)


def beside(opened: Opened, latent: int) -> tuple[list[int], int | None]:
    """The latents that the link narrows to, in the table's order, or all by number; and the place of one in it."""
    search, facets = narrowing.of_link(opened)
    if not search and not facets.count:
        order = sorted(opened.features("latents").index.tolist())
    else:
        order = filtered(opened, latents(opened), search, facets)["feature"].tolist()
    return order, order.index(latent) if latent in order else None


def browse(opened: Opened) -> None:
    """Search and facets, and the table beside the map. A control runs table and map again, a click neither."""
    st.session_state.pop(NARROWED, None)
    narrowing.controls(latents(opened), navigation.while_shown(_typed), navigation.while_shown(_again))
    left, right = widgets.pair([7, 5], "browse", gap="medium")
    with left:
        _list(opened)
    with right:
        _map(opened)


def _again() -> None:
    """Runs table and map; the whole page where they are not there yet, because it is still on its way."""
    narrowing.touched()
    with suppress(StreamlitAPIException):
        st.rerun([TABLE, MAP])


def _typed() -> None:
    st.session_state[NARROWED] = True
    _again()


@st.fragment(key=TABLE)
def _list(opened: Opened) -> None:
    """The table, or that nothing passes; first, because it is what one looks at."""
    st.session_state.pop(SHOWN, None)
    rows = filtered(opened, latents(opened), *narrowing.asked())
    st.session_state[SHOWN] = rows
    if rows.empty:
        nothing_found(opened)
        return
    inside = lassoed(rows["feature"])
    table(opened, rows if inside is None else rows[rows["feature"].isin(inside)], inside is not None)


@st.fragment(key=MAP)
def _map(opened: Opened) -> None:
    """The map of the latents in the table; a lasso on it narrows the table.

    After a letter of the search it waits for the next one, which ends this run: a map takes longer than a table.
    """
    if st.session_state.pop(NARROWED, False):
        time.sleep(REST)
    rows = st.session_state.get(SHOWN)
    if rows is not None and not rows.empty:
        latent_map(opened, rows, navigation.while_shown(_again), partial(_picked_point, opened))
    _searched(opened)  # while one looks, so that the first search need not wait


def nothing_found(opened: Opened) -> None:
    """No row passes: say so, and the way back."""
    st.info("No latent matches. Try a genre, a decade such as 1990s, or a number.", icon=":material/search_off:")
    if st.button("Show all latents"):
        navigation.go("latents", opened.view.home())


def _picked_row(opened: Opened, rows: pd.DataFrame) -> None:
    row = widgets.clicked_cell(st.session_state[ROWS], rows, "significant")
    if row is not None:
        _open_latent(opened, int(row["feature"]))


def _picked_point(opened: Opened, latent: int | None) -> None:
    """latent: the one of the point, or None where a lasso was drawn or left."""
    if latent is None:
        st.rerun(TABLE)
    _open_latent(opened, latent)


def _open_latent(opened: Opened, latent: int) -> NoReturn:
    # Streamlit puts the new parameters on this page's address first: with the search among them, Back finds it.
    there = permalink.read()
    navigation.go("latent", opened.view.home().but(latent=latent, search=there.search, where=there.where))


def table(opened: Opened, rows: pd.DataFrame, in_lasso: bool) -> None:
    """The table; a click on a row opens its latent, in place of running anything here."""
    columns = [c for c in COLUMNS if c in rows]
    st.dataframe(
        widgets.in_percent(rows[columns], "density"),
        column_config=COLUMNS,
        hide_index=True,
        height=640,
        key=ROWS,
        on_select=navigation.while_shown(partial(_picked_row, opened, rows)),
        selection_mode="single-cell",
        placeholder="–",
        row_height=34,
        alt="Latents",
    )
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        where = "inside the lasso" if in_lasso else "shown"
        st.caption(f"{len(rows):,} {where}, the best-evidenced first; click a heading to sort. {widgets.BY_KEY}")
        if in_lasso:
            st.button("Leave the lasso", icon=":material/close:", type="tertiary", on_click=_leave_lasso)
        taking.table(rows, "latents")


def _leave_lasso() -> None:
    release_lasso()
    _again()
