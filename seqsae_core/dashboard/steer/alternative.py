"""What simply re-ranking by label would do: the same number of a concept's items in this list, and what that costs."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import streamlit as st

from seqsae_core.dashboard.steer.live import SHOWN
from seqsae_core.dashboard.steer.price import Price, at_lift
from seqsae_core.dashboard.widgets import fixed, percent, plain


@dataclass(frozen=True)
class Reranked:
    """A list (k,) and the constant on the scores of labelled items that gives it."""

    items: np.ndarray
    constant: float


def rerank(items: np.ndarray, scores: np.ndarray, labelled: np.ndarray, wanted: int, k: int = SHOWN) -> Reranked:
    """The list of k with `wanted` labelled items that the constant nearest to 0 gives; ties go to the earlier item.

    items, scores, labelled: (n,), best first. Fewer labelled (or other) items than asked for are made up by the rest.
    """
    has, other = np.flatnonzero(labelled), np.flatnonzero(~labelled)
    wanted = min(max(wanted, k - len(other)), len(has))
    kept, rest = has[:wanted], other[: k - wanted]
    constant = 0.0
    if len(rest) < len(other) and len(kept) and (gap := scores[other[len(rest)]] - scores[kept[-1]]) > 0:
        constant = float(gap)
    elif len(kept) < len(has) and len(rest) and (gap := scores[has[len(kept)]] - scores[rest[-1]]) > 0:
        constant = -float(gap)
    chosen = np.sort(np.concatenate([kept, rest]))
    order = np.argsort(-(scores[chosen] + constant * labelled[chosen]), kind="stable")
    return Reranked(items[chosen][order], constant)


def card(
    concept: str, labels: np.ndarray, plain_list: tuple[np.ndarray, np.ndarray], steered: Sequence[int],
    price: Price | None, curves: pd.DataFrame | None, catalogue: pd.DataFrame,
) -> None:  # fmt: skip
    """The alternative in words and its list. labels: bool (n_items + 1,); plain_list: items and scores of the whole
    catalogue without edits, best first; steered: the items shown."""
    items, scores = plain_list
    before, wanted = int(labels[items[:SHOWN]].sum()), int(labels[list(steered)].sum())
    st.markdown(f"**Re-ranking by label instead** {_cost(concept, price, curves)}")
    if wanted == before:
        st.caption(f"The list keeps {before} of {plain(concept)}, as many as before: by label there is nothing to do.")
        return
    found = rerank(items, scores, labels[items], wanted)
    shared = set(found.items.tolist()) & set(steered)
    st.caption(
        f"{before} → {wanted} of {plain(concept)} in this list: {fixed(found.constant, 2, True)} on the score of each "
        f"such item does it too. {len(shared)} of its {len(found.items)} items are in the steered list as well (●)."
    )
    lines = (f"{n}. {_title(catalogue, i)}{' ●' * (i in shared)}" for n, i in enumerate(found.items.tolist(), 1))
    st.caption("\n".join(lines))


def _cost(concept: str, price: Price | None, curves: pd.DataFrame | None) -> str:
    if price is None or curves is None:
        return ""
    change, share = at_lift(curves, "rerank", price.lift), f"×{fixed(price.lift, 2)}"
    if change is None:
        return f"was not measured at a share of {share}."
    return f"costs **{percent(change, signed=True)}** of NDCG@10 at the same share of {plain(concept)}, {share}."


def _title(catalogue: pd.DataFrame, item: int) -> str:
    year, title = catalogue.at[item, "year"], str(catalogue.at[item, "title"])
    return plain(title if len(title) < 80 else title[:79] + "…") + ("" if pd.isna(year) else f" {int(year)}")
