"""Rank against strength for every item that a slider brings into the list."""

import streamlit as st

from seqsae_core.dashboard import widgets
from seqsae_core.dashboard.loading import Opened
from seqsae_core.dashboard.steer import dials
from seqsae_core.dashboard.steer.live import SHOWN
from seqsae_core.dashboard.steer.scene import Scene, limit
from seqsae_core.dashboard.steer.turning import Turned
from seqsae_core.dashboard.widgets import latent_label
from seqsae_core.figures.bump import bump

HOW_TO_READ = (
    "One line an item that is among the first ten at some strength, the others' strengths held: green where it ends "
    "higher than at 0, red where lower; named at the right is the list at the largest strength. Above the dashed line "
    "is the list shown; the dotted line is the strength set now. A line that breaks off is beyond the thirtieth place."
)


def panel(opened: Opened, found: Scene, turned: Turned) -> None:
    """The chart of one slider, chosen where there are several."""
    latents = opened.features("latents")
    names = [" + ".join(latent_label(latents.loc[n]) for n in edit.latents[:2]) for edit in turned.edits]
    places = list(range(len(turned.edits)))
    place = st.selectbox("Slider", places, format_func=names.__getitem__, width=420) if len(places) > 1 else 0
    edit, titles = turned.edits[place], opened.catalogue()["title"]
    dial = dials.dial(edit, latents, limit(opened))
    lists = [ranking.items.tolist() for ranking in turned.grids[place]]
    shown = {item: str(titles.at[item]) for items in lists for item in items}
    figure = bump(dial.strengths, lists, shown, SHOWN, dial.at(edit))
    widgets.chart(figure, HOW_TO_READ, f"bump-{place}", "finding-and-comparing")
