"""Which concept the page Concept shows: one of the study, titles found by words, or a list of titles."""

from dataclasses import dataclass

import numpy as np
import streamlit as st

from seqsae_core.dashboard import permalink
from seqsae_core.dashboard.loading import Opened
from seqsae_core.dashboard.permalink import MAX_ITEMS, View
from seqsae_core.dashboard.widgets import plain
from seqsae_core.data.concepts import ConceptTable
from seqsae_core.data.lookup import Lookup
from seqsae_core.errors import UserError

WAYS = {"concept": "Of the study", "search": "Titles with words", "items": "A list of titles"}
UNMATCHED, LISTED = "unmatched-titles", 30
ABOUT_SEARCH = "All words must be in the title; commas part alternatives: vampire, dracula, twilight."
ABOUT_LIST = "One title a line, with the year where several share it: Frozen (2013)."


@dataclass(frozen=True)
class Chosen:
    """A concept by name; labels: bool (n_items + 1,); free: popularity is what it is about, so that permutations need
    not keep it."""

    name: str
    labels: np.ndarray
    free: bool = False


def offered(table: ConceptTable) -> dict[str, str]:
    """Every concept of a study, of whatever kind, and how the page lists it."""
    return {name: f"{name} · {group}" for name, group in zip(table.names, table.groups, strict=True)}


def choose(opened: Opened) -> Chosen | None:
    """The choice of how to name a concept, and the concept; None while there is none. It is part of the link.

    Raises UserError for a link to a concept or to items that the study has not.
    """
    way = st.segmented_control(
        "Concept", list(WAYS), default=_way(opened.view), required=True, format_func=WAYS.get, key=_key("way", opened)
    )
    return {"concept": _of_study, "search": _searched, "items": _listed}[way](opened)


def _way(view: View) -> str:
    return next((name for name in ("items", "search") if getattr(view, name) is not None), "concept")


def _key(name: str, opened: Opened) -> str:
    """A widget's key that belongs to one link: Back shows what that link says, not what was typed later."""
    view = opened.view
    return f"{name}-{view.concept}-{view.search}-{view.items}"


def _of_study(opened: Opened) -> Chosen | None:
    table, view = opened.concepts(), opened.view
    labels = offered(table)
    if not labels:
        st.info("This study has no concepts of its own: search titles, or paste a list.", icon=":material/label_off:")
        return None
    if view.concept is not None and view.concept not in labels:
        raise UserError(
            f"The study has no concept {permalink.quote(view.concept)}. It has: {', '.join(map(plain, labels))}."
        )
    start = view.concept or best_known(opened)
    name = st.selectbox("Which", list(labels), list(labels).index(start), format_func=labels.get, width=420)
    if name != start or view.concept or _way(view) != "concept":
        permalink.write(view.home().but(concept=name))
    free = table.groups[table.names.index(name)] == "popularity"
    return Chosen(name, table.column(name) > 0, free)


def best_known(opened: Opened) -> str:
    """The concept that opens the page: the genre, or else whatever, that a latent correlates most with."""
    best = opened.best()
    best = best[(best["kind"] == "latents") & best["r_score"].notna()]
    best = best.assign(genre=best["group"] == "genre").sort_values(["genre", "r_score"], ascending=False)
    return str(best["concept"].iloc[0]) if len(best) else opened.concepts().names[0]


def _searched(opened: Opened) -> Chosen | None:
    text = st.text_input(
        "Words in titles", opened.view.search or "", placeholder="vampire, dracula", help=ABOUT_SEARCH, width=420,
        icon=":material/search:", key=_key("words", opened),
    ).strip()  # fmt: skip
    if not text:
        st.caption(ABOUT_SEARCH)
        return None
    permalink.write(opened.view.home().but(search=text))
    found = Lookup(opened.catalogue()).containing(text)
    if not len(found):
        st.info(
            f"No title has “{plain(text)}”. Titles are all that is searched: paste a list where they do not say it.",
            icon=":material/search_off:",
        )
        return None
    return Chosen(f"titles with “{text}”", _labels(opened, found))


def _listed(opened: Opened) -> Chosen | None:
    catalogue, items = opened.catalogue(), opened.view.items
    unknown = next((i for i in items or () if not 1 <= i <= len(catalogue)), None)
    if unknown is not None:
        raise UserError(f"There is no item {unknown} in this study: items run from 1 to {len(catalogue)}.")
    lookup = Lookup(catalogue)
    known = "\n".join(lookup.titles[np.array(items or (), int) - 1])
    with st.form("titles", border=False, width=640):
        key = _key("list", opened)
        text = st.text_area("Titles", known, height=160, help=ABOUT_LIST, placeholder=ABOUT_LIST, key=key)
        if st.form_submit_button("Measure this list", icon=":material/straighten:"):
            _take(opened, lookup, text)
    _unmatched(items)
    if not items:
        return None
    return Chosen(f"a list of {len(set(items)):,} titles", _labels(opened, np.array(items)))


def _take(opened: Opened, lookup: Lookup, text: str) -> None:
    """Puts the items of the lines into the link, and keeps the lines without an item for `_unmatched`."""
    found, why = lookup.sort_out(text.splitlines(), "title")
    if len(found) > MAX_ITEMS:
        raise UserError(f"The list has {len(found):,} titles: use at most {MAX_ITEMS:,}.")
    items = tuple(int(i) for i in found)
    st.session_state[UNMATCHED] = (items, why)
    permalink.write(opened.view.home().but(items=items))
    st.rerun()


def _unmatched(items: tuple[int, ...] | None) -> None:
    """Lines of the list just measured that named no item, and why."""
    of, why = st.session_state.get(UNMATCHED, (None, {}))
    if of != items or not why:
        return
    told = "1 line names" if len(why) == 1 else f"{len(why):,} lines name"
    lines = [f"{told} no single item:", *(f"- {plain(text)}" for text in list(why.values())[:LISTED])]
    lines += [f"- and {len(why) - LISTED:,} more"] if len(why) > LISTED else []
    st.warning("\n".join(lines), icon=":material/playlist_remove:")


def _labels(opened: Opened, items: np.ndarray) -> np.ndarray:
    labels = np.zeros(len(opened.catalogue()) + 1, bool)
    labels[items] = True
    return labels
