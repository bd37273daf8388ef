"""What each figure means: docs/METHOD.md, a section at a time, where the figures' own links lead."""

from seqsae_core.dashboard import navigation

navigation.setup()

import streamlit as st  # noqa: E402

from seqsae_core.dashboard import loading, method, permalink, widgets  # noqa: E402

LEAD = "Every figure that a page shows is defined here, with its source and what it does not say."


def body() -> None:
    """The contents beside the section of the link."""
    view = permalink.read()
    here = method.chosen(view)
    widgets.title("Method", LEAD)
    left, right = widgets.pair([1, 3], "method", gap="large")
    with left, st.container(gap=None, key="contents"):
        method.contents(view, here)
    with right:
        section = method.sections()[here]
        widgets.section(section.title)
        st.markdown(method.text(section))


loading.page_without_study(body)
