"""The parts of the page that shows two latents side by side."""

import pandas as pd
import streamlit as st

from seqsae_core.dashboard import navigation, permalink, taking, widgets
from seqsae_core.dashboard.latents import portrait
from seqsae_core.dashboard.loading import Opened
from seqsae_core.dashboard.widgets import fixed, latent_label, missing, percent, plain
from seqsae_core.errors import UserError
from seqsae_core.sae.stability import cosine

LEAD = "Two latents of one dictionary, figure by figure."
CONCEPTS = 10
SIDES = ("first", "second")
ABOUT_MOVED = "Items whose scores rise most at +2 units, mean over fixed histories."
Pair = tuple[pd.Series, pd.Series]
ABOUT_CONCEPTS = (
    "Pearson r of each latent's activation with the concept of the item just read, on score users; the concepts that "
    "either correlates with most."
)
ROWS = {
    "Top concept": ("top_concept", str),
    "r with it": ("correlation", fixed),
    "z": ("z", lambda v: fixed(v, 1)),
    "Density": ("density", lambda v: percent(v, 2)),
    "Distinct items": ("n_items", lambda v: f"{int(v):,}"),
    "Mean activation": ("mean_activation", lambda v: fixed(v, 2)),
    "Largest activation": ("max_activation", lambda v: fixed(v, 2)),
    "Monosemanticity": ("monosemanticity", fixed),
    "Name confidence": ("name_score", lambda v: fixed(v, 2)),
    "In re-trainings": ("stability", lambda v: fixed(v, 2)),
    "Steering effect": ("effect", lambda v: fixed(v, 1)),
}


def chosen(opened: Opened) -> Pair:
    """The latents of the link; else the best-evidenced one, and the nearest to it that fires."""
    rows, other = opened.features("latents"), opened.view.other
    first = portrait.chosen(opened)
    if other is None:
        near = [int(n) for n in first["neighbours"] if rows.at[int(n), "alive"] and int(n) != first["feature"]]
        other = near[0] if near else int(first["feature"])
    if other not in rows.index:
        raise UserError(f"The dictionary has latents 0 to {rows.index.max()}; the link asks for latent {other}.")
    return first, rows.loc[other]


def heading(opened: Opened, pair: Pair) -> None:
    """The title, a picker for each side, and how alike the two directions are."""
    widgets.title("Compare latents", LEAD)
    rows, latents = opened.features("latents"), [int(row["feature"]) for row in pair]
    labels = _labels(rows, f"{opened.study.path} {opened.dictionary} {opened.stamp('evidence')}", len(rows))
    picked = []
    for column, latent, side in zip(_columns("pickers"), latents, SIDES, strict=True):
        with column:
            picked.append(_picker(labels, latent, side))
            widgets.latent_link(opened, rows.loc[latent])
    if picked != latents:
        navigation.go("compare", opened.view.home().but(latent=picked[0], other=picked[1]))
    permalink.write(opened.view.but(latent=latents[0], other=latents[1]))
    decoder = opened.decoder()
    alike = fixed(cosine(decoder[latents[0]], decoder[latents[1]]), 3)
    st.markdown(f"Cosine of their decoder directions: **{alike}** (1 = the same direction, 0 = unrelated).")


def _columns(key: str) -> list:
    return widgets.pair([1, 1], key, gap="large")


def _picker(labels: dict[int, str], latent: int, side: str) -> int:
    there = list(labels)
    return st.selectbox(
        f"The {side} latent", there, there.index(latent), format_func=labels.get, key=f"{side}-{latent}"
    )


@st.cache_data(max_entries=8, show_spinner=False)
def _labels(_rows: pd.DataFrame, stamp: str, count: int) -> dict[int, str]:
    order = _rows.sort_values(["alive", "significant", "z"], ascending=False)
    return {int(row["feature"]): latent_label(row) for _, row in order.iterrows()}


def figures(opened: Opened, pair: Pair) -> None:
    """One row a figure, one column a latent."""
    effects = opened.effects()["effect"] if opened.has("steering") else pd.Series(dtype=float)
    table = {"": list(ROWS)}
    for side, row in zip(SIDES, pair, strict=True):
        known = row.to_dict() | {"effect": effects.get(row["feature"])}
        heading = f"{side.capitalize()}: {latent_label(row)}"
        table[heading] = [_said(known.get(name), write) for name, write in ROWS.values()]
    shown = pd.DataFrame(table)
    st.dataframe(shown, hide_index=True, key="pair-figures", height="content")
    taking.table(shown, "pair-figures")


def _said(value, write) -> str:
    return widgets.NOT_MEASURED if missing(value) or value == "" else write(value)


def concepts(opened: Opened, pair: Pair) -> None:
    """Correlations with the concepts that matter to either."""
    widgets.section("Concepts", ABOUT_CONCEPTS)
    tables = [opened.alignment(int(row["feature"])).set_index("concept")["r_score"] for row in pair]
    both = pd.concat(tables, axis=1, keys=("first", "second"))
    if both.empty:
        st.caption("No concept occurs where they were measured.")
        return
    order = both.abs().max(axis=1).sort_values(ascending=False, kind="stable").index[:CONCEPTS]
    shown = both.loc[order].assign(difference=both["first"] - both["second"]).reset_index(names="concept")
    shown["concept"] = shown["concept"].astype(str)
    form = {
        name: st.column_config.NumberColumn(label, format="%+.3f")
        for name, label in {"first": "r, first", "second": "r, second", "difference": "Difference"}.items()
    }
    columns = {"concept": "Concept", **form}
    st.dataframe(shown, hide_index=True, column_config=columns, key="pair-concepts", placeholder="–")
    taking.table(both.reset_index(), "pair-concepts")


def sequences(opened: Opened, pair: Pair) -> None:
    """What fires each."""
    widgets.section("What fires them")
    for column, row, side in zip(_columns("fires"), pair, SIDES, strict=True):
        latent = int(row["feature"])
        with column:
            st.markdown(f"**{plain(latent_label(row))}**")
            portrait.quantile_strips(opened.examples("latents", latent), opened, "latents", f"{side}{latent}")
    widgets.read(portrait.HOW_TO_READ_STRIPS, "evidence")


def moved(opened: Opened, pair: Pair) -> None:
    """The items that each promotes most."""
    if not opened.has("steering"):
        return
    widgets.section("What steering them promotes", ABOUT_MOVED)
    effects = opened.effects()
    for column, row, side in zip(_columns("promotes"), pair, SIDES, strict=True):
        with column:
            if row["feature"] not in effects.index:
                st.caption("Its effect was not measured.")
                continue
            found = effects.loc[row["feature"]]
            key = f"promoted-{side}"
            widgets.items_table(found["promoted"], found["promoted_change"], opened.catalogue(), key)
