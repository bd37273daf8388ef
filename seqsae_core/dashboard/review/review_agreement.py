"""How far reviewers agree, what they disagree on, and who settles it."""

import pandas as pd
import streamlit as st

from seqsae_core.dashboard import literal, widgets
from seqsae_core.dashboard.loading import Opened
from seqsae_core.dashboard.review import review, review_names
from seqsae_core.dashboard.widgets import fixed, interval, plain
from seqsae_core.errors import UserError
from seqsae_core.reviews import report
from seqsae_core.reviews.events import CONFIDENCE, VERDICTS, Event
from seqsae_core.reviews.session import DID

ABOUT = (
    "Chance-corrected: 1 is full agreement, 0 what chance would give. Over the verdicts confirm, rename, reject and "
    "unsure; 95 % intervals by a bootstrap over latents."
)
NOBODY = "Nobody has reviewed this dictionary yet."
ALONE = "Agreement needs two reviewers on the same latents. The second one works blind."


def show(opened: Opened) -> None:
    """Who reviewed, agreement, and the disagreements to settle."""
    desk = review_names.desk(opened.study, opened.dictionary)
    reviews, fingerprint = desk.reviews, desk.weights.fingerprint
    people = report.people(reviews, fingerprint)
    if people.empty:
        st.info(NOBODY, icon=":material/group_off:")
        return
    people = people.assign(first=pd.to_datetime(people["first"]), last=pd.to_datetime(people["last"]))
    st.dataframe(people, hide_index=True, key="people", column_config=_columns(), placeholder="–")
    widgets.section("Agreement", ABOUT)
    table = report.agreements(reviews, fingerprint)
    if table.empty:
        st.caption(ALONE)
    else:
        st.dataframe(_written(table), hide_index=True, key="agreement")
    _disagreements(opened, desk)


def _columns() -> dict:
    return {
        "reviewer": "Reviewer", **{verdict: verdict.capitalize() for verdict in VERDICTS},
        "first": st.column_config.DatetimeColumn("First", format="YYYY-MM-DD HH:mm"),
        "last": st.column_config.DatetimeColumn("Last", format="YYYY-MM-DD HH:mm"),
        "median_seconds": st.column_config.NumberColumn("Seconds a latent", format="%.1f", help="Median."),
        "latents": st.column_config.NumberColumn("Latents", help="Verdicts that hold."),
        "blind": st.column_config.NumberColumn("Blind", help="Given without seeing name or verdict of others."),
    }


def _written(table: pd.DataFrame) -> pd.DataFrame:
    bounds = [interval([low, high], 2) for low, high in zip(table["low"], table["high"], strict=True)]
    values = ["not defined" if widgets.missing(v) else fixed(v, 2) for v in table["value"]]
    written = {"Who": table["who"], "Measure": table["measure"], "Value": values, "Interval": bounds}
    return pd.DataFrame(written | {"Latents": table["latents"]})


def _disagreements(opened: Opened, desk: review_names.Desk) -> None:
    widgets.section("Disagreements", "Latents whose reviewers gave different answers; a settlement decides.")
    outcomes = desk.reviews.outcomes(desk.weights.fingerprint)
    open_ones = outcomes.index[outcomes["status"] == "disputed"].tolist()
    if open_ones:
        names = opened.as_built("latents")["name"]
        latent = st.selectbox("To settle", open_ones, format_func=lambda f: f"{f} · {names[f]}", key="to-settle")
        _settle(opened, desk, int(latent), str(names[latent]))
    else:
        st.caption("Nothing to settle.")
    settled = outcomes[outcomes["settled"] == 1]
    if len(settled):
        st.markdown("**Settled**")
        st.dataframe(settled[["latent", "automatic", "status", "name", "who", "at"]], hide_index=True, key="settled")


def _settle(opened: Opened, desk: review_names.Desk, latent: int, automatic: str) -> None:
    verdicts = desk.reviews.verdicts(desk.weights.fingerprint, latent)
    for verdict in verdicts:
        name = f" “{plain(verdict.name)}”" if verdict.name else ""
        sure = f", {CONFIDENCE[verdict.confidence]}" if verdict.confidence else ""
        note = f" · {plain(verdict.note)}" if verdict.note else ""
        st.markdown(f"- **{plain(verdict.reviewer)}** {DID[str(verdict.verdict)]} it{name}{sure}{note}")
    review.link(opened, latent)
    names = dict.fromkeys(v.name for v in verdicts if v.verdict == "rename")
    choices = {f"Keep “{plain(automatic)}”": ("confirm", ""), **{f"Name it “{plain(n)}”": ("rename", n) for n in names}}
    choices |= {"Another name": ("rename", None), "Reject": ("reject", "")}
    with st.form("settle"):
        who = st.text_input("Who settles it", st.session_state.get(review.WHO, ""), max_chars=80)
        chosen = st.radio("Decision", list(choices))
        other = st.text_input("Another name, where that is the decision", max_chars=200)
        note = st.text_input("Why", max_chars=500)
        if st.form_submit_button("Settle", type="primary"):
            verdict, name = choices[str(chosen)]
            _record(desk, latent, automatic, who, verdict, other if name is None else name, note)


def _record(desk: review_names.Desk, latent: int, automatic: str, who: str, verdict: str, name: str, note: str) -> None:
    fingerprint = desk.weights.fingerprint
    try:
        event = Event(who.strip(), fingerprint, latent, "settlement", verdict, name, automatic, 3, note)
        desk.reviews.record(event, directions={latent: desk.weights.decoder[latent]})
    except UserError as error:
        st.error(literal.told(error), icon=":material/error:")
        return
    st.rerun()
