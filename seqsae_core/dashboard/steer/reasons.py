"""Why an item is recommended, by exact ablation, and which latents would bring one up."""

from typing import TYPE_CHECKING

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from seqsae_core.dashboard import widgets
from seqsae_core.dashboard.loading import Opened
from seqsae_core.dashboard.steer.applying import apply, stamp, steerer_of
from seqsae_core.dashboard.steer.histories import matches
from seqsae_core.dashboard.steer.scene import Scene, limit
from seqsae_core.dashboard.steer.turning import Turned
from seqsae_core.dashboard.widgets import fixed, latent_label, plain
from seqsae_core.figures.style import DEMOTED, PROMOTED
from seqsae_core.steering.edits import Edit
from seqsae_core.steering.notation import format_edits, parse

if TYPE_CHECKING:
    from seqsae_core.steering.reasons import Reasons

ITEM, BARS, LONGEST = "asked-item", 12, 44
HOW_TO_READ = (
    "Change of the item's score when one part alone is taken away: a latent's code set to 0, or the model reading the "
    "history without one item. To the left: it speaks for the item. Each bar is a pass of the model, not an estimate."
)


def why_panel(opened: Opened, found: Scene, turned: Turned) -> None:
    """Ranked bars for a row of the list: latents beside items of the history."""
    catalogue, offered = opened.catalogue(), turned.after.items[:10].tolist()
    item = st.session_state.get(ITEM)
    if item not in offered:
        item = offered[0]
    item = st.selectbox(
        "Item of the list (or choose a row above)", offered, offered.index(item), key=f"why-{item}-{offered}",
        format_func=lambda i: str(catalogue.at[i, "title"]), width=420,
    )  # fmt: skip
    st.session_state[ITEM] = item
    reasons = _why(opened, stamp(opened), found.history, int(item), format_edits(turned.edits), found.position)
    st.markdown(f"**{plain(catalogue.at[item, 'title'])}** is at rank {reasons.rank}, score {fixed(reasons.score, 2)}.")
    latents = opened.features("latents")
    names = [latent_label(latents.loc[n]) for n in reasons.latents["latent"]]
    titles = [f"{n} · {catalogue.at[i, 'title']}" for n, i in reasons.items[["position", "item"]].to_numpy()]
    left, right = widgets.pair([1, 1], "why", gap="large")
    with left:
        _bars("Without one latent", names, reasons.latents, "why-latents")
    with right:
        _bars("Without one item of the history", titles, reasons.items, "why-items")
    widgets.read(HOW_TO_READ, "steering")


def raise_panel(opened: Opened, found: Scene, turned: Turned) -> None:
    """A title search, then the latents that would bring that item up, each with a button that turns it."""
    catalogue = opened.catalogue()
    text = st.text_input("What would bring this item up?", key="raise-search", placeholder="Search titles", width=420)
    if not text.strip():
        return
    rows = matches(catalogue, text)
    rows = rows[~rows["item"].isin(found.history)]
    if rows.empty:
        st.caption(f"No title outside the history contains “{plain(text)}”.")
        return
    item = st.selectbox(
        "Which", rows["item"].tolist(), key=f"raise-{text}", width=420,
        format_func=lambda i: str(catalogue.at[i, "title"]),
    )  # fmt: skip
    table = _raising(opened, stamp(opened), found.history, int(item), format_edits(turned.edits), found.position)
    st.caption(f"Now at rank {int(table['rank'].iloc[0]):,}. Found by gradient; each rank below is a real pass.")
    latents = opened.features("latents")
    for latent, strength, rank in table[["latent", "strength", "new_rank"]].itertuples(index=False):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            turn = f"Turn {fixed(strength, 1, True)} sd"
            st.button(
                turn, key=f"turn-{item}-{latent}", icon=":material/tune:",
                on_click=_turn, args=(opened, found, turned.edits, int(latent), float(strength)),
            )  # fmt: skip
            st.markdown(f"to rank **{int(rank):,}** · {plain(latent_label(latents.loc[latent]))}")


def _turn(opened: Opened, found: Scene, edits: tuple[Edit, ...], latent: int, strength: float) -> None:
    """Adds to the latent's own slider where it has one."""
    most, there = limit(opened), [e for e in edits if e.latent == latent and e.kind == "add"]
    total = min(max(strength + sum(e.strength for e in there), -most), most)
    apply(found, (*(e for e in edits if e not in there), Edit(latent, total)))


def _bars(heading: str, labels: list[str], table: pd.DataFrame, key: str) -> None:
    if table.empty:
        st.caption(f"{heading}: there is nothing to take away.")
        return
    order = table["score_change"].abs().sort_values(ascending=False, kind="stable").index[:BARS]
    rows = table.loc[sorted(order)]
    names = [_short(labels[place]) for place in rows.index]
    colours = [PROMOTED if change < 0 else DEMOTED for change in rows["score_change"]]
    hover = [f"rank {rank} without it" for rank in rows["rank"]]
    figure = go.Figure(go.Bar(x=rows["score_change"], y=list(range(len(rows))), orientation="h", marker_color=colours,
                              customdata=hover, hovertemplate="%{x:+.3f}, %{customdata}<extra></extra>"))  # fmt: skip
    figure.update_yaxes(tickvals=list(range(len(rows))), ticktext=names, autorange="reversed")
    margin = {"l": 8, "r": 8, "t": 8, "b": 36}
    figure.update_layout(height=70 + 26 * len(rows), margin=margin, xaxis_title="score change")
    st.markdown(f"**{heading}**")
    st.plotly_chart(figure, key=key, config=widgets.CHART)


def _short(text: str) -> str:
    """A label that plotly shows literally: it renders some HTML in ticks."""
    text = text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
    return text.replace("&", "&amp;").replace("<", "&lt;")


@st.cache_data(max_entries=200, show_spinner="Taking away each part")
def _why(
    _opened: Opened, stamp: str, history: tuple[int, ...], item: int, edits: str, position: str | None
) -> "Reasons":
    from seqsae_core.steering.reasons import why

    return why(steerer_of(_opened, position), history, item, parse(edits))


@st.cache_data(max_entries=200, show_spinner="Looking for latents")
def _raising(
    _opened: Opened, stamp: str, history: tuple[int, ...], item: int, edits: str, position: str | None
) -> pd.DataFrame:
    from seqsae_core.steering.reasons import what_would_raise

    return what_would_raise(steerer_of(_opened, position), history, item, edits=parse(edits))
