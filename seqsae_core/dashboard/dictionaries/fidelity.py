"""How faithful the dictionary is, and for whom it is not: the Overview's section on it."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from seqsae_core.dashboard import widgets
from seqsae_core.dashboard.dictionaries import fidelity_figures
from seqsae_core.dashboard.widgets import fixed, interval, percent

ABOUT = {
    "Explained variance": "1 − squared error / variance about the mean, on users that took no part in fitting.",
    "Active latents (L0)": "How many latents are active at a position, on average.",
    "Dead latents": "Share of latents that never fire on the users that the dictionary was fitted on.",
    "CE recovered": "Of the cross-entropy lost when the layer is replaced by its mean, the share that the "
    "reconstruction wins back.",
    "NDCG@10 change": "Ranking quality when the layer is replaced by its reconstruction. Steering keeps the "
    "reconstruction error, so it does not pay this price.",
    "Top-10 overlap (RBO)": "How alike the ten recommendations are before and after that replacement, the first places "
    "counting most: 1 = the same list in the same order, 0 = no item in common.",
}
HOW_READ_DECILES = (
    "Held-out users, grouped by how much their target is watched: each group holds a tenth of the catalogue, and most "
    "users are in the last. Left, how well the target is ranked by the model as it is and with the reconstruction in "
    "the layer's place; right, the difference relative to the original, bars 95 % over users, grey where too few "
    "targets are found for an interval. Point at a dot for the number of users and the overlap of their lists."
)
HOW_READ_DENSITIES = (
    "How often latents fire, over all positions of the users that the dictionary was fitted on. Those far to the right "
    "fire almost everywhere and can hardly name a concept; those on the left stand for something rare."
)


def section(metrics: Mapping[str, Any]) -> None:
    """Tiles, and where information is lost where that was measured."""
    widgets.section("The dictionary")
    rows = [(label, *found, ABOUT[label]) for label, found in figures_and_notes(metrics).items()]
    widgets.tiles(rows[:3])
    widgets.tiles(rows[3:])
    if metrics.get("by_decile"):
        where_lost(metrics)


def figures_and_notes(metrics: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    """Each tile's figure, and what qualifies it."""
    m = metrics
    return {
        "Explained variance": (fixed(m.get("explained_variance")), interval(m.get("explained_variance_ci95"))),
        "Active latents (L0)": (fixed(m.get("l0"), 1), "mean per position"),
        "Dead latents": (percent(m.get("dead_fraction")), "on fitting users"),
        "CE recovered": (
            percent(m.get("ce_recovered")),
            interval(m.get("ce_recovered_ci95"), 1, write=percent),
        ),
        "NDCG@10 change": (
            percent(m.get("ndcg_change"), signed=True),
            interval(m.get("ndcg_change_ci95"), 1, True, percent),
        ),
        "Top-10 overlap (RBO)": (fixed(m.get("rbo@10")), interval(m.get("rbo@10_ci95"))),
    }


def where_lost(metrics: Mapping[str, Any]) -> None:
    """By popularity of the target, and how often latents fire."""
    rows = metrics["by_decile"]
    with st.expander("Where it loses information"):
        st.markdown(verdict(rows))
        widgets.chart(fidelity_figures.by_decile(rows), HOW_READ_DECILES, "by-decile", "dictionary")
        widgets.chart(fidelity_figures.densities(metrics["densities"]), HOW_READ_DENSITIES, "densities", "dictionary")


def verdict(rows: Sequence[Mapping[str, Any]]) -> str:
    """What the intervals of the deciles allow one to say, and whose lists change most. Markdown."""
    lost = [row for row in rows if row["ndcg_change_ci95"] and row["ndcg_change_ci95"][1] < 0]
    unknown = [row for row in rows if not row["ndcg_change_ci95"]]
    if lost:
        each = ", ".join(f"{row['decile']} ({percent(row['ndcg_change'], signed=True)})" for row in lost)
        words = [f"Rankings are worse for targets in decile {each}."]
    else:
        words = ["In no decile is the ranking shown to be worse."]
    if unknown:
        words.append(f"Too few targets are found in decile {', '.join(str(row['decile']) for row in unknown)} to say.")
    alike = sorted((row for row in rows if row["users"]), key=lambda row: row["rbo@10"])
    if len(alike) > 1:
        most, least = alike[0], alike[-1]
        words.append(
            f"Lists change most for targets in decile {most['decile']} (overlap {fixed(most['rbo@10'], 2)}), least in "
            f"decile {least['decile']} ({fixed(least['rbo@10'], 2)})."
        )
    return " ".join(words)
