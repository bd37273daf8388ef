"""Every dictionary of the study: what each costs and how well its latents name things, for choosing among them."""

from seqsae_core.dashboard import navigation

navigation.setup()

import streamlit as st  # noqa: E402

from seqsae_core.dashboard import loading, widgets  # noqa: E402
from seqsae_core.dashboard.dictionaries import dictionaries  # noqa: E402
from seqsae_core.dashboard.loading import Opened  # noqa: E402

LEAD = (
    "Sparse autoencoders of one and the same recommender. More active latents explain more and change its "
    "recommendations less; fewer are easier to read."
)
NONE_YET = "No dictionary is screened yet, so there is nothing to compare: start a sweep below."


def body(opened: Opened) -> None:
    """Charts where a sweep has been, the dictionary chosen, the table, the sweep."""
    widgets.title("Dictionaries", LEAD)
    table, default = dictionaries.rows(opened.study), opened.study.default_dictionary
    if table["l0"].notna().any():
        dictionaries.charts(table, default)
    else:
        st.markdown(NONE_YET)
    dictionaries.opening(opened, table)
    dictionaries.everything(table, default)
    dictionaries.sweeping(opened)


loading.page(body, needs=("sae",))
