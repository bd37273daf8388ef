"""Two dictionaries of one study side by side, page by page: what the other pages say of each."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import streamlit as st

from seqsae_core.dashboard import navigation, permalink, taking, widgets
from seqsae_core.dashboard.contest import rivals
from seqsae_core.dashboard.dictionaries import dictionaries, fidelity, using
from seqsae_core.dashboard.loading import Opened
from seqsae_core.dashboard.widgets import fixed, interval, percent, plain
from seqsae_core.errors import UserError
from seqsae_core.figures.contest import NEW, SAME, comparison
from seqsae_core.sae.stability import nearest
from seqsae_core.study import Study

LEAD = "Two dictionaries of one recommender under the same measurements: other layers, variants, sizes or seeds."
SHOWN = 25
ABOUT_PARTNERS = (
    "For each significant latent of the first the latent of the second whose decoder direction is nearest (not "
    "one-to-one); ✓ where each is the other's nearest."
)
OTHER_LAYERS = (
    "They read different layers, so that their directions are of different spaces and say nothing about each other; "
    "compare the best latent of each concept instead."
)
Pair = tuple[Opened, Opened]
STEERED = {
    "Lift at a 1 % loss of NDCG@10": "share_lift_at_1pct",
    "Lift at a 5 % loss of NDCG@10": "share_lift_at_5pct",
    "Frontier area": "frontier_area",
}


def chosen(opened: Opened) -> Pair | None:
    """The two of the link; else the open one and the next that has evidence. None, with a word, where there is no
    other. Raises UserError on one that is not there."""
    study = opened.study
    offered = [name for name in study.dictionaries if using.opens(study, name)]
    other = opened.view.against
    if other and other not in study.dictionaries:
        raise UserError(f"The study has no dictionary `{plain(other)}`. It has: {', '.join(study.dictionaries)}.")
    if len(offered) < 2:
        st.info("Only one dictionary has evidence. Sweep, then use another one; both stay.", icon=":material/info:")
        navigation.link("dictionaries", opened.view.home(), "To the dictionaries", icon=":material/stacked_line_chart:")
        return None
    first = opened.dictionary if opened.dictionary in offered else offered[0]
    second = other if other in offered else next(name for name in offered if name != first)
    first, second = _pickers(offered, first, second)
    permalink.write(opened.view.but(dictionary=first, against=second))
    return tuple(Opened(opened.view.but(dictionary=name), study, name) for name in (first, second))


def _pickers(offered: list[str], first: str, second: str) -> tuple[str, str]:
    left, right = widgets.pair([1, 1], "dictionaries", gap="large")
    return (
        left.selectbox("The first", offered, offered.index(first), key=f"first-{first}"),
        right.selectbox("The second", offered, offered.index(second), key=f"second-{second}"),
    )


def _table(pair: Pair, figures: Callable[[Opened], dict[str, str]], key: str) -> None:
    """One row a figure, one column a dictionary."""
    columns = [figures(one) for one in pair]
    names = list(dict.fromkeys(name for column in columns for name in column))
    table = pd.DataFrame({"": names})
    for side, one, column in zip(("First", "Second"), pair, columns, strict=True):
        table[f"{side}: {one.dictionary}"] = [column.get(name, widgets.NOT_MEASURED) for name in names]
    st.dataframe(table, hide_index=True, key=key, height="content")
    taking.table(table, key)


def overview(pair: Pair) -> None:
    """Settings, fidelity and cost."""
    _table(pair, _overview, "against-overview")


def _overview(one: Opened) -> dict[str, str]:
    study = one.study
    figures = fidelity.figures_and_notes(one.sae_metrics())
    told = {label: f"{value} ({note})" for label, (value, note) in figures.items()}
    what = dictionaries.how_read(study, one.dictionary).removeprefix(", read ")
    return {"Read": what or widgets.NOT_MEASURED, **told, **costs(study, one.dictionary)}


def costs(study: Study, dictionary: str) -> dict[str, str]:
    """Seconds of each of its stages, and of all of them."""
    of = f"dictionaries/{dictionary}/"
    stages = {key.removeprefix(of): entry for key, entry in study.manifest["stages"].items() if key.startswith(of)}
    seconds = {stage: entry.get("seconds") or 0.0 for stage, entry in stages.items()}
    told = {f"Seconds, {stage}": fixed(value, 1) for stage, value in seconds.items()}
    return told | {"Seconds, all stages": fixed(sum(seconds.values()), 1)}


def latents(pair: Pair) -> None:
    """How many latents mean something, and which are alike in both."""
    _table(pair, _latents, "against-latents")
    widgets.section("Latents with a partner", ABOUT_PARTNERS)
    if pair[0].sae_metrics()["layer"] != pair[1].sae_metrics()["layer"]:
        st.caption(OTHER_LAYERS)
        return
    table = partners(pair)
    st.dataframe(
        table.head(SHOWN), hide_index=True, key="partners", placeholder="–",
        column_config={"cosine": st.column_config.NumberColumn("Cosine", format="%.3f"), "mutual": "✓"},
    )  # fmt: skip
    taking.table(table, "partners")


def _latents(one: Opened) -> dict[str, str]:
    rows, found = one.features("latents"), one.summary()["latents"]
    live = rows[rows["alive"]]
    return {
        "Latents": f"{len(rows):,}",
        "Dead": f"{len(rows) - len(live):,}",
        "With a significant concept": f"{int(live['significant'].sum()):,} ({percent(live['significant'].mean())})",
        "Median density": percent(live["density"].median(), 2),
        "Mean monosemanticity": fixed(found.get("monosemanticity")),
        "Named by concepts": percent(found.get("named_by_concepts")),
        "Median name confidence": fixed(found.get("median_name_score"), 2),
    }


def partners(pair: Pair) -> pd.DataFrame:
    """Significant latents of the first with the nearest of the second, the most alike first."""
    one, other = (side.decoder() for side in pair)
    (there, cosine), (back, _) = nearest(one, other), nearest(other, one)
    names = [side.features("latents")["name"] for side in pair]
    mine = np.flatnonzero(pair[0].features("latents").sort_index()["significant"].to_numpy())
    table = pd.DataFrame(
        {
            "first": [f"{n} · {names[0].get(n, '')}" for n in mine],
            "second": [f"{there[n]} · {names[1].get(int(there[n]), '')}" for n in mine],
            "cosine": cosine[mine],
            "mutual": np.where(back[there[mine]] == mine, "✓", ""),
        }
    )
    return table.sort_values("cosine", ascending=False, kind="stable", ignore_index=True)


def contest(pair: Pair) -> None:
    """Latents against neurons in both, and the best latent of each concept."""
    _table(pair, _contest, "against-contest")
    for place, side in zip(widgets.pair([1, 1], "against-kinds", gap="large"), pair, strict=True):
        with place:
            st.markdown(f"**{plain(side.dictionary)}**")
            widgets.chart(comparison(side.summary()), rivals.HOW_TO_READ, f"kinds-{side.dictionary}", "evidence")
    widgets.section("Concept by concept", "The best latent of each concept: r on the same items and on new items.")
    best = [side.best().query("kind == 'latents'").set_index("concept")[["r_score", "r_new_items"]] for side in pair]
    both = best[0].join(best[1], how="outer", suffixes=("_first", "_second"))
    both["difference"] = both["r_score_first"] - both["r_score_second"]
    both["difference_new"] = both["r_new_items_first"] - both["r_new_items_second"]
    columns = {"r_score_first": "r, first", "r_score_second": "r, second", "difference": "Difference",
               "r_new_items_first": "New items, first", "r_new_items_second": "New items, second",
               "difference_new": "Difference, new items"}  # fmt: skip
    shown = both.sort_values("difference", ascending=False)[list(columns)].reset_index()
    form = {name: st.column_config.NumberColumn(label, format="%.3f") for name, label in columns.items()}
    columns = {"concept": "Concept", **form}
    st.dataframe(shown, hide_index=True, column_config=columns, key="by-concept", placeholder="–")
    taking.table(shown, "best-latents")


def _contest(one: Opened) -> dict[str, str]:
    found, told = one.summary(), {}
    for words, key, ci in (("same items", SAME, "ci95"), ("new items", NEW, "ci95_new_items")):
        for kind in ("latents", "neurons"):
            rows = found[kind]
            told[f"{kind.capitalize()}, {words}"] = f"{fixed(rows.get(key))} ({interval(rows.get(ci))})"
    return told


def steer(pair: Pair) -> None:
    """What steering by latents reaches in both."""
    _table(pair, _steer, "against-steer")


def _steer(one: Opened) -> dict[str, str]:
    found = one.steering_summary().get("latents", {})
    told = {
        label: f"{fixed(found.get(name), 2)} ({interval(found.get(f'{name}_ci95'), 2)})"
        for label, name in STEERED.items()
    }
    return told | {"Median effect of a latent": f"{fixed(one.effects()['effect'].median(), 2)} of 10 items at +2 units"}


PAGES = {"Overview": overview, "Latents": latents, "Latents vs neurons": contest, "Steer": steer}
WAYS = {"Overview": "overview", "Latents": "latents", "Latents vs neurons": "latents_vs_neurons", "Steer": "steer"}


def side_by_side(pair: Pair) -> None:
    """The choice of a page, and what it says of both; with the way to that page for each."""
    name = st.segmented_control("Page", list(PAGES), default="Overview", required=True, key="against-page")
    PAGES[name](pair)
    with st.container(horizontal=True, gap="small"):
        for side, one in zip(("first", "second"), pair, strict=True):
            navigation.link(WAYS[name], one.view.home(), f"{name} of the {side}", icon=":material/open_in_new:")
