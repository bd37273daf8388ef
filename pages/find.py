"""Latents by what fires them: a history, item by item, or one title."""

from seqsae_core.dashboard import navigation

navigation.setup()

import streamlit as st  # noqa: E402

from seqsae_core.dashboard import literal, loading  # noqa: E402
from seqsae_core.dashboard.find import finding  # noqa: E402
from seqsae_core.dashboard.loading import Opened  # noqa: E402
from seqsae_core.dashboard.steer.scene import reading  # noqa: E402
from seqsae_core.errors import UserError  # noqa: E402


def body(opened: Opened) -> None:
    """A history or a title, and what fires for it; or what is wrong with the link and the way back."""
    what, controls = finding.heading(opened.view)
    try:
        if what == finding.TITLE:
            finding.for_title(opened)
        else:
            finding.in_history(opened, reading(opened, opened.view), controls)
    except UserError as error:
        st.error(literal.told(error), icon=":material/link_off:")
        navigation.link("find", opened.view.home(), "Start over", icon=":material/restart_alt:")


loading.page(body, needs=("data", "recommender", "sae", "evidence"))
