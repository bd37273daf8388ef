"""The part of Steer that reruns by itself when a slider is released: the lists, the price, the alternative."""

from collections.abc import Sequence
from functools import partial

import pandas as pd
import streamlit as st

from seqsae_core.dashboard import alternative, live, loading, navigation, permalink, price
from seqsae_core.dashboard.loading import Opened
from seqsae_core.dashboard.permalink import MAX_EDITS
from seqsae_core.dashboard.scene import Scene, limit, steerable
from seqsae_core.dashboard.turning import Turned, turn
from seqsae_core.dashboard.widgets import latent_label
from seqsae_core.steering.edits import Edit

RELEASED = "released"
COLUMNS = '.st-key-workbench > [data-testid="stLayoutWrapper"] > [data-testid="stHorizontalBlock"]'
NARROW = f"""<style>@media (max-width: 1080px) {{
{COLUMNS} {{ flex-wrap: wrap; }}
{COLUMNS} > [data-testid="stColumn"] {{ min-width: 100%; }}
}}</style>"""


def _picker(opened: Opened, found: Scene, edits: Sequence[Edit]) -> None:
    """Adds a latent with a slider of its own, at 0."""
    used = {edit.latent for edit in edits}
    every = _labels(opened, f"{opened.study.path} {opened.stamp('evidence')}")
    labels = {latent: label for latent, label in every.items() if latent not in used}
    key = f"add-{sorted(used)}"
    st.selectbox(
        "Add a latent", list(labels), None, format_func=lambda latent: labels.get(latent, str(latent)), key=key,
        placeholder="Search by name or concept", disabled=len(used) >= MAX_EDITS,
        on_change=_added, args=(found, edits, key),
    )  # fmt: skip


@st.cache_data(max_entries=8, show_spinner=False)
def _labels(_opened: Opened, stamp: str) -> dict[int, str]:
    """Latents that can be steered as the picker lists them: name and evidence, the best evidenced first."""
    columns = ["feature", "name", "top_concept", "correlation"]
    rows = steerable(_opened)[columns].itertuples(index=False)
    evidence = {True: "", False: " · {} r = {:.2f}"}
    return {int(f): f"{f} · {name}" + evidence[not c or pd.isna(r)].format(c, r) for f, name, c, r in rows}


@st.fragment
def workbench(opened: Opened, found: Scene) -> None:
    """Sliders and lists, beside them what this costs. Runs alone on each release."""
    if [latent for latent, _ in permalink.read().edits or found.edits] != [latent for latent, _ in found.edits]:
        st.rerun()
    st.html(NARROW)
    with st.container(key="workbench"):
        lists, beside = st.columns([8, 4], gap="large")
        picker = beside.container()
        with lists, loading.errors_shown():
            turned = turn(opened.steerer(), found.history, _current(found), live.strengths(limit(opened)))
            _lists(opened, found, turned)
            _note(found)
            with picker:
                _picker(opened, found, turned.edits)
            with beside, loading.errors_shown():
                _beside(opened, found, turned)


def _beside(opened: Opened, found: Scene, turned: Turned) -> None:
    """The price, the plain alternative, the curves."""
    concept = price.concept_of(opened, turned.edits)
    known = price.cost(opened, turned.edits, concept)
    if concept is not None and any(edit.strength for edit in turned.edits):
        ranking = opened.steerer().recommend(found.history, (), len(opened.catalogue()))
        table = opened.concepts()
        labels = table.values[:, table.names.index(concept)] > 0.5
        steered = turned.after.items[: live.SHOWN].tolist()
        curves = price.curves_of(opened, concept)
        alternative.card(concept, labels, (ranking.items, ranking.scores), steered, known, curves, opened.catalogue())
    price.curve_chart(opened, concept, known)


def _lists(opened: Opened, found: Scene, turned: Turned) -> None:
    latents = opened.features("latents")
    sliders = [(e.latent, latent_label(latents.loc[e.latent]), e.strength) for e in turned.edits]
    serial = (live.sent("released") or {"serial": 0})["serial"]
    concepts = [str(latents.at[edit.latent, "top_concept"]) for edit in turned.edits]
    data = live.payload(
        sliders, limit(opened), turned.before, turned.after, turned.grids, opened.catalogue(), serial, concepts
    )
    event = live.show(
        data | {"target": found.target}, on_released_change=partial(_released, found),
        on_removed_change=lambda: None, on_opened_change=lambda: None,
    )  # fmt: skip
    if event.removed is not None:
        permalink.write(found.at(tuple((e.latent, e.strength) for e in turned.edits if e.latent != event.removed)))
        st.rerun()
    if event.opened is not None:
        navigation.go("latent", opened.view.home().but(latent=int(event.opened)))


def _current(found: Scene) -> tuple[tuple[int, float | None], ...]:
    """The scene's latents at the strengths just released, or else at those of the URL, newer than the scene."""
    return st.session_state.get(RELEASED) or found.latest(permalink.read()).edits


def _released(found: Scene) -> None:
    sent = live.sent("released")
    edits = tuple((int(latent), float(strength)) for latent, strength in sent["edits"]) if sent else ()
    if [latent for latent, _ in edits] == [latent for latent, _ in found.edits]:
        st.session_state[RELEASED] = edits


def _note(found: Scene) -> None:
    """Puts released strengths into the URL: after the lists, because the browser takes its time over an address."""
    if edits := st.session_state.pop(RELEASED, None):
        permalink.write(found.at(edits))


def _added(found: Scene, edits: Sequence[Edit], key: str) -> None:
    latent = st.session_state[key]
    if latent is not None:
        permalink.write(found.at((*((edit.latent, edit.strength) for edit in edits), (int(latent), 0.0))))
