"""What an edit costs, measured on held-out users: found among the curves of the build, or measured on request."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from seqsae_core.dashboard import waiting
from seqsae_core.dashboard.loading import Opened
from seqsae_core.dashboard.steer.counted import Counted
from seqsae_core.dashboard.steer.tradeoff_figure import by_segment, tradeoff
from seqsae_core.dashboard.widgets import chart, fixed, percent, plain
from seqsae_core.steering.edits import Edit, linear
from seqsae_core.steering.notation import format_edits, parse
from seqsae_core.study import Study

FIGURES = ("lift", "ndcg_change")
ABOUT_NDCG = (
    "Ranking quality lost or won: NDCG@10 of held-out users' next items under these edits, relative to none. "
    "Below it the 95 % interval, a bootstrap over users."
)
ABOUT_SHARE = (
    "Mean share of the concept in the top 10 of held-out users, relative to no edit; below it the 95 % interval."
)


@dataclass(frozen=True)
class Price:
    """Lift of the concept's share and change of NDCG@10, each with its interval, and where they were read."""

    lift: float
    lift_ci95: tuple[float, float]
    ndcg_change: float
    ndcg_change_ci95: tuple[float, float]
    source: str


def curves_of(opened: Opened, concept: str | None) -> pd.DataFrame | None:
    """Validation curves of a concept, or None where there are none: a slider is not set on test items."""
    if concept is None or not opened.has("steering"):
        return None
    table = opened.tradeoff()
    rows = table[(table["concept"] == concept) & (table["split"] == "validation")] if len(table) else table
    return rows if len(rows) else None


def cost(opened: Opened, edits: Sequence[Edit], about: Counted | None, position: str | None = None) -> Price | None:
    """The card of the price; returns it when it is known."""
    moved = tuple(edit for edit in edits if edit.strength)
    if not moved:
        _figure("NDCG@10", "±0 %", "nothing is turned", ABOUT_NDCG)
        return None
    if about is None:
        st.caption("These latents have no concept, so there is no share to hold the cost against.")
        return None
    known = None if position else from_curves(curves_of(opened, about.concept), moved)
    key = _key(opened, moved, about, position)
    price = _asked(key) or known
    if price is None:
        _figure("NDCG@10", "not yet measured", "at these strengths", ABOUT_NDCG)
        _ask(key, "Measure now")
        return None
    _tiles(price, about.name)
    if price.source.startswith("read"):
        _ask(key, "Measure exactly these strengths")
    return price


def from_curves(curves: pd.DataFrame | None, edits: Sequence[Edit]) -> Price | None:
    """The measured strength nearest to a single edit of the latent that a curve was made of."""
    if curves is None or len(edits) != 1 or edits[0].strength <= 0 or not linear(edits):
        return None
    rows = curves[(curves["method"] == "latent") & (curves["strength"] > 0)]
    rows = rows[[list(latents) == [edits[0].latent] for latents in rows["latents"]]]
    if rows.empty or edits[0].strength > rows["strength"].max():
        return None
    row = rows.loc[(np.log(rows["strength"] / edits[0].strength)).abs().idxmin()]
    bounds = {f"{key}_ci95": (float(row[f"{key}_low"]), float(row[f"{key}_high"])) for key in FIGURES}
    nearest = f"read at {fixed(row['strength'], 1, True)} sd, the nearest strength of the build"
    where = f"{nearest}; {row['users']:,} held-out users' validation items"
    return Price(float(row["lift"]), ndcg_change=float(row["ndcg_change"]), **bounds, source=where)


def at_lift(curves: pd.DataFrame | None, method: str, lift: float) -> float | None:
    """NDCG change of a method at a lift, linear between the strengths measured on either side; None outside them."""
    if curves is None:
        return None
    rows = curves[curves["method"] == method].sort_values("strength")
    beyond = np.flatnonzero(rows["lift"].to_numpy() >= lift)
    if lift < 1 or not len(beyond):
        return None
    first = int(beyond[0])
    near = rows.iloc[max(0, first - 1) : first + 1]
    return float(np.interp(lift, near["lift"], near["ndcg_change"]))


def curve_chart(opened: Opened, about: Counted | None, price: Price | None) -> None:
    """All methods of this concept on one plane, the edits of the page marked; or why there is none."""
    if not opened.has("steering"):
        waiting.note(
            opened.study.path, "steering", opened.dictionary, "Trade-off curves come with the last stage of the build."
        )
        return
    curves = curves_of(opened, about.concept if about else None)
    if about is None or curves is None:
        name = plain(about.name if about else "these latents")
        st.caption(f"No trade-off curves for {name}: the build measures a few genres. “Curve” below measures any.")
        return
    here = None if price is None else vars(price)
    users = int(curves["users"].iloc[0])
    whom = f"{users:,} held-out users, validation items"
    text = f"{plain(about.name)}: right is more of it, down is worse ranking. {whom}.{_design(curves)}"
    chart(tradeoff(curves, here), text, "tradeoff", "steering")
    _segments(opened, about.name)


def _design(curves: pd.DataFrame) -> str:
    """Which design `latents` is for this concept."""
    designs = curves.loc[curves["method"] == "latents", "design"]
    return f" Latents together: {designs.iloc[0].removeprefix('latents_').replace('_', ' ')}." if len(designs) else ""


def _segments(opened: Opened, concept: str) -> None:
    """The same curve for users who never, sometimes and often watch the concept."""
    table = opened.segments()
    rows = table[(table["concept"] == concept) & (table["split"] == "validation")]
    if rows.empty:
        return
    text = (
        f"The latents' curve by how often users watch {plain(concept)}: never; sometimes; often, from "
        f"{percent(rows['cut'].iloc[0], 0)} of the history on, the median of training users who do."
    )
    chart(by_segment(rows), text, "segments", "steering")


def _tiles(price: Price, name: str) -> None:
    change, lift = st.columns(2, gap="small")
    between = " to ".join(percent(bound, signed=True) for bound in price.ndcg_change_ci95)
    with change:
        _figure("NDCG@10", percent(price.ndcg_change, signed=True), between, ABOUT_NDCG)
    with lift:
        between = " to ".join(f"×{fixed(bound, 2)}" for bound in price.lift_ci95)
        _figure(f"Share of {plain(name)}", f"×{fixed(price.lift, 2)}", between, ABOUT_SHARE)
    st.caption(f"{price.source[0].upper()}{price.source[1:]}; 95 % intervals.")


def _figure(label: str, value: str, note: str, about: str) -> None:
    st.metric(label, value, note, delta_color="off", delta_arrow="off", help=about, border=True)


def _ask(key: tuple[Any, ...], label: str) -> None:
    about = "On held-out users; a few seconds."
    st.button(label, icon=":material/straighten:", key="measure", help=about, on_click=_note, args=(key,))


def _note(key: tuple[Any, ...]) -> None:
    st.session_state["measured"] = {*st.session_state.get("measured", ()), key}


def _asked(key: tuple[Any, ...]) -> Price | None:
    """The price of edits whose measurement was asked for in this session; cached for all sessions."""
    if key not in st.session_state.get("measured", ()):
        return None
    with st.spinner("Measuring on held-out users"):
        found = _measured(*key)
    bounds = {f"{name}_ci95": tuple(found[f"{name}_ci95"]) for name in FIGURES}
    where = f"measured at exactly these strengths; {found['users']:,} held-out users' validation items"
    return Price(found["lift"], ndcg_change=found["ndcg_change"], **bounds, source=where)


def _key(opened: Opened, edits: tuple[Edit, ...], about: Counted, position: str | None) -> tuple[Any, ...]:
    return (
        str(opened.study.path),
        opened.dictionary,
        opened.stamp("data", "recommender", "sae", "evidence"),
        format_edits(edits),
        about.labels.tobytes(),
        position,
    )


@st.cache_data(max_entries=500, show_spinner=False)
def _measured(
    path: str, dictionary: str | None, stamp: str, edits: str, labels: bytes, position: str | None
) -> dict[str, Any]:
    from seqsae_core.steering.steerer import Steerer
    from seqsae_core.steering.tradeoff import measure_edits

    study = Study.open(path)
    sequences, values = study.sequences(), np.frombuffer(labels, np.float32)
    steerer = Steerer.from_study(study, dictionary, position)
    return measure_edits(steerer, parse(edits), values, sequences, study.split(sequences))
