"""Turn latents and watch the recommendations re-rank; what it costs stands beside it."""

from seqsae_core.dashboard import navigation

navigation.setup()

import streamlit as st  # noqa: E402

from seqsae_core.dashboard import literal, loading, permalink  # noqa: E402
from seqsae_core.dashboard.loading import Opened  # noqa: E402
from seqsae_core.dashboard.steer import histories, workbench  # noqa: E402
from seqsae_core.dashboard.steer.scene import scene, within_limits  # noqa: E402
from seqsae_core.errors import UserError  # noqa: E402


def body(opened: Opened) -> None:
    """Whose history, which latents, the lists; or what is wrong with the link and the way back."""
    controls = histories.heading()
    try:
        view, word = within_limits(opened, opened.view)
        found = scene(opened, view)
    except UserError as error:
        wrong(opened, error)
        return
    if word:
        permalink.write(view)
        st.info(word, icon=":material/compress:")
    histories.panel(opened, found, controls)
    if found.history:
        workbench.workbench(opened, found)


def wrong(opened: Opened, error: UserError) -> None:
    """A link that asks for something this study does not have."""
    st.error(literal.told(error), icon=":material/link_off:")
    navigation.link("steer", opened.view.home(), "Start over", icon=":material/restart_alt:")


loading.page(body, needs=("data", "recommender", "sae", "evidence"))
