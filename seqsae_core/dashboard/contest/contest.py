"""The parts of the page that holds latents against neurons."""

import pandas as pd
import streamlit as st

from seqsae_core.dashboard import navigation, permalink, taking, widgets
from seqsae_core.dashboard.latents import portrait
from seqsae_core.dashboard.loading import Opened
from seqsae_core.dashboard.widgets import fixed
from seqsae_core.errors import UserError
from seqsae_core.figures import contest as contest_figures
from seqsae_core.figures.style import kind_name

MEASURES = {"Same items": "r_score", "New items": "r_new_items"}
HOW_TO_READ_VIOLINS = (
    "Live features only; the line is the mean. Higher means that the items that fire a feature are alike in genre, "
    "decade and popularity."
)
HOW_TO_READ_DOTS = {
    "r_score": "Each dot is the best feature of a kind; bars are 95 % intervals over users and items.",
    "r_new_items": "Chosen on half of the items, scored on the other half, mean over halvings; no interval for "
    "a single concept.",
}
NO_CONCEPTS = "No concept occurs often enough among the held-out users to compare features on it."
GROUPS = {"genre": "Genres", "decade": "Decades", "year": "Years", "popularity": "Popularity"}


def concepts(opened: Opened) -> None:
    """Dots per concept on both measures, and the table behind them."""
    best = opened.best()
    widgets.section("Concept by concept")
    groups = [g for g in best["group"].unique() if g]
    if not groups:
        st.caption(NO_CONCEPTS)
        return
    group = st.segmented_control(
        "Concepts",
        groups,
        default=groups[0],
        required=True,
        key="group",
        format_func=lambda g: GROUPS.get(g, g.capitalize()),
    )
    rows = best[best["group"] == group]
    for tab, (label, column) in zip(widgets.pair([1, 1], "dots", gap="medium"), MEASURES.items(), strict=True):
        with tab:
            st.markdown(f"**{label}**")
            figure = contest_figures.concept_dots(rows, column)
            widgets.chart(figure, HOW_TO_READ_DOTS[column], f"dots-{column}", "evidence")
    with st.expander("The same as a table"):
        st.dataframe(side_by_side(rows), hide_index=True, column_config=table_columns(), placeholder="–")
        taking.table(side_by_side(rows), f"concepts-{group}")


def side_by_side(best: pd.DataFrame) -> pd.DataFrame:
    """One row a concept: the best latent and the best neuron with both correlations and the difference."""
    columns = ["concept", "positives", "label", "r_score", "r_new_items", "r_partial"]
    latents, neurons = (best.loc[best["kind"] == kind, columns].set_index("concept") for kind in ("latents", "neurons"))
    neurons = neurons.drop(columns="positives")
    both = latents.merge(neurons, "outer", left_index=True, right_index=True, suffixes=("_latent", "_neuron"))
    both["difference"] = both["r_score_latent"] - both["r_score_neuron"]
    both["difference_new"] = both["r_new_items_latent"] - both["r_new_items_neuron"]
    return both.sort_values("difference", ascending=False).reset_index()


def table_columns() -> dict:
    """Headings and formats of the side-by-side table."""

    def number(label: str, text: str | None = None):
        return st.column_config.NumberColumn(label, format="%.3f", help=text)

    partial = "With release year and log-popularity partialled out."
    return {
        "concept": "Concept",
        "positives": st.column_config.NumberColumn("Positions", format="localized"),
        "label_latent": "Best latent",
        "r_score_latent": number("r"),
        "r_new_items_latent": number("r, new items"),
        "r_partial_latent": number("r, partial", partial),
        "label_neuron": "Best neuron",
        "r_score_neuron": number("r "),
        "r_new_items_neuron": number("r, new items "),
        "r_partial_neuron": number("r, partial ", partial),
        "difference": number("Difference"),
        "difference_new": number("Difference, new items"),
    }


def examples(opened: Opened) -> None:
    """Sequences that fire the best latent and the best neuron of one concept, side by side."""
    widgets.section(
        "See both sides",
        "The strongest and weaker examples of the best feature of each kind for one concept.",
    )
    best = opened.best()
    latents = best[(best["kind"] == "latents") & best["r_score"].notna()]
    order = latents.assign(genre=latents["group"] == "genre").sort_values(["genre", "r_score"], ascending=False)
    names = order["concept"].tolist()
    if not names:
        st.caption(NO_CONCEPTS)
        return
    chosen, rival = sides(opened, best, names)
    for column, kind in zip(st.columns(2, gap="medium"), ("latents", rival), strict=True):
        rows = best[(best["kind"] == kind) & (best["concept"] == chosen)]
        with column:
            if rows.empty:
                st.caption(f"{kind_name(kind)} have no candidate for this concept.")
            else:
                side(opened, rows.iloc[0])
    widgets.read(portrait.HOW_TO_READ_STRIPS, "evidence")
    side_view = opened.view.home().but(concept=chosen)
    navigation.link("concept", side_view, f"All of {widgets.plain(chosen)}: what covers it", icon=":material/category:")


def sides(opened: Opened, best: pd.DataFrame, names: list[str]) -> tuple[str, str]:
    """The concept and the rival to look at; both are part of the link."""
    view = opened.view
    if view.concept is not None and view.concept not in names:
        raise UserError(f"The study has no concept `{view.concept}` with enough positions. It has: {', '.join(names)}.")
    rivals = [k for k in best["kind"].unique() if k in permalink.KINDS and k != "latents"]
    left, right = st.columns(2, gap="medium")
    concept = left.selectbox("Concept", names, index=names.index(view.concept) if view.concept else 0, key="concept")
    start = rivals.index(view.kind) if view.kind in rivals else 0
    rival = right.selectbox("Against", rivals, index=start, format_func=kind_name, key="rival")
    changed = concept != names[0] or rival != rivals[0] or view.concept or view.kind
    permalink.write(view.but(concept=concept, kind=rival) if changed else view)
    return concept, rival


def side(opened: Opened, row: pd.Series) -> None:
    """One feature: its figures, its examples, and its page where it has one."""
    kind, feature = row["kind"], int(row["feature"])
    same, new = fixed(row["r_score"]), fixed(row["r_new_items"])
    st.markdown(f"**{widgets.plain(row['label'])}** · r {same} same items, {new} new items")
    portrait.quantile_strips(opened.examples(kind, feature), opened, kind, f"{kind}{feature}")
    if kind == "latents":
        navigation.link(
            "latent", opened.view.home().but(latent=feature), "Open this latent", icon=":material/lens_blur:"
        )


def monosemanticity(opened: Opened) -> None:
    """Distribution over the features of each kind."""
    widgets.section("One meaning each?")
    kinds = [k for k in ("latents", "neurons", "random_directions") if k in opened.summary()]
    figure = contest_figures.monosemanticity({k: opened.features(k) for k in kinds})
    widgets.chart(figure, HOW_TO_READ_VIOLINS, "monosemanticity", "evidence")
