"""What the model recommended after the firing item of each example."""

import pandas as pd
import streamlit as st

from seqsae_core.dashboard.loading import Opened
from seqsae_core.dashboard.steer.applying import stamp
from seqsae_core.dashboard.steer.scene import audience

LENGTH = 3


def recommended(opened: Opened, examples: pd.DataFrame) -> list[tuple[int, ...]]:
    """The first items of the unsteered list after each example's firing item; loads the model on the first call.

    examples: user and event (the place of the firing item in the user's history, from 0), one row an example.
    """
    people, known = audience(opened), stamp(opened)
    ends = examples[["user", "event"]].astype(int).itertuples(index=False)
    starts = ((people.offsets[user], event) for user, event in ends)
    histories = [tuple(people.items[start : start + event + 1].tolist()) for start, event in starts]
    return [_list(opened, known, history) for history in histories]


@st.cache_data(max_entries=2000, show_spinner=False)
def _list(_opened: Opened, stamp: str, history: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(_opened.steerer().recommend(history, (), LENGTH).items.tolist())
