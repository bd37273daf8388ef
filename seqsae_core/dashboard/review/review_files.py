"""What was decided before: the history of a latent, the archive; and reviews as files, out and in."""

import pandas as pd
import streamlit as st

from seqsae_core.dashboard import widgets
from seqsae_core.dashboard.loading import Opened
from seqsae_core.dashboard.review import review_names
from seqsae_core.dashboard.widgets import plain
from seqsae_core.errors import UserError
from seqsae_core.reviews import exchange, report
from seqsae_core.reviews.carrying import ENOUGH, archive
from seqsae_core.reviews.events import CONFIDENCE, Event

NOTHING = "No review yet. What you decide is listed here, with everything that was taken back."
ABOUT_ARCHIVE = (
    f"Verdicts on dictionaries that were replaced, whose decoder directions have no match (cosine ≥ {ENOUGH}) in the "
    "new one: kept, but they name nothing."
)


def history(opened: Opened) -> None:
    """Every event, of one latent when asked; then the archive."""
    desk = review_names.desk(opened.study, opened.dictionary)
    events = desk.reviews.events(desk.weights.fingerprint)
    if not events:
        st.info(NOTHING, icon=":material/history:")
    else:
        latents = sorted({e.latent for e in events})
        start = latents.index(opened.view.latent) + 1 if opened.view.latent in latents else 0
        chosen = st.selectbox("Latent", [None, *latents], start, format_func=lambda f: "All" if f is None else str(f))
        shown = [e for e in events if chosen is None or e.latent == chosen]
        st.dataframe(as_table(shown[::-1]), hide_index=True, key="history", placeholder="")
    rows = archive(desk.reviews, _current(opened))
    if rows:
        widgets.section("Archive", ABOUT_ARCHIVE)
        st.dataframe(as_table(rows), hide_index=True, key="archive", placeholder="")


def as_table(events: list[Event]) -> pd.DataFrame:
    """Events as they are read: undone ones say so."""
    gone = {e.target for e in events if e.kind == "undo"}
    rows = [
        {
            "When": e.at[:19].replace("T", " "), "Who": e.reviewer, "Latent": e.latent, "What": e.verdict or e.kind,
            "Name": e.name, "Automatic": e.automatic, "How sure": CONFIDENCE.get(e.confidence or 0, ""),
            "Note": e.note, "Tags": ", ".join(e.tags), "Mark": _mark(e, e.uid in gone),
        }
        for e in events
    ]  # fmt: skip
    return pd.DataFrame(rows)


def _mark(event: Event, gone: bool) -> str:
    marks = ["taken back" if gone else "", "settlement" if event.kind == "settlement" else ""]
    marks += ["blind" if event.blind else ""]
    marks += [f"carried over, cosine {event.cosine:.2f}" if event.cosine is not None else ""]
    return ", ".join(filter(None, marks))


def _current(opened: Opened) -> list[str]:
    """Fingerprints of the dictionaries that the study has today."""
    return [review_names.desk(opened.study, name).weights.fingerprint for name in opened.study.dictionaries]


def show(opened: Opened) -> None:
    """Export, report and import."""
    desk = review_names.desk(opened.study, opened.dictionary)
    reviews, fingerprint, name = desk.reviews, desk.weights.fingerprint, opened.study.name
    widgets.section("Out", "JSON holds everything, decoder directions included; CSV every event.")
    files = {
        "Everything (JSON)": ("reviews.json", "application/json", lambda: exchange.to_json(reviews)),
        "Events (CSV)": ("reviews.csv", "text/csv", lambda: exchange.to_csv(reviews.events())),
        "Report (HTML)": ("report.html", "text/html", lambda: report.to_html(reviews, fingerprint, name)),
        "Report (CSV)": ("report.csv", "text/csv", lambda: report.to_csv(reviews, fingerprint)),
    }
    with st.container(horizontal=True):
        for label, (file, kind, make) in files.items():
            st.download_button(label, make, f"{name}-{file}", kind, icon=":material/download:")
    widgets.section("In", "An export of this program. Nothing is written before it is checked whole.")
    sent = st.file_uploader("Export to bring in", type=["json", "csv"], max_upload_size=50)
    if sent is not None:
        _import(opened, desk, sent.getvalue())


def _import(opened: Opened, desk: review_names.Desk, data: bytes) -> None:
    try:
        latents = opened.as_built("latents").index
        found = exchange.read(exchange.decoded(data), desk.reviews, desk.weights.fingerprint, latents)
        st.markdown(f"{len(found.events):,} events, {found.there:,} of them here already.")
        confirmed = True
        if found.needs_confirmation:
            st.warning(plain(exchange.listed(found)), icon=":material/warning:")
            confirmed = st.checkbox("Bring these in all the same: they are kept, but name nothing here.")
        if st.button("Import", type="primary", disabled=not confirmed):
            count = exchange.apply(found, desk.reviews, confirmed)
            st.success(f"{count:,} events are new and saved.", icon=":material/check:")
    except UserError as error:
        st.error(plain(str(error)), icon=":material/error:")
