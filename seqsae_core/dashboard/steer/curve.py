"""The trade-off curve of what is turned now, for any concept or list of titles, beside every rival, when asked for.

Lines are validation targets; strengths are chosen on them, and the table reads test targets at those strengths alone.
"""

from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from seqsae_core.dashboard.loading import Opened
from seqsae_core.dashboard.steer import counted, dials
from seqsae_core.dashboard.steer.applying import stamp, steerer_of
from seqsae_core.dashboard.steer.counted import Counted
from seqsae_core.dashboard.steer.scene import Scene, limit
from seqsae_core.dashboard.steer.tradeoff_figure import METHODS, by_segment, tradeoff
from seqsae_core.dashboard.steer.turning import Turned
from seqsae_core.dashboard.widgets import chart, fixed, latent_label, percent, plain
from seqsae_core.steering.edits import WHOLE, Edit
from seqsae_core.steering.notation import format_edits, parse

if TYPE_CHECKING:
    from seqsae_core.steering.asked import Asked
    from seqsae_core.steering.curves import HeldOut
    from seqsae_core.steering.tradeoff import Bench

RULES = {"1pct": "largest share within 1 % of NDCG", "5pct": "within 5 % of NDCG", "suppressed": "share ≤ ×0.1"}
FIGURES = {
    "ndcg_change": "NDCG@10", "hr": "HR@10", "coverage": "Coverage", "diversity": "Diversity", "novelty": "Novelty",
}  # fmt: skip
ABOUT = (
    "Lines: validation items of held-out users, strengths from weak to strong, the other sliders held. In the table "
    "each strength is chosen on validation items and read on test items; intervals are 95 %, over users."
)


def panel(opened: Opened, found: Scene, turned: Turned) -> None:
    """What to count, which slider, against what; the curve when it was asked for, rivals, segments, the table."""
    about = _about(opened, found, turned)
    if about is None:
        st.info("This study has no concepts, and the link lists no titles: nothing to count.")
        return
    which = _which(opened, turned.edits)
    key = (stamp(opened), format_edits(turned.edits), which, about.name, found.position)
    st.button(
        "Measure this curve", icon=":material/show_chart:", key="measure-curve", type="primary", on_click=_ask,
        args=(key,),
    )  # fmt: skip
    rivals = (stamp(opened), "rivals", about.name, turned.edits[which].strength < 0)
    known = _known_rivals(opened, about, rivals)
    if known is None:
        st.button("Measure the rivals too, about a minute", key="measure-rivals", on_click=_ask, args=(rivals,))
    own = _asked_for(opened, turned.edits, which, about, found.position) if key in _requests() else None
    if own is not None or known is not None:
        _shown(about, own, known)


def _about(opened: Opened, found: Scene, turned: Turned) -> Counted | None:
    """The concept chosen, at first what the edits are about."""
    listed, names = counted.titles(opened, found.view), list(opened.concepts().names)
    offered = ([listed.name] if listed else []) + names
    if not offered:
        return None
    start = counted.counted(opened, found.view, turned.edits)
    place = offered.index(start.name) if start else 0
    name = st.selectbox("Share of", offered, place, key=f"curve-of-{offered[place]}", width=320)
    return listed if listed and name == listed.name else counted.of_study(opened, name)


def _which(opened: Opened, edits: tuple[Edit, ...]) -> int:
    latents, places = opened.features("latents"), list(range(len(edits)))
    names = [" + ".join(latent_label(latents.loc[n]) for n in edit.latents[:2]) for edit in edits]
    if len(places) < 2:
        return 0
    return st.selectbox("Slider", places, format_func=names.__getitem__, key="curve-slider", width=420) or 0


def _requests() -> set:
    return st.session_state.setdefault("curves-asked", set())


def _ask(key: tuple) -> None:
    st.session_state["curves-asked"] = {*_requests(), key}


def _asked_for(
    opened: Opened, edits: tuple[Edit, ...], which: int, about: Counted, position: str | None
) -> "Asked":
    dial = dials.dial(edits[which], opened.features("latents"), limit(opened))
    far = -dial.low if edits[which].strength < 0 else dial.high
    return _curve(
        opened, stamp(opened), format_edits(edits), which, far, about.name, about.labels.tobytes(), about, position
    )


def _known_rivals(opened: Opened, about: Counted, key: tuple) -> "dict[str, tuple[pd.DataFrame, dict]] | None":
    """Rows and area of every method: from the build where it measured the concept, or else as asked for."""
    lowering = key[-1]
    if opened.has("steering") and about.concept is not None:
        table = opened.lowered() if lowering else opened.tradeoff()
        table = table[table["concept"] == about.concept]
        if len(table):
            summary = {} if lowering else opened.steering_summary()
            areas = {m: summary.get(m, {}).get("by_concept", {}).get(about.concept, {}) for m in table["method"]}
            return {str(m): (rows, areas[m]) for m, rows in table.groupby("method", sort=False)}
    if key not in _requests():
        return None
    found = _rivals(opened, stamp(opened), about.name, about.labels.tobytes(), about, lowering)
    return {method: (one.table, one.area) for method, one in found.items()}


def _shown(about: Counted, own: "Asked | None", known: "dict[str, tuple[pd.DataFrame, dict]] | None") -> None:
    """The plane, the table, the segments."""
    every = ({} if own is None else {"edits": (own.table, own.area)}) | (known or {})
    options = list(FIGURES)
    against = st.segmented_control(
        "Against", options, default=options[0], format_func=FIGURES.get, key="curve-against", required=True
    )
    rows = pd.concat([table for table, _ in every.values()])
    rows = rows[rows["split"] == "validation"]
    users = int(rows["users"].iloc[0])
    text = f"Share of {plain(about.name)}, {users:,} held-out users. {ABOUT}"
    chart(tradeoff(rows, None, against), text, "curve-plane", "steering")
    _table(every)
    if own is not None and len(own.segments):
        segments = own.segments[own.segments["split"] == "validation"]
        text = f"These sliders by how often users watch {plain(about.name)}."
        chart(by_segment(segments), text, "curve-segments", "steering")


def _table(every: "dict[str, tuple[pd.DataFrame, dict]]") -> None:
    """One row a method and rule, read on test targets."""
    from seqsae_core.steering.asked import at_budgets

    found = []
    for method, (table, area) in every.items():
        if method in METHODS:
            rows = at_budgets(table)
            found.append(rows.assign(area=_area(area)))
    table = pd.concat(found)
    shown = pd.DataFrame({
        "Method": [METHODS[m][0] for m in table["method"]], "Rule": table["rule"].map(RULES),
        "Strength": ["all the way" if s == WHOLE else fixed(s, 2) for s in table["strength"]],
        "Share ×": _between(table, "lift", fixed, 2), "NDCG@10": _between(table, "ndcg_change", percent, 1),
        "HR@10": table["hr"].round(3), "Coverage": table["coverage"].round(3),
        "Diversity": table["diversity"].round(3), "Novelty": table["novelty"].round(2), "Frontier area": table["area"],
    })  # fmt: skip
    st.dataframe(shown, hide_index=True, key="curve-table")


def _between(table: pd.DataFrame, name: str, write, digits: int) -> list[str]:
    """Values with their intervals as text."""
    signed = name == "ndcg_change"
    columns = (table[column] for column in (name, f"{name}_low", f"{name}_high"))
    texts = ([write(value, digits, signed) for value in column] for column in columns)
    return [f"{value} ({low} to {high})" for value, low, high in zip(*texts, strict=True)]


def _area(area: dict) -> str:
    if not area:
        return "–"
    low, high = area["frontier_area_ci95"]
    return f"{fixed(area['frontier_area'], 2)} ({fixed(low, 2)} to {fixed(high, 2)})"


@st.cache_resource(max_entries=2, show_spinner="Reading held-out users")
def _held_out(_opened: Opened, stamp: str) -> "HeldOut":
    from seqsae_core.steering.asked import held_out_of

    return held_out_of(_opened.study, _opened.steerer())


@st.cache_resource(max_entries=64, show_spinner="Measuring the curve")
def _curve(
    _opened: Opened, stamp: str, edits: str, which: int, far: float, name: str, labels: bytes, _about: Counted,
    position: str | None,
) -> "Asked":  # fmt: skip
    from seqsae_core.steering.asked import edit_curve, strengths_for

    parsed, held_out = parse(edits), _held_out(_opened, stamp)
    levels = strengths_for(parsed[which], far)
    steerer = steerer_of(_opened, position)
    return edit_curve(_opened.study, steerer, held_out, parsed, which, levels, name, _about.labels)


@st.cache_resource(max_entries=1, show_spinner="Reading the activations of all users")
def _bench(_opened: Opened, stamp: str) -> "Bench":
    from seqsae_core.steering.asked import bench_of

    return bench_of(_opened.study, _opened.steerer(), _opened.dictionary)


@st.cache_resource(max_entries=32, show_spinner="Measuring every rival")
def _rivals(
    _opened: Opened, stamp: str, name: str, labels: bytes, _about: Counted, lowering: bool
) -> "dict[str, Asked]":
    from seqsae_core.steering.asked import rival_curves

    return rival_curves(_bench(_opened, stamp), name, _about.labels, lowering)
