"""The popularity dial: less or more mainstream for this history, and on demand what that does for all users."""

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from seqsae_core.dashboard import navigation, widgets
from seqsae_core.dashboard.loading import Opened
from seqsae_core.dashboard.steer.applying import apply, stamp, steerer_of
from seqsae_core.dashboard.steer.scene import Scene
from seqsae_core.dashboard.steer.turning import Turned
from seqsae_core.dashboard.widgets import percent
from seqsae_core.figures.style import LATENTS, PROMOTED
from seqsae_core.steering.edits import Edit

if TYPE_CHECKING:
    from seqsae_core.steering.evaluation import Contexts

USERS, STEPS = 400, (-8.0, -4.0, -2.0, -1.0, 1.0, 2.0, 4.0, 8.0)
LAMBDAS = (-1.0, -0.5, -0.25, -0.1, 0.1, 0.25, 0.5, 1.0)
NAMES = {"latents": "these latents", "log_popularity": "λ·log-popularity"}
COLOURS = {"latents": LATENTS, "log_popularity": PROMOTED}
FIGURES = {"ndcg@10": "NDCG@10", "coverage@10": "coverage", "gini@10": "Gini"}
DIRECTIONS = {"coverage@10": "Right is more of the catalogue.", "gini@10": "Left is more even."}
HOW_TO_READ = f"{USERS} held-out users, validation items; each point is one strength, the star is no edit."


def panel(opened: Opened, found: Scene, turned: Turned) -> None:
    """The dial for this user; coverage and Gini beside a term of log-popularity when asked."""
    edit = popularity(opened, stamp(opened))
    others = tuple(e for e in turned.edits if e.latent != edit.latent)
    now = next((e.strength for e in turned.edits if e.latent == edit.latent), 0.0)
    options = sorted({-4.0, -2.0, -1.0, 0.0, 1.0, 2.0, 4.0, round(now, 2)})
    key = f"popularity-{now}"
    st.select_slider(
        "Less ↔ more mainstream, for this history", options, round(now, 2), key=key, width=420,
        format_func=lambda s: "as it is" if s == 0 else f"{s:+g} sd".replace("-", "−"),
        on_change=navigation.while_shown(_set), args=(found, others, edit, key),
    )  # fmt: skip
    st.caption(f"Turns {len(edit.parts)} latents that most change how popular lists are, as one slider above.")
    if now:
        _for_one(opened, found, replace(edit, strength=now))
    asked = "popularity-measured"
    if st.button("Measure for all users", icon=":material/straighten:", key="measure-popularity"):
        st.session_state[asked] = stamp(opened)
    if st.session_state.get(asked) == stamp(opened):
        _comparison(measured(opened, stamp(opened)))


def _set(found: Scene, others: tuple[Edit, ...], edit: Edit, key: str) -> None:
    strength = float(st.session_state[key])
    apply(found, (*others, replace(edit, strength=strength)) if strength or not others else others)


def _for_one(opened: Opened, found: Scene, edit: Edit) -> None:
    """This history's list by the dial alone, beside the one that a term of log-popularity makes as popular."""
    table = for_one(opened, stamp(opened), found.history, edit, found.position)
    same = len(set(table["items"].iloc[1]) & set(table["items"].iloc[2]))
    weight = f"{table['weight'].iloc[2]:+.2f}".replace("-", "−")
    shown = pd.DataFrame({
        "List": ["as it is", "by this dial", f"{weight} · log-popularity on the scores"],
        "Training events of its items": table["popularity"].round(0), "Replaced": table["replaced"],
        "Probability kept": [percent(kept, 0) for kept in table["probability_kept"]],
    })  # fmt: skip
    st.dataframe(shown, hide_index=True, key="popularity-one", width="content")
    st.caption(f"Geometric means. The λ is the one whose list is about as popular; {same} items are in both.")


def _comparison(table: pd.DataFrame) -> None:
    """NDCG@10 against coverage and Gini, both dials on each plane, and the figures themselves."""
    for column, figure in zip(st.columns(2, gap="large"), list(FIGURES)[1:], strict=True):
        with column:
            plot = go.Figure()
            for method, rows in table.groupby("method", sort=False):
                rows = rows.sort_values("strength")
                symbols = ["star" if strength == 0 else "circle" for strength in rows["strength"]]
                plot.add_scatter(
                    x=rows[figure], y=rows["ndcg@10"], name=NAMES[method], mode="lines+markers",
                    marker={"symbol": symbols, "size": 8, "color": COLOURS[method]}, customdata=rows["strength"],
                    hovertemplate="%{customdata:+g}: %{x:.3f}, %{y:.4f}<extra></extra>",
                )  # fmt: skip
            plot.update_layout(
                height=280, margin_t=8, legend_orientation="h", legend_y=1.2
            )
            plot.update_xaxes(title=FIGURES[figure])
            plot.update_yaxes(title="NDCG@10")
            widgets.chart(plot, DIRECTIONS[figure], figure, "steering")
    widgets.read(HOW_TO_READ, "steering")
    change = zip(*(table[f"ndcg_change{end}"].map(signed) for end in ("", "_low", "_high")), strict=True)
    columns = {"coverage@10": "Coverage", "gini@10": "Gini", "hr@10": "HR@10", "replaced@10": "Replaced"}
    shown = pd.DataFrame({
        "Dial": table["method"].map(NAMES), "Strength or λ": table["strength"],
        "NDCG@10": [f"{value} ({low} to {high})" for value, low, high in change],
        **{name: table[column].round(3) for column, name in columns.items()},
    })  # fmt: skip
    with st.expander("The same as a table"):
        st.dataframe(shown, hide_index=True, key="popularity-table")


def signed(share: float) -> str:
    """A change in per cent with its sign."""
    return percent(share, signed=True)


@st.cache_data(max_entries=100, show_spinner=False)
def for_one(_opened: Opened, stamp: str, history: tuple[int, ...], edit: Edit, position: str | None) -> pd.DataFrame:
    """See `steering.popularity.for_one`."""
    from seqsae_core.steering import popularity as dial

    return dial.for_one(steerer_of(_opened, position), history, (edit,), dial.log_popularity(_counts(_opened)))


@st.cache_data(max_entries=16, show_spinner="Finding the latents of popularity")
def popularity(_opened: Opened, stamp: str) -> Edit:
    """The concept of latents that make lists more mainstream, at strength 1."""
    from seqsae_core.steering.popularity import log_popularity, popularity_edit

    steerer = _opened.steerer()
    edit = popularity_edit(steerer, _contexts(_opened), log_popularity(_counts(_opened)))
    weights = ((latent, round(weight, 3)) for latent, weight in edit.parts)
    return replace(edit, latent=tuple(pair for pair in weights if pair[1]))


@st.cache_data(max_entries=16, show_spinner="Measuring on held-out users")
def measured(_opened: Opened, stamp: str) -> pd.DataFrame:
    """Figures of both dials at every strength; see `steering.popularity.Dial`."""
    from seqsae_core.steering.popularity import measure_dial

    edit = popularity(_opened, stamp)
    return measure_dial(_opened.steerer(), _contexts(_opened), edit, _counts(_opened), STEPS, LAMBDAS).table


def _counts(opened: Opened) -> np.ndarray:
    return opened.catalogue()["count"].to_numpy()


def _contexts(opened: Opened) -> "Contexts":
    from seqsae_core.steering.popularity import contexts_of

    return contexts_of(opened.study, opened.steerer(), USERS)
