"""What curves come to: the quoted figures of each method, who is ahead of whom, and what suppression costs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from seqsae_core.steering import outcomes
from seqsae_core.steering.frontier import BUDGETS, Curve, choose, frontier_area, geometric_mean, lift_at
from seqsae_core.steering.outcomes import Outcome

SUPPRESSED = 0.1
OURS = "latents"


@dataclass(frozen=True)
class Steered:
    """One method on one concept: for each split, lifts and NDCG changes (1 + draws, 1 + strengths), 0 first.

    found: of each split, the outcomes of each user that they come from, where they are still needed.
    """

    method: str
    concept: str
    lifts: dict[str, np.ndarray]
    changes: dict[str, np.ndarray]
    found: Mapping[str, Outcome] = field(default_factory=dict)

    @property
    def curve(self) -> Curve:
        """To choose strengths by, and test lifts of all draws."""
        return Curve(self.lifts["validation"][0, 1:], self.changes["validation"][0, 1:], self.lifts["test"][:, 1:])

    @property
    def validated_area(self) -> float:
        """The frontier's area with validation lifts for test lifts: what a design may be chosen by."""
        lift, change = self.lifts["validation"][0, 1:], self.changes["validation"][0, 1:]
        return float(frontier_area(Curve(lift, change, lift)))


    @property
    def lowering_cost(self) -> tuple[bool, float]:
        """What a design that lowers a concept may be chosen by, the least first, on validation targets: NDCG lost where
        the share is at most SUPPRESSED ×, and where it never is, the smallest lift."""
        lift, change = self.lifts["validation"][0], self.changes["validation"][0]
        below = np.flatnonzero(lift <= SUPPRESSED)
        return (False, -float(change[below[0]])) if len(below) else (True, float(lift.min()))


def summarise(steered: Sequence[Steered]) -> dict[str, Any]:
    """The quoted figures of each method: means over its concepts, with intervals over users.

    The strength is chosen on validation targets and then held while test users are drawn again.
    """
    found = {
        method: _summarise_method([one for one in steered if one.method == method])
        for method in dict.fromkeys(one.method for one in steered)
    }
    if OURS in found:
        found[OURS]["against"] = {rival: _against(found, rival) for rival in found if rival != OURS}
    return found


def _against(found: dict[str, Any], rival: str) -> dict[str, int]:
    """On how many concepts the frontier's area of latents is ahead of a rival's, behind it, or tied: intervals overlap.

    at_least counts those where the area itself is no smaller.
    """
    ours, theirs = found[OURS]["by_concept"], found[rival]["by_concept"]
    spans = [(ours[c]["frontier_area_ci95"], theirs[c]["frontier_area_ci95"]) for c in ours]
    ahead, behind = sum(one[0] > other[1] for one, other in spans), sum(one[1] < other[0] for one, other in spans)
    reached = sum(ours[c]["frontier_area"] >= theirs[c]["frontier_area"] for c in ours)
    return {"ahead": ahead, "tie": len(spans) - ahead - behind, "behind": behind, "at_least": reached}


def suppression(steered: Sequence[Steered]) -> dict[str, Any]:
    """Of each method under negative strengths: NDCG lost on test targets at the weakest strength whose share is at most
    SUPPRESSED × on validation targets, the lift there, and on how many concepts there is such a strength.

    Means over the concepts where every method has one; `of_rerank` is the loss over that of label re-ranking, None
    where that loses nothing.
    """
    ends = {(one.method, one.concept): _suppressed(one) for one in steered}
    methods, concepts = ({key[n]: 0 for key in ends} for n in (0, 1))
    both = [c for c in concepts if all(ends.get((m, c)) is not None for m in methods)]
    found: dict[str, Any] = {}
    for method in methods:
        reached = sum(ends.get((method, c)) is not None for c in concepts)
        figures = np.array([ends[method, c] for c in both]).mean(0) if both else (None, None)
        found[method] = {"reached": reached, "compared": len(both), "ndcg_lost": figures[0], "lift": figures[1]}
    base = found.get("rerank", {}).get("ndcg_lost")
    for figures in found.values():
        figures["of_rerank"] = figures["ndcg_lost"] / base if base is not None and base > 0 else None
    return found


def _suppressed(one: Steered) -> tuple[float, float] | None:
    below = np.flatnonzero(one.lifts["validation"][0] <= SUPPRESSED)
    return (-float(one.changes["test"][0, below[0]]), float(one.lifts["test"][0, below[0]])) if len(below) else None


def _summarise_method(steered: Sequence[Steered]) -> dict[str, Any]:
    curves = [one.curve for one in steered]
    figures: dict[str, Any] = {}
    for name, budget in BUDGETS.items():
        chosen = [choose(curve.valid_lift, curve.valid_change, budget) for curve in curves]
        lift = geometric_mean([lift_at(curve, at) for curve, at in zip(curves, chosen, strict=True)])
        change = np.mean(
            [one.changes["test"][:, at + 1] for one, at in zip(steered, chosen, strict=True)], axis=0
        )
        figures |= quoted(f"share_lift_at_{name}", lift) | quoted(f"ndcg_change_at_{name}", change)
    areas = [frontier_area(curve) for curve in curves]
    figures |= quoted("frontier_area", geometric_mean(areas)) | {"concepts": [one.concept for one in steered]}
    each = {one.concept: quoted("frontier_area", area) for one, area in zip(steered, areas, strict=True)}
    return figures | {"by_concept": each, "against": {}}


def quoted(name: str, drawn: np.ndarray) -> dict[str, Any]:
    low, high = outcomes.interval(drawn)
    return {name: float(drawn[0]), f"{name}_ci95": [float(low), float(high)]}
