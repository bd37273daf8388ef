"""Below the lists: why an item is there, ranks by strength, what would bring one up, a target, the trade-off curve,
scenarios, the popularity dial. One at a time, and only what is asked for is computed."""

import streamlit as st

from seqsae_core.dashboard import loading
from seqsae_core.dashboard.loading import Opened
from seqsae_core.dashboard.steer import aims, bumps, curve, live, mainstream, reasons, scenarios
from seqsae_core.dashboard.steer.scene import Scene
from seqsae_core.dashboard.steer.turning import Turned

ITEM, OPEN = "asked-item", "tool"
PANELS = {
    "Why this item?": reasons.why_panel,
    "Ranks": bumps.panel,
    "Bring an item up": reasons.raise_panel,
    "Target": aims.panel,
    "Curve": curve.panel,
    "Scenarios": scenarios.panel,
    "Popularity": mainstream.panel,
}


def panel(opened: Opened, found: Scene, turned: Turned) -> None:
    """The choice of a tool and the tool."""
    name = st.segmented_control("Tools", list(PANELS), key=OPEN, label_visibility="collapsed")
    if name is not None:
        with st.container(border=True, key="tool-panel"), loading.errors_shown():
            PANELS[name](opened, found, turned)


def asked() -> bool:
    """Whether a row of the list was chosen; then its reasons open."""
    item = live.sent("asked")
    if item is not None:
        st.session_state[ITEM] = int(item)
        st.session_state[OPEN] = "Why this item?"
    return item is not None
