"""The parts of the Concept page about the whole of it: the figures in brief, the rivals, the items."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import streamlit as st

from seqsae_core.dashboard import taking, widgets
from seqsae_core.dashboard.concept.concept_choice import Chosen
from seqsae_core.dashboard.concept.concept_measured import ABOUT_NEW, ABOUT_SAME, at, bench_of, count, gain, used
from seqsae_core.dashboard.contest import headline
from seqsae_core.dashboard.loading import Opened
from seqsae_core.dashboard.widgets import fixed, interval, missing, percent, plain
from seqsae_core.figures.concept import best_of_kinds
from seqsae_core.figures.style import kind_name

if TYPE_CHECKING:
    from seqsae_core.interpret.probing import Measured

FEW_POSITIONS, SHOWN = 300, 200
HOW_TO_READ_RIVALS = (
    "The best feature of each kind; bars are 95 % intervals over users and items. The probe is trained with the labels "
    "and is a ceiling; neurons and components enter once for each sign."
)
KINDS = {
    "kind": "Kind",
    "label": "Best feature",
    "r": st.column_config.NumberColumn("r", format="%.3f", help=ABOUT_SAME),
    "r_new": st.column_config.NumberColumn("r, new items", format="%.3f", help=ABOUT_NEW),
    "gap": st.column_config.NumberColumn("Latents ahead by", format="%+.3f"),
    "same": st.column_config.TextColumn("95 %"),
    "gap_new": st.column_config.NumberColumn("New items: by", format="%+.3f"),
    "new": st.column_config.TextColumn("95 % "),
}


def in_brief(opened: Opened, chosen: Chosen, found: "Measured") -> None:
    """How many items and positions, what to be careful about, and four figures."""
    positions = len(bench_of(opened).values)
    name = plain(chosen.name[:1].upper() + chosen.name[1:])
    st.markdown(
        f"**{name}**: {count(found.items, 'item')}. The users that score met {found.met:,} of them, at "
        f"{count(found.positions, 'position')} of {positions:,} ({percent(found.positions / positions, 2)})."
    )
    for caution in cautions(found):
        st.caption(f":material/warning: {caution}")
    best, size = found.kinds.iloc[0], used(opened, found)
    same, new = found.cover.same, found.cover.new
    together = count(size, "latent")
    widgets.tiles([
        ("Best latent, same", fixed(best["r"]), interval((best["low"], best["high"])), ABOUT_SAME),
        ("Best latent, new", fixed(best["r_new"]), interval((best["low_new"], best["high_new"])), ABOUT_NEW),
        (f"{together}, same", fixed(at(same, size)), gain(same, size), ABOUT_SAME),
        (f"{together}, new", fixed(at(new, size)), gain(new, size), ABOUT_NEW),
    ])  # fmt: skip


def cautions(found: "Measured") -> list[str]:
    """What keeps the figures of a concept from meaning much."""
    told = []
    if found.positions < FEW_POSITIONS:
        told.append(f"Fewer than {FEW_POSITIONS} positions: the figures are rough.")
    if missing(found.kinds["low"].iloc[0]):
        told.append("Too few of its items were met for an interval.")
    if not found.halves:
        told.append(
            "It cannot be measured on new items: no halving of the items puts it on both sides. What latents reach "
            "here may be items recognised."
        )
    return told


def rivals(found: "Measured") -> None:
    """Every kind's best on both figures, in words, as a chart and as a table."""
    widgets.section("Against rivals")
    kinds = found.kinds
    neurons = kinds.set_index("kind").loc["neurons"]
    said = [
        f"**{label}**: latents less neurons {headline.difference(gap)}, {headline.verdict(gap)}."
        for label, gap in (("Same items", _gap(neurons, "")), ("New items", _gap(neurons, "_new")))
    ]
    st.markdown(" ".join(said) + f" {unbeaten(kinds)}")
    widgets.chart(best_of_kinds(kinds), HOW_TO_READ_RIVALS, "rivals", "one-concept")
    with st.expander("The same as a table"):
        bounds = {"same": _bounds(kinds, ""), "new": _bounds(kinds, "_new")}
        table = kinds.assign(kind=kinds["kind"].map(kind_name), **bounds)
        st.dataframe(table[list(KINDS)], hide_index=True, column_config=KINDS, placeholder=widgets.NOT_MEASURED)
        taking.table(kinds, "concept-rivals")


def unbeaten(kinds: pd.DataFrame) -> str:
    """Which rivals the best latent is not shown to beat on new items; nothing where that was not measured."""
    others = kinds.iloc[1:]
    if others["gap_low_new"].isna().any():
        return ""
    names = [kind_name(kind) for kind in others.loc[others["gap_low_new"] <= 0, "kind"]]
    if not names:
        return "Every rival is beaten on new items."
    return f"Not shown to be beaten on new items: {', '.join(names)}."


def items(opened: Opened, chosen: Chosen, found: "Measured | None") -> None:
    """Items that have the concept, and those that the cover would newly claim."""
    widgets.section("Items")
    catalogue = opened.catalogue()
    own = catalogue.loc[np.flatnonzero(chosen.labels)].sort_values("count", ascending=False)
    if found is None or not len(found.cover.path):
        _item_table(own, "has", f"{count(len(own), 'item')}, the best known first")
        return
    from seqsae_core.interpret.probing import claims

    size = used(opened, found)
    said = claims(bench_of(opened), chosen.labels, found.cover, size).set_index("item")
    claimed = said[said["claimed"]]
    first, hits = count(len(claimed), "item"), int(claimed["has"].sum())
    st.markdown(
        f"As many items as have it are claimed, those to which {count(size, 'latent')} together give most: of the "
        f"{first} claimed, **{hits:,}** have it and **{len(claimed) - hits:,}** would be new."
    )
    left, right = widgets.pair([1, 1], "items", gap="large")
    with left:
        own = own.assign(**said[["positions", "predicted"]].reindex(own.index))
        _item_table(own, "has", f"{count(len(own), 'item')} with it, the best known first")
    with right:
        extra = claimed[~claimed["has"]]
        rows = catalogue.loc[extra.index].assign(**extra[["positions", "predicted"]])
        _item_table(rows, "claimed", f"{count(len(rows), 'item')} newly claimed, the surest first")


def _item_table(rows: pd.DataFrame, key: str, caption: str) -> None:
    table = rows.assign(genres=rows["genres"].astype("string").str.replace("|", ", ")).head(SHOWN)
    columns = {
        "title": st.column_config.TextColumn("Title", width=190),
        "year": st.column_config.NumberColumn("Year", format="%d", width=55),
        "genres": st.column_config.TextColumn("Genres", width=150),
        "positions": st.column_config.NumberColumn("Met", format="%d", width=55, help="Held-out users' positions."),
        "predicted": st.column_config.NumberColumn(
            "Predicted", format="%.2f", width=80, help="What the latents of the cover say on average: 1 = has it."),
    }  # fmt: skip
    st.markdown(f"**{caption}**" + (f" ({SHOWN} shown)" if len(rows) > SHOWN else ""))
    if "predicted" in table:
        table = table.assign(predicted=table["predicted"].round(2) + 0.0)  # no minus before a zero
    shown = [name for name in columns if name in table]
    st.dataframe(table[shown], hide_index=True, column_config=columns, key=f"items-{key}", height=360, placeholder="–")
    taking.table(rows, f"concept-items-{key}")


def _gap(row: pd.Series, which: str) -> dict:
    low, high = row[f"gap_low{which}"], row[f"gap_high{which}"]
    return {"mean": row[f"gap{which}"], "ci95": None if missing(low) else [low, high]}


def _bounds(kinds: pd.DataFrame, which: str) -> list[str | None]:
    pairs = zip(kinds[f"gap_low{which}"], kinds[f"gap_high{which}"], strict=True)
    return [None if missing(low) else f"{fixed(low, signed=True)} to {fixed(high, signed=True)}" for low, high in pairs]


