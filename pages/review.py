"""Reviews: analysts decide what a latent means; what they accept is its name on every page."""

from seqsae_core.dashboard import navigation

navigation.setup()

import streamlit as st  # noqa: E402

from seqsae_core.dashboard import loading, widgets  # noqa: E402
from seqsae_core.dashboard.loading import Opened  # noqa: E402
from seqsae_core.dashboard.review import review, review_agreement, review_duel, review_files  # noqa: E402

LEAD = (
    "Decide what latents mean, one after another. A name that is accepted replaces the automatic one on every page, "
    "with who decided, when and how sure."
)
PARTS = {
    "Review": review.sitting,
    "Agreement": review_agreement.show,
    "Blind test": review_duel.show,
    "History": review_files.history,
    "Import and export": review_files.show,
}


def body(opened: Opened) -> None:
    """One part at a time."""
    widgets.title("Review", LEAD)
    part = st.segmented_control("Part", list(PARTS), default="Review", required=True, label_visibility="collapsed")
    PARTS[str(part)](opened)


loading.page(body, needs=("sae", "evidence"))
