"""The latents that cover a concept together, step by step, and the best of them one by one."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import streamlit as st

from seqsae_core.dashboard import navigation, taking, widgets
from seqsae_core.dashboard.concept.concept_measured import ABOUT_NEW, ABOUT_SAME, count, gain, used
from seqsae_core.dashboard.loading import Opened
from seqsae_core.dashboard.steer.scene import steerable
from seqsae_core.dashboard.widgets import fixed
from seqsae_core.figures.concept import cover_steps
from seqsae_core.steering.edits import Edit

if TYPE_CHECKING:
    from seqsae_core.interpret.probing import Measured

STRENGTH = 2.0
HOW_TO_READ_COVER = (
    "Greedy: each step adds the latent that best explains what the earlier ones leave of the concept, chosen on one "
    "set of held-out users, scored on another. On new items the same is done on one half of the items and scored on "
    "the other; a curve that rises on the same items alone recognises items."
)
HOW_TO_READ_DETECTORS = (
    "On score users' positions; chosen on the other held-out users. " + widgets.BY_KEY
)
DETECTOR = {
    "significant": st.column_config.CheckboxColumn("✓", width=38, help="Significant for a concept of the study."),
    "feature": st.column_config.NumberColumn("#", format="%d", width=60),
    "name": st.column_config.TextColumn("Name", width=190),
    "r": st.column_config.NumberColumn("r", format="%.3f", width=65, help=ABOUT_SAME),
    "low": st.column_config.NumberColumn("from", format="%.3f", width=65, help="95 % interval over users and items."),
    "high": st.column_config.NumberColumn("to", format="%.3f", width=65),
    "chosen": st.column_config.TextColumn(
        "Chosen", width=75, help="On how many halves of the items it is the best latent: one that knows a few items is "
        "not chosen where these are missing."),
    "z": st.column_config.NumberColumn(
        "z", format="%.1f", width=60, help="r against permutations of the concept among items of like popularity."),
    "roc_auc": st.column_config.NumberColumn("ROC AUC", format="%.3f", width=80),
    "average_precision": st.column_config.NumberColumn("Av. precision", format="%.3f", width=95),
    "f1": st.column_config.NumberColumn("Best F1", format="%.3f", width=75),
    "mean_in": st.column_config.NumberColumn("Mean in", format="%.3f", width=75, help="Mean activation at its items."),
    "mean_out": st.column_config.NumberColumn("Mean out", format="%.3f", width=80, help="And at all others."),
    "effect": st.column_config.NumberColumn(
        "Logit effect", format="%+.2f", width=90, help="How much more its direction promotes the concept's items than "
        "others, straight to the output, in standard deviations over items."),
}  # fmt: skip
STEPS = {
    "step": st.column_config.NumberColumn("Latents", format="%d", width=65),
    "latent": st.column_config.TextColumn("Adds", width=210),
    "weight": st.column_config.NumberColumn(
        "Weight", format="%+.2f", width=70, help="Share in the sum, in standard deviations, the largest = 1."),
    "same": st.column_config.NumberColumn("r", format="%.3f", width=65, help=ABOUT_SAME),
    "same_gain": st.column_config.NumberColumn("adds", format="%+.3f", width=70),
    "new": st.column_config.NumberColumn("r, new items", format="%.3f", width=95, help=ABOUT_NEW),
    "new_gain": st.column_config.NumberColumn("adds ", format="%+.3f", width=70),
}  # fmt: skip


def cover(opened: Opened, found: "Measured") -> None:
    """The step chart, the steps as a table, links to the latents, and the way to Steer."""
    widgets.section("Which latents cover it together")
    path = found.cover.path
    if not len(path):
        st.caption("No latent fires more where the concept holds than elsewhere.")
        return
    labels, size = _latent_labels(opened, path.latents), used(opened, found)
    chart, beside = widgets.pair([3, 2], "cover", gap="large")
    with chart:
        figure = cover_steps(found.cover.same, found.cover.new, labels, found.kinds)
        widgets.chart(figure, HOW_TO_READ_COVER, "cover", "one-concept")
    with beside:
        st.markdown(what_is_added(found, size))
        latents = opened.features("latents")
        with st.container(horizontal=True, gap="xxsmall"):
            for latent in path.latents[:size]:
                widgets.latent_link(opened, latents.loc[int(latent)])
        edits = edits_of(opened, found, size)
        if edits and st.button("Steer with these latents", type="primary", icon=":material/tune:"):
            view = opened.view
            navigation.go("steer", view.home().but(edits=edits, items=view.items, search=view.search))
    with st.expander("Each step as a table"):
        table = steps(found, labels)
        st.dataframe(table, hide_index=True, column_config=STEPS, placeholder=widgets.NOT_MEASURED)
        taking.table(table, "cover-steps")


def what_is_added(found: "Measured", size: int) -> str:
    """What the latents after the first add on the same items and on new ones. Markdown."""
    if size < 2:
        return "One latent is all that this cover has."
    same, new = found.cover.same, found.cover.new
    text = f"The first latent alone reaches **{fixed(same[0])}** on the same items"
    text += "" if new is None else f" and **{fixed(new[0])}** on new ones"
    text += f"; {count(size, 'latent')} together reach **{fixed(same[size - 1])}** ({gain(same, size)})"
    if new is None:
        return text + ". On new items nothing can be said."
    return (
        f"{text} and **{fixed(new[size - 1])}** ({gain(new, size)}). What is gained on the same items alone is items "
        "recognised, not the concept."
    )


def steps(found: "Measured", labels: list[str]) -> pd.DataFrame:
    """One row a step of the cover: the latent, its weight in the whole, both figures and what it adds to each."""
    same = np.asarray(found.cover.same)
    new = np.full(len(same), np.nan) if found.cover.new is None else found.cover.new
    return pd.DataFrame({
        "step": np.arange(1, len(same) + 1), "latent": labels, "weight": found.cover.weights(len(same)),
        "same": same, "same_gain": np.diff(same, prepend=0.0), "new": new, "new_gain": np.diff(new, prepend=0.0),
    })  # fmt: skip


def edits_of(opened: Opened, found: "Measured", size: int) -> tuple[Edit, ...]:
    """The first latents of the cover as edits, in proportion to their weights; those that take away are left out."""
    can, most = set(steerable(opened).index), float(opened.study.config.steering.max_strength)
    pairs = zip(found.cover.path.latents[:size].tolist(), found.cover.weights(size).tolist(), strict=True)
    return tuple(Edit(i, round(min(STRENGTH * w, most), 2)) for i, w in pairs if i in can and STRENGTH * w >= 0.01)


def one_by_one(opened: Opened, found: "Measured") -> None:
    """The best latents as detectors of the concept; a click opens one."""
    widgets.section("The best latents, one by one")
    rows = found.latents
    if rows.empty:
        st.caption("No latent fires more where the concept holds than elsewhere.")
        return
    st.markdown(significance(found))
    known = opened.features("latents")[["name", "significant"]].reindex(rows["feature"])
    of = [f"{times} of {found.halves}" if found.halves else None for times in rows["chosen"]]
    told = {name: column.to_numpy() for name, column in known.items()}
    table = rows.assign(**told, chosen=of, effect=rows["effect"].round(2) + 0.0)[list(DETECTOR)]
    event = st.dataframe(
        table, hide_index=True, column_config=DETECTOR, key="detectors", on_select="rerun",
        selection_mode="single-cell", placeholder=widgets.NOT_MEASURED,
    )  # fmt: skip
    widgets.read(HOW_TO_READ_DETECTORS, "one-concept")
    taking.table(table, "detectors")
    row = widgets.clicked_cell(event, table, "significant")
    if row is not None:
        navigation.go("latent", opened.view.home().but(latent=int(row["feature"])))


def significance(found: "Measured") -> str:
    """Whether the best latent is more than a search over all latents would find for any such set of items."""
    if found.needed is None:
        return "It has too few items to tell a latent that knows it from one that was found by searching."
    z, needed = found.latents["z"].iloc[0], fixed(found.needed, 1)
    enough = "so it is more than search finds" if z >= found.needed else "so a search would find as much by chance"
    return (
        f"The best latent has z {fixed(z, 1)}; the best of all latents reaches {needed} for one in twenty random sets "
        f"of items of like popularity, {enough}."
    )


def _latent_labels(opened: Opened, latents: np.ndarray) -> list[str]:
    rows = opened.features("latents")
    return [widgets.latent_label(rows.loc[int(latent)]) for latent in latents]
