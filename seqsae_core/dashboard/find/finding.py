"""The parts of the page that finds latents: for a history, where in it each fires; for a title, which fire on it."""

from functools import partial

import numpy as np
import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from seqsae_core.dashboard import navigation, permalink, taking, widgets
from seqsae_core.dashboard.find import heat
from seqsae_core.dashboard.loading import Opened
from seqsae_core.dashboard.permalink import View
from seqsae_core.dashboard.steer import histories
from seqsae_core.dashboard.steer.applying import stamp
from seqsae_core.dashboard.steer.scene import Scene
from seqsae_core.dashboard.widgets import plain
from seqsae_core.data.sequences import SCORE, SELECT, Sequences, Split
from seqsae_core.errors import UserError
from seqsae_core.study import Study

LEAD = "Which latents fire for a history, and at which of its items; or for one title."
HISTORY, TITLE = "A history", "A title"
ROWS, MORE = 20, 80
HOW_TO_READ = (
    "One row a latent, one column an item of the history, oldest first; the stronger the colour, the larger the "
    "activation (hover for its value). Ordered by the sum of activations: decoder directions have length 1, so this is "
    "how much each latent writes into the model's states. A cell opens its latent; arrow keys walk through them."
)
ABOUT_TITLE = (
    "Over held-out users who met it: on which share of them a latent fires there, and its mean activation (0 where it "
    "does not fire); beside it the activation in a history of this title alone. " + widgets.BY_KEY
)
COLUMNS = {
    "significant": st.column_config.CheckboxColumn("✓", width=38, help="Its top concept is significant at 5 %."),
    "latent": st.column_config.NumberColumn("#", width=60, format="%d"),
    "name": st.column_config.TextColumn("Name", width="medium"),
    "top_concept": st.column_config.TextColumn("Top concept", width="medium"),
    "share": st.column_config.ProgressColumn("Fires on", min_value=0, max_value=100, format="%.0f %%"),
    "mean": st.column_config.NumberColumn("Mean activation", format="%.3f"),
    "alone": st.column_config.NumberColumn("Alone", format="%.3f", help="In a history of this title alone."),
}


def heading(view: View) -> tuple[str, DeltaGenerator]:
    """The title, the choice between a history and a title, and the place for the controls of a history.

    The choice is that of a link to a title or of one to none: Back from one to the other shows what it says.
    """
    words, controls = widgets.pair([5, 7], "find", vertical_alignment="bottom", gap="large")
    with words:
        widgets.title("Find", LEAD)
        what = st.segmented_control(
            "Find latents for", [HISTORY, TITLE], default=TITLE if view.items else HISTORY, required=True,
            key=f"find-what-{'title' if view.items else 'history'}",
        )  # fmt: skip
    beside = controls.container(
        horizontal=True, vertical_alignment="bottom", horizontal_alignment="right", gap="small"
    )
    return what or HISTORY, beside


def in_history(opened: Opened, found: Scene, controls: DeltaGenerator) -> None:
    """The history, and below it latents × positions."""
    histories.panel(opened, found, controls, ("steer", "Steer this history"))
    if not found.history:
        return
    firing, order = _firing(opened, stamp(opened), found.history)
    if firing.empty:
        st.info("No latent fires on these items.", icon=":material/search_off:")
        return
    names = opened.features("latents")["name"].to_dict()
    picked = heat.show(firing, _shown(order), names, found.history, opened.catalogue(), "heat")
    widgets.read(HOW_TO_READ, "finding-and-comparing")
    taking.table(firing, "firing")
    if picked is not None:
        navigation.go("latent", opened.view.home().but(latent=int(picked)))


def _shown(order: list[int]) -> list[int]:
    """The first ROWS, or more when asked."""
    if len(order) <= ROWS:
        return order
    more = min(MORE, len(order))
    label = f"Show all {more} that fire" if more == len(order) else f"Show {more} of the {len(order)} that fire"
    return order[: more if st.toggle(label, key="more-latents") else ROWS]


def for_title(opened: Opened) -> None:
    """A search for a title, and the latents that fire on it."""
    item = _item(opened)
    if item is None:
        return
    table, readers = _on_item(opened, stamp(opened), item)
    title = plain(opened.catalogue().at[item, "title"])
    if table.empty:
        st.info(f"No latent fires on {title}.", icon=":material/search_off:")
        return
    read = f"{readers:,} held-out users met it" if readers else "no held-out user met it"
    st.markdown(f"**{title}**: {len(table):,} latents fire on it; {read}.")
    latents = opened.features("latents")
    rows = table.assign(
        significant=latents["significant"].reindex(table["latent"]).to_numpy(),
        name=latents["name"].reindex(table["latent"]).to_numpy(),
        top_concept=latents["top_concept"].where(latents["significant"], "").reindex(table["latent"]).to_numpy(),
    )
    event = st.dataframe(
        widgets.in_percent(rows[list(COLUMNS)], "share"), hide_index=True, column_config=COLUMNS,
        key=f"on-item-{item}", placeholder="–",
        on_select="rerun", selection_mode="single-cell", alt="Latents that fire on the title",
    )  # fmt: skip
    widgets.read(ABOUT_TITLE, "finding-and-comparing")
    taking.table(rows, f"item-{item}-latents")
    row = widgets.clicked_cell(event, rows, "significant")
    if row is not None:
        navigation.go("latent", opened.view.home().but(latent=int(row["latent"])))


def _item(opened: Opened) -> int | None:
    """The title of the link, searched for and chosen."""
    catalogue, there = opened.catalogue(), permalink.read().items
    if there and not 1 <= there[0] <= len(catalogue):
        raise UserError(f"There is no item {there[0]} in this study: items run from 1 to {len(catalogue)}.")
    text = st.text_input("Search titles", key="find-title", live=True, icon=":material/search:", width=420)
    if text.strip():
        _results(opened, text)
    elif not there:
        st.info("Search a title and choose it; the latents that fire on it follow.", icon=":material/movie:")
    return int(there[0]) if there else None


def _results(opened: Opened, text: str) -> None:
    rows = histories.matches(opened.catalogue(), text)
    if rows.empty:
        st.caption(f"No title contains “{plain(text)}”.")
    with st.container(horizontal=True, gap="xxsmall"):
        for item, name, year in rows[["item", "title", "year"]].itertuples(index=False):
            choose = partial(_choose, opened, int(item))
            st.button(histories.label(name, year), key=f"title-{item}", type="tertiary", on_click=choose)


def _choose(opened: Opened, item: int) -> None:
    permalink.write(opened.view.home().but(items=(item,)))
    st.session_state["find-title"] = ""


@st.cache_data(max_entries=200, show_spinner="Reading the history")
def _firing(_opened: Opened, stamp: str, history: tuple[int, ...]) -> tuple[pd.DataFrame, list[int]]:
    from seqsae_core.steering import firing

    table = firing.in_history(_opened.steerer(), history)
    return table, firing.strongest(table, len(table))


@st.cache_data(max_entries=200, show_spinner="Reading who met it")
def _on_item(_opened: Opened, stamp: str, item: int) -> tuple[pd.DataFrame, int]:
    from seqsae_core.steering import firing

    sequences, split, users = _people(str(_opened.study.path), _opened.stamp("data"))
    return firing.on_item(_opened.steerer(), sequences, split, users, item)


@st.cache_resource(max_entries=2, show_spinner=False)
def _people(path: str, stamp: str) -> tuple[Sequences, Split, np.ndarray]:
    study = Study.open(path)
    sequences = study.sequences()
    split = study.split(sequences)
    return sequences, split, split.users(SELECT, SCORE)
