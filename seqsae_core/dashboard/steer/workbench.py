"""Steer's sliders and lists, which run by themselves when a slider is released, and what follows from them.

A release runs the lists alone. When the browser has drawn them, it says so, and the rest follows: the price, the
alternative, the tools, and the address.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from seqsae_core.dashboard import loading, navigation, permalink
from seqsae_core.dashboard.loading import Opened
from seqsae_core.dashboard.permalink import MAX_EDITS
from seqsae_core.dashboard.steer import alternative, concept_edits, counted, dials, live, price, taste, tools
from seqsae_core.dashboard.steer.applying import REFUSED, RELEASED, TURNED, apply, refuse, shown, steerer_of
from seqsae_core.dashboard.steer.scene import Scene, fingerprint, limit, steerable
from seqsae_core.dashboard.steer.turning import Grids, Turned, turn
from seqsae_core.dashboard.widgets import latent_label, plain
from seqsae_core.errors import UserError
from seqsae_core.steering.edits import Edit

LISTS, REST = "steer-lists", "steer-rest"
GRIDS = "steer-grids"
POSITIONS = ("last", "all", "from -3")
SAID = {"last": "the last position", "all": "every position", "from -3": "the last three positions"}
ABOUT_POSITION = (
    "Where in the history codes are edited. Or type “from N”: from the N-th item that the model reads on; below 0, the "
    "last −N items."
)
COLUMNS = '.st-key-workbench > [data-testid="stLayoutWrapper"] > [data-testid="stHorizontalBlock"]'
NARROW = f"""<style>@media (max-width: 1080px) {{
{COLUMNS} {{ flex-wrap: wrap; }}
{COLUMNS} > [data-testid="stColumn"] {{ min-width: 100%; }}
}}</style>"""


def _picker(opened: Opened, found: Scene) -> None:
    """Adds a latent with a slider of its own, at 0."""
    used = {edit.latent for edit in found.edits}
    every = _labels(opened, f"{opened.study.path} {opened.dictionary} {opened.stamp('evidence')}")
    labels = {target: label for target, label in every.items() if target not in used}
    key = f"add-{dials.keys(found.edits)}"
    st.selectbox(
        "Add a latent or a concept", list(labels), None, format_func=lambda t: labels.get(t, str(t)), key=key,
        placeholder="Search by name or concept", disabled=len(found.edits) >= MAX_EDITS,
        on_change=navigation.while_shown(_added), args=(found, key),
    )  # fmt: skip


def _where(found: Scene) -> None:
    """At which positions of the history the edits are made."""
    here = found.position or POSITIONS[0]
    offered = [*POSITIONS, *({here} - set(POSITIONS))]
    st.selectbox(
        "Edit at", offered, offered.index(here), format_func=lambda p: SAID.get(p, p), key=f"position-{here}",
        accept_new_options=True, help=ABOUT_POSITION,
        on_change=navigation.while_shown(_moved), args=(found, f"position-{here}"),
    )  # fmt: skip


def _moved(found: Scene, key: str) -> None:
    from seqsae_core.steering.displacement import check_position

    position = str(st.session_state[key] or POSITIONS[0]).strip()
    try:
        check_position(position)
    except UserError as error:
        refuse(str(error))
    permalink.write(found.latest(permalink.read()).but_at(position))


@st.cache_resource(max_entries=8, show_spinner=False)
def _labels(_opened: Opened, stamp: str) -> dict[int | tuple, str]:
    """What can be steered as the picker lists it: concepts, then latents by name and evidence, the best first."""
    found = concept_edits.of_study(_opened)
    sets = {edit.latent: f"Concept {name} · {len(edit.parts)} latents" for name, edit in found.items()}
    columns = ["feature", "name", "top_concept", "correlation"]
    rows = steerable(_opened)[columns].itertuples(index=False)
    evidence = {True: "", False: " · {} r = {:.2f}"}
    return sets | {int(f): f"{f} · {name}" + evidence[not c or pd.isna(r)].format(c, r) for f, name, c, r in rows}


def workbench(opened: Opened, found: Scene) -> None:
    """Sliders and lists, below them the tools, beside them what this costs."""
    found = replace(found, made_for=fingerprint(opened))
    st.html(NARROW)
    with st.container(key="workbench"):
        left, right = st.columns([8, 4], gap="large")
        with left:
            _sliders(opened, found)
        with right, loading.errors_shown():
            _picker(opened, found)
            _where(found)
            taste.control(opened, found)
        _rest(opened, found, left.container(), right.container())
    _note(found)


@st.fragment(key=LISTS)
def _sliders(opened: Opened, found: Scene) -> None:
    """Sliders and lists, kept for the rest of the page."""
    st.session_state.pop(TURNED, None)
    if dials.keys(permalink.read().edits or found.edits) != dials.keys(found.edits):
        st.rerun()
    with loading.errors_shown():
        if refused := st.session_state.pop(REFUSED, None):
            st.warning(f"Not done, nothing is changed. {plain(refused)}", icon=":material/block:")
        found = replace(found, view=permalink.read())
        turned = _turned(opened, found)
        _lists(opened, found, turned)
        st.session_state[TURNED] = turned


@st.fragment(key=REST)
def _rest(opened: Opened, found: Scene, below: DeltaGenerator, beside: DeltaGenerator) -> None:
    """What the lists cost, and the tools, about the lists that are shown."""
    turned = st.session_state.get(TURNED)
    if turned is None:
        return
    found = replace(found, view=permalink.read())
    with beside, loading.errors_shown():
        _beside(opened, found, turned)
    with below:
        tools.panel(opened, found, turned)


def _turned(opened: Opened, found: Scene) -> Turned:
    edits, released = _current(found)
    grids = tuple(_dial(opened, edit).grid() for edit in edits)
    chosen = found.chosen or released or bool(found.view.edits)
    return turn(steerer_of(opened, found.position), found.history, edits, grids, chosen, _kept(found))


def _kept(found: Scene) -> Grids:
    """The grids of this session's last run about the same dictionary and position."""
    about, held = (found.made_for, found.position), st.session_state.get(GRIDS)
    if held is None or held[0] != about:
        held = st.session_state[GRIDS] = (about, {})
    return held[1]


def _dial(opened: Opened, edit: Edit) -> dials.Dial:
    return dials.dial(edit, opened.features("latents"), limit(opened))


def _beside(opened: Opened, found: Scene, turned: Turned) -> None:
    """The price, the plain alternative, the curves."""
    about = counted.counted(opened, found.view, turned.edits)
    known = price.cost(opened, turned.edits, about, found.position)
    if about is not None and any(edit.strength for edit in turned.edits):
        ranking = opened.steerer().recommend(found.history, (), len(opened.catalogue()))
        steered = turned.after.items[: live.SHOWN].tolist()
        curves, plain_list = price.curves_of(opened, about.concept), (ranking.items, ranking.scores)
        alternative.card(about.name, about.labels > 0.5, plain_list, steered, known, curves, opened.catalogue())
    price.curve_chart(opened, about, known)


def _lists(opened: Opened, found: Scene, turned: Turned) -> None:
    latents = opened.features("latents")
    sliders = [_slider(opened, edit) for edit in turned.edits]
    serial = (live.sent("released") or {"serial": 0})["serial"]
    concepts = [str(latents.at[latent, "top_concept"]) for edit in turned.edits for latent in edit.latents]
    data = live.payload(sliders, turned.before, turned.after, turned.grids, opened.catalogue(), serial, concepts)
    chosen = {"target": found.target, "asked": st.session_state.get(tools.ITEM), "kinds": list(dials.LABELS.items())}
    event = live.show(
        data | chosen, on_released_change=partial(_released, opened, found),
        on_changed_change=partial(_changed, found, turned.edits), on_removed_change=lambda: None,
        on_opened_change=lambda: None, on_asked_change=_asked, on_settled_change=partial(_settled, found),
    )  # fmt: skip
    if event.removed is not None:
        kept = tuple(edit for place, edit in enumerate(turned.edits) if place != int(event.removed))
        st.session_state.pop(RELEASED, None)
        permalink.write(found.at(kept))
        st.rerun()
    if event.opened is not None:
        _note(found)
        navigation.go("latent", opened.view.home().but(latent=int(event.opened)))


def _slider(opened: Opened, edit: Edit) -> dict[str, Any]:
    """An edit as steering.js shows it."""
    dial, latents = _dial(opened, edit), opened.features("latents")
    name = " + ".join(latent_label(latents.loc[latent]) for latent in edit.latents[:3])
    name += f" + {len(edit.parts) - 3} more" if len(edit.parts) > 3 else ""
    levels = [None if abs(level) == float("inf") else level for level in (edit.low, edit.high)]
    return {
        "key": dials.key(edit), "latent": edit.latents[0], "name": name, "kind": edit.kind, "levels": levels,
        "strength": dial.at(edit), "low": dial.low, "high": dial.high, "whole": dial.whole,
        "strengths": list(dial.strengths), "step": 0.05 if edit.kind == "scale" else live.STEP,
        "rule": dials.rule(edit, limit(opened)),
    }  # fmt: skip


def _current(found: Scene) -> tuple[tuple[Edit, ...], bool]:
    """The scene's latents at the strengths just released, or else at those of the URL, newer than the scene; and
    whether they were released."""
    released = st.session_state.get(RELEASED)
    if released and released[0] == found.history and dials.keys(released[1]) == dials.keys(found.edits):
        return released[1], True
    return found.latest(permalink.read()).edits, False


def _released(opened: Opened, found: Scene) -> None:
    sent = live.sent("released")
    if sent and [key for key, _ in sent["edits"]] == dials.keys(found.edits):
        pairs = zip(found.edits, sent["edits"], strict=True)
        edits = tuple(replace(edit, strength=_dial(opened, edit).strength(place)) for edit, (_, place) in pairs)
        st.session_state[RELEASED] = (found.history, edits)


def _settled(found: Scene) -> None:
    """The browser has drawn the lists of a release: now the rest."""
    _note(found)
    st.rerun(REST)


def _asked() -> None:
    """A row of the list was chosen: opens its reasons."""
    if tools.asked():
        st.rerun(REST)


def _changed(found: Scene, edits: Sequence[Edit]) -> None:
    """Another kind, or other levels, for one slider."""
    sent = live.sent("changed")
    if not sent or not 0 <= sent["place"] < len(edits):
        return
    edit = edits[sent["place"]]
    edit = dials.of_kind(edit, sent["kind"]) if sent["kind"] != edit.kind else dials.levelled(edit, *sent["levels"])
    apply(found, (*edits[: sent["place"]], edit, *edits[sent["place"] + 1 :]))


def _note(found: Scene) -> None:
    """Puts released strengths into the URL: after the lists, because the browser takes its time over an address."""
    edits, released = _current(found)
    if released:
        permalink.write(found.at(edits))
    st.session_state.pop(RELEASED, None)


def _added(found: Scene, key: str) -> None:
    target = st.session_state[key]
    if target is not None:
        apply(found, (*shown(found), Edit(target, 0.0)))
