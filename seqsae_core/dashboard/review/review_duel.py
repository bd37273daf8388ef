"""The blind test: a latent's examples beside a neuron's, without saying which is which."""

import pandas as pd
import streamlit as st

from seqsae_core.dashboard import literal, widgets
from seqsae_core.dashboard.latents import strips
from seqsae_core.dashboard.loading import Opened, errors_shown
from seqsae_core.dashboard.review import review, review_names
from seqsae_core.dashboard.widgets import percent
from seqsae_core.errors import UserError
from seqsae_core.reviews.events import Event
from seqsae_core.reviews.preference import ENOUGH, Pair, Preference, pairs, preference

SHOWN = 4
LEAD = (
    "Two lists of examples: one of a latent, one of a neuron, both about equally strong on the same concept. Which is "
    "more coherent? Sides are drawn at random; which was which is not shown."
)
KEYS = {"left": "ArrowLeft", "tie": "ArrowDown", "right": "ArrowRight"}
LABELS = {"left": "The left one", "tie": "No difference", "right": "The right one"}


def result(opened: Opened) -> None:
    """What votes amount to, on the page of the claim; nothing before there are ENOUGH."""
    if not opened.study.reviews.exists() or not opened.has("sae"):
        return
    desk = review_names.desk(opened.study, opened.dictionary)
    found = preference([str(e.verdict) for e in desk.reviews.preferences(desk.weights.fingerprint)])
    if found.votes >= ENOUGH:
        widgets.section("What people prefer, blind", LEAD)
        st.markdown(words(found))


def words(found: Preference) -> str:
    """Share, interval, and what it allows one to say."""
    bounds = f"95 %: {percent(found.low)} to {percent(found.high)}"
    side = "latents' lists are preferred" if found.low > 0.5 else "neurons' lists are preferred"
    shown = side if found.low > 0.5 or found.high < 0.5 else "the interval includes one half, so neither is preferred"
    return (
        f"The latent's list was found more coherent in **{percent(found.share)}** of {found.votes} votes ({bounds}, "
        f"Clopper–Pearson), {found.ties} ties left out: {shown}."
    )


@st.fragment
def show(opened: Opened) -> None:
    """The next pair, and how many votes there are."""
    with errors_shown():
        st.markdown(LEAD)
        who = st.session_state.get(review.WHO)
        if not who:
            name = st.text_input("Your name", key="duel-name", max_chars=80).strip()
            if not name:
                return
            st.session_state[review.WHO] = who = name
        desk = review_names.desk(opened.study, opened.dictionary)
        votes = desk.reviews.preferences(desk.weights.fingerprint)
        mine = {(v.latent, v.detail) for v in votes if v.reviewer == who}
        made = pairs(opened.as_built("latents"), opened.features("neurons"))
        left = [pair for pair in made if (pair.latent, detail(pair)) not in mine]
        st.caption(f"{len(made) - len(left)} of {len(made)} pairs by you, {len(votes)} votes by everybody; the result "
                   f"is shown on Latents vs neurons from {ENOUGH} votes that prefer a side.")  # fmt: skip
        if left:
            _pair(opened, desk, left[0], str(who))
        else:
            st.info("No pair is left: no latent and neuron are close enough on a concept.", icon=":material/done_all:")


def _pair(opened: Opened, desk: review_names.Desk, pair: Pair, who: str) -> None:
    kinds = ("latents", "neurons") if pair.left == "latent" else ("neurons", "latents")
    sides = widgets.pair([1, 1], "duel", gap="large")
    for side, kind, name in zip(sides, kinds, ("left", "right"), strict=True):
        rows = opened.examples(kind, pair.latent if kind == "latents" else pair.neuron)
        with side:
            strips.show(_unmarked(rows), opened.catalogue(), "latents", f"duel-{name}")
    with st.container(horizontal=True, horizontal_alignment="center"):
        for name, key in KEYS.items():
            st.button(
                LABELS[name], key=f"vote-{name}", shortcut=key.removeprefix("Arrow"), on_click=_vote,
                args=(desk, pair, who, name),
            )  # fmt: skip
    if error := st.session_state.pop("duel-error", ""):
        st.error(literal.told(error), icon=":material/error:")


def _unmarked(rows: pd.DataFrame) -> pd.DataFrame:
    """The strongest examples without their activations, by which a neuron, which fires nearly everywhere, is known."""
    shown = rows[rows["quantile"] == 0].head(SHOWN)
    only = [[float(i == at) for i in range(len(items))] for at, items in zip(shown["at"], shown["items"], strict=True)]
    return shown.assign(activations=only, activation=1.0)


def _vote(desk: review_names.Desk, pair: Pair, who: str, side: str) -> None:
    other = "neuron" if pair.left == "latent" else "latent"
    verdict = {"left": pair.left, "right": other, "tie": "tie"}[side]
    event = Event(who, desk.weights.fingerprint, pair.latent, "preference", verdict, detail=detail(pair), blind=True)
    try:
        desk.reviews.record(event)
    except UserError as error:
        st.session_state["duel-error"] = str(error)


def detail(pair: Pair) -> str:
    """What was compared, as it is kept with the vote."""
    return f"neuron {pair.neuron}, {pair.concept}, {pair.left} left"
