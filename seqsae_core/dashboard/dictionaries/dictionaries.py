"""The parts of the page that compares a study's dictionaries."""

from dataclasses import asdict
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from seqsae_core.build import out_of_date
from seqsae_core.commands import sweep_command, use_command
from seqsae_core.config import RecommenderConfig, SaeConfig
from seqsae_core.dashboard import detached, literal, navigation, taking, versions, widgets
from seqsae_core.dashboard.dictionaries import using
from seqsae_core.dashboard.loading import Opened
from seqsae_core.dashboard.widgets import interval, percent
from seqsae_core.errors import UserError
from seqsae_core.figures import pareto
from seqsae_core.sae.names import called
from seqsae_core.study import Study

COLOURS = {"New items": "new_items", "Same items": "same_items"}
FIGURES = {"explained_variance": "explained variance", "ndcg_change": "NDCG@10 change"}
WHOLE = ("layer", "latents", "k")
REAL = ("l1", "l0", "dead_fraction", "seconds", *FIGURES, *COLOURS.values())
FOR_CHOOSING = (
    "For choosing only. Explained variance, L0 and correlations are of *select* users' histories, the NDCG change of "
    "their validation targets, dead latents of fit users; intervals are 95 % over users. What the Overview quotes is "
    "not all independent of the choice: explained variance, L0 and cross-entropy there are of *select* and *score* "
    "users together, changed rankings of the test targets of both; what latents mean is quoted of *score* users alone. "
    "A line joins dictionaries that differ in sparsity alone; numbers are layers, the ring is the study's default. "
    "Pale points are out of date. Click a point or a row."
)
SWEEP = (
    "A sweep trains a dictionary for every combination of layer and sparsity, and of variant and size when asked, and "
    "screens all of them alike. It goes on where it stopped, and what is there is not trained again; pages stay open "
    "meanwhile. The command's `--help` lists what can be varied."
)


def sentence(settings: SaeConfig, recommender: RecommenderConfig) -> str:
    """A dictionary in half a sentence: what it reads, its variant and its size."""
    ends = {0: "at the embeddings", recommender.layers[-1]: "after the final norm"}
    where = ends.get(settings.layer, f"after block {settings.layer}")
    what = f"{'an' if settings.imported else 'a'} {called(settings.variant, settings.imported)} sparse autoencoder"
    return f"read {where} by {what} with {settings.latents:,} latents"


def how_read(study: Study, dictionary: str | None) -> str:
    """`sentence` after a comma; nothing for a dictionary of an earlier version, whose settings were not kept."""
    try:
        return f", {sentence(study.sae_config(dictionary), study.config.recommender)}"
    except UserError:
        return ""


def rows(study: Study) -> pd.DataFrame:
    """One row a dictionary, by layer, variant, size and L0; what is not known of one is missing there."""
    table = pd.DataFrame([_row(study, name) for name in study.dictionaries])
    table = table.astype(dict.fromkeys(WHOLE, "Int64") | dict.fromkeys(REAL, float))
    return table.sort_values(["layer", "variant", "latents", "l0"], ignore_index=True)


def _row(study: Study, name: str) -> dict[str, Any]:
    try:
        settings = asdict(study.sae_config(name))
    except UserError:
        settings = {}
    found = study.screen(name) if study.has("screen", name) else {}
    latents, neurons = found.get("latents", {}), found.get("neurons", {})
    variant, imported = settings.get("variant"), settings.get("imported")
    penalised = variant == "relu" and not imported
    return {
        "name": name,
        "variant": variant,
        "variant_name": called(variant, imported),
        "imported": imported or "",
        "layer": settings.get("layer"),
        "latents": settings.get("latents"),
        "k": settings.get("k") or None,
        "l1": settings["l1"] if penalised else None,
        **{key: found.get(key) for key in ("l0", "dead_fraction", *FIGURES, *(f"{f}_ci95" for f in FIGURES))},
        **{column: latents.get(column) for column in COLOURS.values()},
        **{f"neurons_{column}": neurons.get(column) for column in COLOURS.values()},
        "seconds": study.manifest["stages"][f"dictionaries/{name}/sae"].get("seconds"),
        "opens": using.opens(study, name),
        "out_of_date": bool(out_of_date(study, name)),
    }


def charts(table: pd.DataFrame, default: str) -> None:
    """Both figures against L0, in the colours of one of the two measures of interpretability."""
    label = st.segmented_control("Colour: best latents on", list(COLOURS), default="New items", required=True)
    colour = COLOURS[label]
    for place, (figure, name) in zip(widgets.pair([1, 1], "pareto", gap="medium"), FIGURES.items(), strict=True):
        key = f"pareto-{figure}"
        with place:
            st.plotly_chart(
                pareto.pareto(table, figure, name, colour, f"r, {label.lower()}", default),
                key=key, config=widgets.CHART, selection_mode="points",
                on_select=navigation.while_shown(partial(_choose_point, key)),
            )  # fmt: skip
    widgets.read(FOR_CHOOSING, "dictionary")


def _choose_point(key: str) -> None:
    points = st.session_state[key].selection.points
    if points and points[0].get("customdata"):
        st.session_state["chosen"] = points[0]["customdata"]


def opening(opened: Opened, table: pd.DataFrame) -> None:
    """The dictionary that was clicked or chosen: the way into it, or how to build what it lacks."""
    names = table["name"].tolist()
    if st.session_state.get("chosen") not in names:
        st.session_state["chosen"] = opened.dictionary
    name = st.selectbox("Dictionary", names, key="chosen")
    folder, view = opened.study.path, opened.view.home().but(dictionary=name)
    if name != opened.dictionary:
        versions.note(opened.study, name, choosing=True)
    if using.is_swept_only(opened.study, name):
        using.panel(folder, name)
        return
    with st.container(horizontal=True, gap="small"):
        navigation.link("overview", view, "Open it on the Overview", icon=":material/space_dashboard:")
        if len(table) > 1:
            pair = view.but(against=opened.dictionary if name != opened.dictionary else None)
            navigation.link("against", pair, "Compare it with another", icon=":material/compare:")
    if name != opened.study.default_dictionary:
        st.caption(f"It is not the study's default; this makes it: {literal.code(use_command(folder, name))}")


def everything(table: pd.DataFrame, default: str) -> None:
    """All dictionaries as a table; a click on a row chooses one."""
    shown = table.assign(
        default=table["name"] == default,
        interval=[interval(bounds, 1, True, percent) for bounds in table["ndcg_change_ci95"]],
    )
    st.dataframe(
        widgets.in_percent(shown, "dead_fraction", "ndcg_change"), column_order=[*_columns()],
        column_config=_columns(), hide_index=True, key="dictionaries",
        placeholder="–", on_select=navigation.while_shown(partial(_choose_row, table)), selection_mode="single-cell",
    )  # fmt: skip
    taking.table(shown, "dictionaries")


def _choose_row(table: pd.DataFrame) -> None:
    row = widgets.clicked_cell(st.session_state["dictionaries"], table)
    if row is not None:
        st.session_state["chosen"] = row["name"]


def _columns() -> dict[str, Any]:
    def number(label: str, form: str, text: str | None = None) -> Any:
        return st.column_config.NumberColumn(label, format=form, help=text)

    neurons = "The same figure of the neurons of that layer, once for each sign."
    return {
        "name": "Dictionary",
        "default": st.column_config.CheckboxColumn("Default"),
        "opens": st.column_config.CheckboxColumn("Evidence", help="Whether every page can show it."),
        "out_of_date": st.column_config.CheckboxColumn(
            "Out of date", help="An earlier version, or other settings of this study, made it or a stage of it."
        ),
        "variant_name": "Variant",
        "layer": number("Layer", "%d", "0: embeddings, then the output of each block, then the final norm."),
        "latents": number("Latents", "localized"),
        "k": number("k", "%d"),
        "l1": number("L1", "%g"),
        "l0": number("L0", "%.1f"),
        "explained_variance": number("Explained variance", "%.3f"),
        "dead_fraction": number("Dead", widgets.PERCENT),
        "ndcg_change": number("NDCG@10 change", "%+.1f %%", "Validation targets of select users."),
        "interval": "Interval",
        "same_items": number("Same items", "%.3f", "Mean best correlation of latents with genres."),
        "new_items": number("New items", "%.3f", "The same, chosen on half of the items and scored on the other."),
        "neurons_same_items": number("Neurons, same", "%.3f", neurons),
        "neurons_new_items": number("Neurons, new", "%.3f", neurons),
        "seconds": number("Seconds", "%.0f", "To train and to measure it; of an imported one, to measure."),
    }


def sweeping(opened: Opened) -> None:
    """How to sweep, and how far a sweep is; redraws the page when a dictionary or a stage of one lands."""
    widgets.section("Sweep")
    folder, drawn = opened.study.path, set(opened.study.manifest["stages"])
    with st.container(border=True):
        st.markdown(SWEEP)
        landed = lambda: set(Study.open(folder).manifest["stages"]) != drawn  # noqa: E731
        detached.runner(folder, "Sweep layers and sparsity", sweep_command(folder), "sweep", landed)
