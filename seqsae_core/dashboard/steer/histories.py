"""Whose history is steered: a held-out user's, or one composed by searching titles."""

from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from seqsae_core.dashboard import navigation, permalink
from seqsae_core.dashboard.loading import Opened
from seqsae_core.dashboard.permalink import MAX_HISTORY
from seqsae_core.dashboard.steer.live import describe
from seqsae_core.dashboard.steer.scene import Audience, Scene, after, audience
from seqsae_core.dashboard.widgets import plain, title

OFFERED, FOUND = 100, 20
RESULTS_HEIGHT = 136
KEY = "history"
ONWARD = ("find", "What fires here?")
LEAD = "Turn what the model has learned and watch its recommendations follow. At 0 nothing is changed, bit for bit."


def heading() -> DeltaGenerator:
    """The page's heading; returns the place beside it for the controls."""
    words, controls = st.columns([5, 7], vertical_alignment="bottom", gap="large")
    with words:
        title("Steer", LEAD)
    return controls.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="right", gap="small")


def panel(opened: Opened, found: Scene, controls: DeltaGenerator, onward: tuple[str, str] = ONWARD) -> None:
    """Controls beside the heading, below it the history itself, in order, and the way to another page about it."""
    text = ""
    with controls:
        if found.user is None:
            text = _composer(found)
        else:
            _user_picker(audience(opened), found)
    if text.strip():
        _results(matches(opened.catalogue(), text), text, found)
    if not found.history:
        st.info(
            "The history is empty. Search a title and add it; recommendations follow.", icon=":material/playlist_add:"
        )
        return
    catalogue, own = opened.catalogue(), found.user is None
    _strip(catalogue, found.history, removable=own, on_taken_out_change=partial(_take_out, found))
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        st.caption(_about(opened, found), width="content")
        navigation.link(onward[0], found.whose(), onward[1], icon=":material/arrow_forward:")


def matches(catalogue: pd.DataFrame, text: str) -> pd.DataFrame:
    """The FOUND best known items whose title contains the text, those that start with it first."""
    titles, wanted = catalogue["title"].str.casefold(), text.strip().casefold()
    hits = catalogue[titles.str.contains(wanted, regex=False)]
    starts = hits["title"].str.casefold().str.startswith(wanted)
    return hits.assign(starts=starts).sort_values(["starts", "count"], ascending=False).head(FOUND)


def _user_picker(people: Audience, found: Scene) -> None:
    offered, following = _offered(people, found.user), after(people, found.user)
    st.selectbox(
        "Held-out user", offered, offered.index(found.user), key=f"user-{found.user}", width=230,
        format_func=partial(_user_label, people), accept_new_options=True,
        on_change=navigation.while_shown(_picked), args=(found,),
        help="A hundred of them are listed; type the number of any other user.",
    )  # fmt: skip
    st.button("Next user", icon=":material/skip_next:", on_click=_open_user, args=(found, following))
    recent = found.history[-MAX_HISTORY:]
    st.button("Edit history", icon=":material/edit:", on_click=_compose, args=(found, recent))


def _offered(people: Audience, user: int) -> list[int]:
    some = people.held_out[np.linspace(0, len(people.held_out) - 1, min(OFFERED, len(people.held_out))).astype(int)]
    return sorted({*some.tolist(), user})


def _user_label(people: Audience, user: int | str) -> str:
    return f"User {user} · {len(people.history(user)):,} items" if isinstance(user, int) else str(user)


def _picked(found: Scene) -> None:
    text = str(st.session_state[f"user-{found.user}"] or "").strip()
    if text.isascii() and text.isdigit() and len(text) < 10:
        _open_user(found, int(text))
    else:
        st.toast("Type a user's number, such as 12.", icon=":material/error:")


def _composer(found: Scene) -> str:
    text = st.text_input(
        "Add a title to the history", placeholder="Search titles", key="title-search", width=230,
        icon=":material/search:",
    )  # fmt: skip
    empty = not found.history
    st.button("Empty it", icon=":material/delete_sweep:", on_click=_compose, args=(found, ()), disabled=empty)
    st.button("Held-out users", icon=":material/group:", on_click=_open_user, args=(found, None))
    return text


def _results(rows: pd.DataFrame, text: str, found: Scene) -> None:
    if rows.empty:
        st.caption(f"No title contains “{plain(text)}”.")
        return
    full = len(found.history) >= MAX_HISTORY
    with st.container(border=True, height=RESULTS_HEIGHT), st.container(horizontal=True, gap="xxsmall", key="found"):
        for item, name, year in rows[["item", "title", "year"]].itertuples(index=False):
            longer, taken = (*found.history, int(item)), full or item in found.history
            st.button(
                label(name, year), key=f"item-{item}", icon=":material/add:", type="tertiary", disabled=taken,
                on_click=_compose, args=(found, longer),
            )  # fmt: skip


def label(name: str, year: object) -> str:
    """A title with its year as a button shows it. Markdown."""
    return plain(name if len(name) <= 60 else name[:59] + "…") + ("" if pd.isna(year) else f" ({int(year)})")


def _take_out(found: Scene) -> None:
    place = st.session_state[KEY].get("taken_out")
    if place is not None and 0 <= place < len(found.history):
        _compose(found, found.history[:place] + found.history[place + 1 :])


def _open_user(found: Scene, user: int | None) -> None:
    permalink.write(found.latest(permalink.read()).of(user))


def _compose(found: Scene, history: tuple[int, ...]) -> None:
    permalink.write(found.latest(permalink.read()).composed(history))


def _about(opened: Opened, found: Scene) -> str:
    window = opened.study.config.data.max_length
    seen = "" if len(found.history) <= window else f" The model reads the last {window}."
    if found.user is None:
        return f"{len(found.history)} items of your own choice, oldest first.{seen}"
    held_out = found.user in audience(opened).held_out
    part = "took no part in fitting the dictionary" if held_out else "is not among the held-out users"
    role = f"User {found.user} {part}."
    if found.target is None:
        return f"{len(found.history)} items, oldest first.{seen} {role}"
    target = plain(opened.catalogue().at[found.target, "title"])
    return (
        f"{len(found.history)} items, oldest first.{seen} {role} What came next, hidden from the model: **{target}**."
    )


def _strip(catalogue: pd.DataFrame, items: tuple[int, ...], removable: bool, **on: Any) -> None:
    shown = items[-200:]
    known = describe(shown, catalogue)
    data = {
        "items": [known[i] for i in shown],
        "first": len(items) - len(shown) + 1,
        "removable": removable and shown == items,
    }
    _component()(key=KEY, data=data, **on)


@cache
def _component() -> Any:
    here = Path(__file__).parent
    return st.components.v2.component(
        "seqsae_history", html='<ol class="history" tabindex="0" aria-label="History, oldest first"></ol>',
        css=(here / "history.css").read_text(), js=(here / "history.js").read_text(),
    )  # fmt: skip
