"""From a latent's page to the next one of the list it was opened from, back to that list, and beside another latent."""

import streamlit as st

from seqsae_core.dashboard import navigation
from seqsae_core.dashboard.latents import browsing, narrowing
from seqsae_core.dashboard.loading import Opened


def buttons(opened: Opened, latent: int) -> None:
    """Previous, next and compare; with Shift and an arrow key too."""
    order, at = browsing.beside(opened, latent)
    _step(opened, order[at - 1] if at else None, "Previous", ":material/chevron_left:", "Shift+Left")
    after = order[at + 1] if at is not None and at + 1 < len(order) else None
    _step(opened, after, "Next", ":material/chevron_right:", "Shift+Right")
    if st.button("Compare", icon=":material/compare:"):
        navigation.go("compare", opened.view.home().but(latent=latent))


def back_to_list(opened: Opened, latent: int) -> None:
    """Where the latent stands in the list that the link narrows to, and the way back to it."""
    search, facets = narrowing.of_link(opened)
    if not search and not facets.count:
        return
    order, at = browsing.beside(opened, latent)
    place = f"{at + 1:,} of {len(order):,}" if at is not None else f"not among the {len(order):,}"
    view = opened.view.home().but(search=opened.view.search, where=opened.view.where)
    navigation.link("latents", view, f"Back to the list ({place} found)", icon=":material/arrow_back:")


def _step(opened: Opened, latent: int | None, label: str, icon: str, shortcut: str) -> None:
    """A button to a neighbour in the list, off at its ends."""
    if st.button(label, icon=icon, shortcut=shortcut, disabled=latent is None):
        navigation.go("latent", opened.view.but(latent=latent))
