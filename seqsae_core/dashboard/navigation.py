"""The list of pages and the bar at the top of each of them.

`setup()` is the first call of app.py and of every page: on a fresh server, a request for a page's own address runs
that page without app.py, and would otherwise show a wrong title and file names as navigation.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FunctionType
from typing import Any, NoReturn

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from seqsae_core.dashboard import share
from seqsae_core.dashboard.permalink import View, params

PRODUCT = "SeqSAE"
ROOT = Path(__file__).resolve().parents[2]
PAGES, ICON = ROOT / "pages", ROOT / "assets" / "icon.svg"
STYLE = Path(__file__).with_name("style.css")
SHOWN = "page-shown"


@dataclass(frozen=True)
class Entry:
    """One page: its file is pages/<key>.py, its address /<key> (the first one: /)."""

    key: str
    title: str
    icon: str


ENTRIES = (
    Entry("overview", "Overview", ":material/space_dashboard:"),
    Entry("latents", "Latents", ":material/scatter_plot:"),
    Entry("latent", "Latent", ":material/lens_blur:"),
    Entry("compare", "Compare latents", ":material/compare:"),
    Entry("find", "Find", ":material/travel_explore:"),
    Entry("concept", "Concept", ":material/category:"),
    Entry("latents_vs_neurons", "Latents vs neurons", ":material/compare_arrows:"),
    Entry("dictionaries", "Dictionaries", ":material/stacked_line_chart:"),
    Entry("against", "Compare dictionaries", ":material/compare:"),
    Entry("steer", "Steer", ":material/tune:"),
    Entry("review", "Review", ":material/rate_review:"),
    Entry("studies", "Studies", ":material/folder_open:"),
    Entry("new_study", "New study", ":material/add:"),
    Entry("method", "Method", ":material/menu_book:"),
)
IN_BAR = ("overview", "latents", "find", "concept", "latents_vs_neurons", "dictionaries", "steer", "review", "studies")


def setup() -> StreamlitPage:
    """Page configuration and navigation; returns the page that the URL asks for."""
    st.set_page_config(page_icon=str(ICON), layout="wide", initial_sidebar_state="collapsed")
    return st.navigation([_page(e) for e in ENTRIES], position="hidden")


def bar(view: View) -> None:
    """Product, links to the pages (each carries study and dictionary), and the study's name."""
    st.html(STYLE)  # again: an address that is no page's, and `streamlit run`, begin without it
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="bar"):
        st.markdown(f"**{PRODUCT}**", width="content")
        for entry in ENTRIES:
            if entry.key in IN_BAR:
                st.page_link(_page(entry), icon=entry.icon, query_params=params(view.home()))
        share.button()


def showing(body: FunctionType) -> None:
    """Notes that the page whose file defines `body` is the one shown, until another one begins."""
    st.session_state[SHOWN] = Path(body.__code__.co_filename).stem


def while_shown(callback: Callable[..., None]) -> Callable[..., None]:
    """The callback for a widget that keeps a value: it does nothing once another page than now is shown.

    Until the next page has wholly come, a browser tells with each click what the widgets of the page before held, and
    Streamlit takes that for new values.
    """
    page = st.session_state.get(SHOWN)

    def guarded(*arguments: Any) -> None:
        if st.session_state.get(SHOWN) == page:
            callback(*arguments)

    return guarded


def page_path(key: str) -> StreamlitPage:
    """The page object of a key in ENTRIES, for st.page_link. Raises KeyError on an unknown key."""
    return _page({e.key: e for e in ENTRIES}[key])


def go(key: str, view: View) -> NoReturn:
    """Opens another page at a view; ends this run."""
    st.switch_page(page_path(key), query_params=params(view))


def link(key: str, view: View, label: str, **options) -> None:
    """A link to a page at a view, drawn as Streamlit draws page links."""
    st.page_link(page_path(key), label=label, query_params=params(view), **options)


def _page(entry: Entry) -> StreamlitPage:
    first = entry is ENTRIES[0]
    return st.Page(PAGES / f"{entry.key}.py", title=entry.title, url_path=entry.key, default=first)
