"""From curves to figures: the largest lift within a budget of NDCG loss, chosen on validation, read on test."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

BUDGETS = {"1pct": 0.01, "5pct": 0.05}
WIDEST = 0.05


@dataclass(frozen=True)
class Curve:
    """One concept's figures over strengths, strength 0 (lift 1, change 0) left out.

    valid_lift, valid_change: (strengths,), to choose by; test_lift: (..., strengths), to read.
    """

    valid_lift: np.ndarray
    valid_change: np.ndarray
    test_lift: np.ndarray


def choose(valid_lift: np.ndarray, valid_change: np.ndarray, budget: float) -> int:
    """The strength with the largest validation lift among those whose validation NDCG loss is within `budget`.

    −1 stands for strength 0, which costs nothing: it is chosen where nothing lifts the share. Ties go to the weakest.
    """
    allowed = np.where(-valid_change <= budget, valid_lift, -np.inf)
    best = int(allowed.argmax())
    return best if allowed[best] > 1 else -1


def lift_at(curve: Curve, chosen: int) -> np.ndarray:
    """Test lift at a strength that `choose` gave, (...); 1 at strength 0."""
    return np.ones(curve.test_lift.shape[:-1]) if chosen < 0 else curve.test_lift[..., chosen]


def frontier_area(curve: Curve) -> np.ndarray:
    """exp(20 · ∫₀^.05 ln L*(x) dx), (...), L*(x) the test lift at the strength chosen for budget x; 1 = no effect.

    L* is a step function that changes only where x reaches a strength's validation loss, so the integral is a sum.
    """
    losses = np.clip(-curve.valid_change, 0, WIDEST)
    edges = np.unique(np.concatenate([[0.0, WIDEST], losses]))
    chosen = [choose(curve.valid_lift, curve.valid_change, left) for left in edges[:-1]]
    logs = np.log([lift_at(curve, one) for one in chosen])
    return np.exp(np.tensordot(np.diff(edges), logs, axes=1) / WIDEST)


def geometric_mean(values: Sequence[np.ndarray]) -> np.ndarray:
    """Geometric mean of positive arrays of one shape."""
    return np.exp(np.log(values).mean(0))
