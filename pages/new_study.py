"""A study of one's own data: which file, which columns, which settings; built while any page shows how far it is."""

from seqsae_core.dashboard import navigation

navigation.setup()

import streamlit as st  # noqa: E402

from seqsae_core.dashboard import loading, widgets  # noqa: E402
from seqsae_core.dashboard.studies import new_study  # noqa: E402

LEAD = (
    "Who took up what, and when: one row an event. CSV, TSV, JSON lines, Parquet, MovieLens and RecBole files are read "
    "as they are. What you send stays on the machine that runs this dashboard."
)


def body() -> None:
    """Data, columns, settings, command."""
    widgets.title("New study", LEAD)
    source = new_study.source()
    if source is None:
        st.caption("The first rows and what is taken for what appear here, before anything is built.")
        return
    name, config = new_study.settings(new_study.mapped(source))
    new_study.building(name, config)


loading.page_without_study(body)
