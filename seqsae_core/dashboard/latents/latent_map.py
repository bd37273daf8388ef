"""The map on the latents' page: two layouts, neurons among the directions, and any column of the table as colour."""

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd
import streamlit as st

from seqsae_core.dashboard import navigation, waiting, widgets
from seqsae_core.dashboard.loading import Opened
from seqsae_core.figures import latent_map as map_figure

LEFT = "lassos-left"
ABOUT_LASSO = "A lasso or a box (tools above the map) narrows the table to what it holds; a click opens a latent."
DIRECTIONS, COACTIVATION = "directions", "coactivation"
LAYOUTS = {DIRECTIONS: "Directions", COACTIVATION: "Co-activation"}
HOW_TO_READ = {
    DIRECTIONS: (
        "UMAP of the decoder directions: latents that write similar directions lie together. Diamonds are the neurons, "
        "both signs of each, in the same space. The axes have no meaning of their own."
    ),
    COACTIVATION: (
        "UMAP of co-activation on select users: latents that fire at the same positions more often than chance lie "
        "together. The axes have no meaning of their own."
    ),
}
COLOURS = {
    "top_group": "Concept group",
    "cluster_name": "Region",
    "top_concept": "Top concept",
    "correlation": "Correlation",
    "density": "Density",
    "monosemanticity": "Monosemanticity",
    "name_score": "Name confidence",
    "name_kind": "Named by",
    "effect": "Steering effect",
    "stability": "Stability",
    "monosemanticity_company": "Monosemanticity, company",
    "n_items": "Items",
    "fdr": "Significant at 5 % FDR",
}
NO_COLOURS = {
    *("feature", "latent", "label", "name", "name_evidence", "alive"),
    *("neighbours", "neighbour_cosines", "x", "y", "title"),
}
LOGARITHMIC = {"density", "n_items", "mean_activation", "sd_activation", "max_activation"}


def latent_map(
    opened: Opened, rows: pd.DataFrame, then: Callable[[], None], picked: Callable[[int | None], None]
) -> None:
    """The map of these latents. then: what another layout calls, because each has a lasso of its own; picked: what a
    click calls, with the latent of its point, and a lasso, with None."""
    if not opened.has("map"):
        waiting.note(opened.study.path, "map", opened.dictionary, "The map comes after the evidence.")
        return
    places = with_kinds(opened.map())
    layout, with_neurons = layout_controls(places, then)
    here = places[places["layout"] == layout]
    points = points_of(here, rows)
    offered = colours(points)
    label = st.selectbox("Colour the map by", list(offered), key="colour")
    column = offered[label]
    neurons = neurons_of(here, opened) if with_neurons else None
    figure = map_figure.latent_map(points, column, label, neurons, column in LOGARITHMIC)
    widgets.chart(
        figure,
        f"{HOW_TO_READ[layout]} {ABOUT_LASSO}",
        map_key(layout),
        "the-map",
        on_select=navigation.while_shown(lambda: picked(_picked(map_key(layout)))),
        selection_mode=("points", "box", "lasso"),
        config={"scrollZoom": True, "modeBarButtonsToRemove": ["autoScale2d"]},
        alt=f"Map of {len(points):,} latents",
    )


def _picked(key: str) -> int | None:
    """The latent of the point that was clicked on this chart, or None where a lasso was drawn or left."""
    event = st.session_state[key]
    return None if drawn_around(event["selection"]) else widgets.clicked_point(event)


def map_key(layout: str) -> str:
    """Of the chart; another one after each lasso that was left, because no chart forgets what is selected on it."""
    return f"map-{layout}-{st.session_state.get(LEFT, 0)}"


def lassoed(features: pd.Series) -> set[int] | None:
    """Those of these latents that a lasso or a box on the map holds; None where there is none, or it holds none."""
    layout = st.session_state.get("layout") or DIRECTIONS
    chart = st.session_state.get(map_key(layout))
    if not chart or not drawn_around(chart["selection"]):
        return None
    inside = {int(p["customdata"]) for p in chart["selection"]["points"] if p.get("customdata") is not None}
    return inside & set(features.tolist()) or None


def drawn_around(selection: Mapping[str, Any]) -> bool:
    """Whether a selection on a chart is a lasso or a box, not a click."""
    return bool(selection["box"] or selection["lasso"])


def release_lasso() -> None:
    """Forgets the lasso."""
    st.session_state[LEFT] = st.session_state.get(LEFT, 0) + 1


def with_kinds(places: pd.DataFrame) -> pd.DataFrame:
    """The table of the map; one of an earlier version has latents by direction alone."""
    there = {"layout": DIRECTIONS, "kind": "latents"}
    return places.assign(**{name: value for name, value in there.items() if name not in places})


def layout_controls(places: pd.DataFrame, then: Callable[[], None]) -> tuple[str, bool]:
    """Which layout, and whether neurons are shown; only where they are placed can they be."""
    layouts = [name for name in LAYOUTS if (places["layout"] == name).any()] or [DIRECTIONS]
    left, right = st.columns([3, 2], vertical_alignment="bottom")
    chosen = left.segmented_control(
        "Layout", layouts, default=layouts[0], format_func=LAYOUTS.get, required=True, key="layout", on_change=then
    )
    layout = chosen or layouts[0]
    placed = bool(((places["layout"] == layout) & (places["kind"] == "neurons")).any())
    return layout, right.toggle("Neurons", value=True, disabled=not placed, key="neurons") and placed


def points_of(places: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """Those of the rows that a layout has a place for, with place, region and hover text."""
    latents = places[places["kind"] == "latents"].drop(columns=["layout", "kind", "cluster"], errors="ignore")
    points = rows.merge(latents, on="feature")
    return points.assign(
        title=points["feature"].astype(str) + " · " + points["name"],
        top_concept=points["top_concept"].where(points["significant"], ""),
    )


def neurons_of(places: pd.DataFrame, opened: Opened) -> pd.DataFrame:
    """Places of neurons, and what their hover says: number, sign, and top concept where it is significant."""
    table = opened.features("neurons").reset_index(drop=True)
    points = places[places["kind"] == "neurons"].merge(table, on="feature")
    concepts = points["top_concept"].where(points["significant"], "no significant concept")
    return points.assign(title=[f"{n} · {c}" for n, c in zip(points["label"], concepts, strict=True)])


def colours(points: pd.DataFrame) -> dict[str, str]:
    """Column by label: every column of numbers or texts, the usual ones first."""
    others = [c for c in points.columns if c not in NO_COLOURS | set(COLOURS)]
    single = [c for c in [*COLOURS, *others] if c in points and is_single(points[c])]
    return {COLOURS.get(c, c.replace("_", " ").capitalize()): c for c in single}


def is_single(column: pd.Series) -> bool:
    """Whether a column holds one number or text a row; not lists, such as a latent's neighbours."""
    return pd.api.types.is_numeric_dtype(column) or pd.api.types.is_string_dtype(column)
