"""Prices read from curves, and the list that re-ranking by label gives."""

import numpy as np
import pandas as pd
import pytest

from seqsae_core.dashboard.steer.alternative import rerank
from seqsae_core.dashboard.steer.price import at_lift, from_curves
from seqsae_core.steering.edits import Edit


@pytest.fixture
def curves() -> pd.DataFrame:
    strengths = [0.0, 1.0, 4.0, 16.0]
    rows = pd.DataFrame(
        {"strength": strengths, "lift": [1, 1.2, 2, 3], "ndcg_change": [0, -0.01, -0.05, -0.3], "users": 500}
    )
    for key in ("lift", "ndcg_change"):
        rows[f"{key}_low"], rows[f"{key}_high"] = rows[key] - 0.02, rows[key] + 0.02
    latent = rows.assign(method="latent", latents=[[7]] * 4)
    return pd.concat([latent, rows.assign(method="rerank", latents=[[]] * 4, ndcg_change=rows["ndcg_change"] / 2)])


def test_the_nearest_measured_strength_is_read_and_named(curves: pd.DataFrame) -> None:
    price = from_curves(curves, [Edit(7, 3.0)])
    assert (price.lift, price.ndcg_change) == (2.0, -0.05)
    assert price.ndcg_change_ci95 == pytest.approx((-0.07, -0.03))
    assert "+4.0 sd" in price.source and "500" in price.source


@pytest.mark.parametrize("edits", [[Edit(8, 3.0)], [Edit(7, -3.0)], [Edit(7, 20.0)], [Edit(7, 1.0), Edit(8, 1.0)]])
def test_what_no_curve_was_made_of_has_no_price(curves: pd.DataFrame, edits: list[Edit]) -> None:
    assert from_curves(curves, edits) is None
    assert from_curves(None, edits) is None


def test_the_cost_at_a_lift_lies_between_its_neighbours(curves: pd.DataFrame) -> None:
    assert at_lift(curves, "rerank", 1.6) == pytest.approx((-0.005 - 0.025) / 2)
    assert at_lift(curves, "rerank", 1.0) == 0.0
    assert at_lift(curves, "rerank", 3.5) is None
    assert at_lift(curves, "rerank", 0.8) is None


@pytest.mark.parametrize("seed", range(40))
def test_reranking_gives_the_number_asked_for_by_the_smallest_constant(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n, wanted = int(rng.integers(12, 31)), int(rng.integers(0, 11))
    scores = np.sort(rng.integers(-40, 41, n) / 4)[::-1]
    labelled = rng.random(n) < rng.random()
    items = np.arange(n)
    found = rerank(items, scores, labelled, wanted, k=10)
    count = min(max(wanted, 10 - int((~labelled).sum())), int(labelled.sum()))
    assert len(set(found.items)) == 10
    assert labelled[found.items].sum() == count
    assert smallest(scores, labelled, count) == pytest.approx(abs(found.constant))


def smallest(scores: np.ndarray, labelled: np.ndarray, count: int) -> float:
    """Smallest |constant| for which a top 10 with `count` labelled items is one of the best by the new scores."""
    gaps = {0.0, *(float(a - b) for a in scores for b in scores)}
    return min(abs(gap) for gap in gaps if allows(scores + gap * labelled, labelled, count))


def allows(scores: np.ndarray, labelled: np.ndarray, count: int) -> bool:
    """Whether ties can be broken so that the ten best hold `count` labelled items."""
    edge = np.sort(scores)[::-1][9]
    above, at = scores > edge, scores == edge
    sure, places = int((above & labelled).sum()), 10 - int(above.sum())
    return (
        sure + max(0, places - int((at & ~labelled).sum())) <= count <= sure + min(places, int((at & labelled).sum()))
    )
