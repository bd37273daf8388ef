"""The desk of a review: evidence on the left, the verdict on the right, the next latent loaded meanwhile."""

from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from seqsae_core.dashboard import navigation, widgets
from seqsae_core.dashboard.latents import strips
from seqsae_core.dashboard.loading import Opened, errors_shown
from seqsae_core.dashboard.review import review_names
from seqsae_core.dashboard.widgets import fixed, percent, plain
from seqsae_core.errors import UserError
from seqsae_core.reviews.events import CONFIDENCE
from seqsae_core.reviews.queue import ORDERS
from seqsae_core.reviews.session import Session

KEY, WHO, STATE = "review-panel", "reviewer", "review-session"
STRIPS = {0: 4, 2: 1, 4: 1}
CONCEPTS = 6
ASKS_WHO = {"step": "who", "token": "who", "saved": "", "progress": ""}


@st.fragment
def sitting(opened: Opened) -> None:
    """A session of reviews; only this part runs again after a verdict."""
    with errors_shown():
        if not st.session_state.get(WHO):
            _panel(ASKS_WHO | {"error": st.session_state.pop("review-refused", "")}, None)
            return
        names = list(ORDERS)
        order = st.segmented_control("Queue", names, default=names[0], required=True, key="queue-order",
                                     label_visibility="collapsed")
        session = _session(opened, str(order))
        left, right = widgets.pair([7, 4], "review", gap="large")
        with right:
            _panel(_question(session), session)
        with left:
            evidence(opened, session)
        if session.following is not None:
            _read(opened, session.following)


def evidence(opened: Opened, session: Session) -> None:
    """Where the latent fires; and, unless its reviewer works blind, the concepts it goes with."""
    latent = session.latent
    if latent is None:
        st.success("The queue is done. Choose another order, or look at the agreement.", icon=":material/done_all:")
        return
    row, (examples, enrichment) = session.features.loc[latent], _read(opened, latent)
    shown = pd.concat([examples[examples["quantile"] == q].head(n) for q, n in STRIPS.items()])
    spread = f"fires at {percent(row['density'], 2)} of positions, on {int(row['n_items']):,} items"
    st.markdown(f"**Latent {latent}** · {spread}")
    if session.step != "reading":
        st.caption(_concepts(row, enrichment))
    if shown.empty:
        st.caption("No example: it fires in none of the held-out users' sequences.")
        return
    strips.show(shown, opened.catalogue(), "latents", "review-strips")
    st.caption("Four of the strongest examples, then a middling and a weak one; the outlined item fires it.")


def _concepts(row: pd.Series, enrichment: pd.DataFrame) -> str:
    """The concepts it goes with most, and how much more often they occur where it fires. Markdown."""
    order = enrichment["correlation"].abs().sort_values(ascending=False, kind="stable").index
    top = enrichment.loc[order].head(CONCEPTS)
    told = [f"{plain(c)} ×{fixed(lift, 1)}" for c, lift in zip(top["concept"], top["lift"], strict=True)]
    strongest = f"r {fixed(row['correlation'], 2)} with {plain(row['top_concept'])}. " if row["top_concept"] else ""
    return strongest + ("Where it fires: " + ", ".join(told) if told else "")


def _read(opened: Opened, latent: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """What the evidence of a latent is drawn from; from memory when it was read before."""
    return opened.examples("latents", latent), opened.enrichment(latent)


def _session(opened: Opened, order: str) -> Session:
    """The session of this reviewer, dictionary and order; a new one where any of them changed."""
    desk = review_names.desk(opened.study, opened.dictionary)
    who, start = st.session_state[WHO], opened.view.latent
    key = (who, order, start, desk.weights.fingerprint, str(opened.study.path), opened.stamp("evidence"))
    kept = st.session_state.get(STATE)
    if kept is None or kept[0] != key:
        features = opened.as_built("latents")
        kept = (key, Session(desk.reviews, desk.weights, features, who, order, len(who), start))
        st.session_state[STATE] = kept
    return kept[1]


def _question(session: Session) -> dict[str, Any]:
    """What the panel asks; nothing in it that a blind reviewer must not see."""
    common = {"token": session.token, "saved": session.saved, "error": session.error, "progress": session.progress()}
    if session.latent is None:
        return common | {"step": "end"}
    row, hidden = session.features.loc[session.latent], session.step == "reading"
    share = session.place / max(len(session.queue), 1)
    return common | {
        "step": session.step, "latent": session.latent, "own": session.own, "share": share, "who": session.who,
        "automatic": None if hidden else session.automatic,
        "evidence": None if hidden else _worth(row), "confidences": list(CONFIDENCE.values()),
    }  # fmt: skip


def _worth(row: pd.Series) -> str:
    """How far the automatic name holds on items that took no part in naming."""
    if widgets.missing(row["name_score"]):
        return "Not tested on held-out items."
    return f"Balanced accuracy {fixed(row['name_score'], 2)} on held-out items."


def _panel(data: dict[str, Any], session: Session | None) -> None:
    st.session_state["review-serial"] = serial = st.session_state.get("review-serial", 0) + 1
    _component()(
        key=KEY, data=data | {"serial": serial}, on_named_change=_named,
        on_decided_change=lambda: _did(session, "decided"), on_skipped_change=lambda: _did(session, "skipped"),
        on_undone_change=lambda: _did(session, "undone"),
    )  # fmt: skip


def _named() -> None:
    name = str(st.session_state[KEY].get("named") or "").strip()
    if not name or len(name) > 80:
        st.session_state["review-refused"] = "Write a name of 1 to 80 characters: it stands beside what you decide."
        return
    st.session_state[WHO] = name


def _did(session: Session | None, what: str) -> None:
    """Passes on what the panel sent; what cannot be saved stays in its fields, with the reason."""
    sent = st.session_state[KEY].get(what)
    if session is None or not isinstance(sent, dict):
        return
    session.error = ""
    try:
        {"decided": session.decide, "skipped": session.skip, "undone": lambda _: session.undo()}[what](sent)
    except UserError as error:
        session.error, session.saved = str(error), ""


def link(opened: Opened, latent: int) -> None:
    """From elsewhere to the review of one latent."""
    view = opened.view.home().but(latent=latent)
    navigation.link("review", view, "Review this latent", icon=":material/rate_review:")


@cache
def _component() -> Any:
    here = Path(__file__).parent
    return st.components.v2.component(
        "seqsae_review", html='<div class="review"></div>',
        css=(here / "review.css").read_text(), js=(here / "review.js").read_text(),
    )  # fmt: skip
