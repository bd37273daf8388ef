"""A target for one list ("at least 3 documentaries in the top 10"): the smallest strength that does, and its price."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from seqsae_core.errors import UserError
from seqsae_core.recommender.recommend import Ranking, best
from seqsae_core.steering.edits import Edit
from seqsae_core.steering.steerer import Steerer


@dataclass(frozen=True)
class Target:
    """Between `at_least` and `at_most` labelled items among the first k; labels: bool (n_items + 1,), False at 0.

    Raises UserError where no list could be so.
    """

    labels: np.ndarray
    at_least: int = 0
    at_most: int | None = None
    k: int = 10

    def __post_init__(self) -> None:
        asked = f"The target asks for at least {self.at_least} of {self.k} items"
        if self.k < 1 or not 0 <= self.at_least <= self.k:
            raise UserError(f"{asked}: choose a number from 0 to the length of the list, which is 1 or more.")
        if self.at_most is not None and self.at_most < self.at_least:
            raise UserError(f"{asked}, and for at most {self.at_most}: raise the one or lower the other.")

    @property
    def most(self) -> int:
        """The largest number of labelled items allowed."""
        return self.k if self.at_most is None else min(self.at_most, self.k)

    def count(self, ranking: Ranking) -> int:
        """Labelled items among the first k."""
        return int((self.labels[ranking.items[: self.k]] > 0.5).sum())

    def met(self, ranking: Ranking) -> bool:
        """Whether a list is as it should be."""
        return self.at_least <= self.count(ranking) <= self.most


@dataclass(frozen=True)
class Price:
    """What a list costs by the unsteered model's own account, against its own list.

    replaced: items of its list that are gone; score_loss: its mean score − the steered list's, both unsteered scores;
    probability_kept: what the steered list holds of the probability (softmax over unseen items) of the unsteered one.
    """

    replaced: int
    score_loss: float
    probability_kept: float


@dataclass(frozen=True)
class Reached:
    """The answer to a target: the smallest strength of the grid that reaches it, or None where none does.

    count: labelled items at that strength, or where none reaches the target the count of the grid that comes nearest;
    ranking and price: the list then, None where the target is not reached. by_hand, price_by_hand: the same target by
    swapping only as many items as it takes, the best by unsteered scores; None where the catalogue has not enough.
    """

    strength: float | None
    count: int
    ranking: Ranking | None
    price: Price | None
    by_hand: Ranking | None
    price_by_hand: Price | None

    def __str__(self) -> str:
        if self.price is None:
            return f"No strength of the grid reaches the target: the nearest list has {self.count}."
        return (
            f"Strength {self.strength:g} reaches the target with {self.count}: {self.price.replaced} items replaced, "
            f"{self.price.probability_kept:.0%} of the list's probability kept."
        )


def reach(
    steerer: Steerer,
    history: Sequence[int],
    edits: Sequence[Edit],
    which: int,
    target: Target,
    strengths: Sequence[float],
) -> Reached:
    """The strength of edit number `which` nearest to 0 whose list meets the target, the other edits held.

    0 is always tried. Errors as in `Steerer.grid`.
    """
    tried = sorted({0.0, *(float(s) for s in strengths)}, key=lambda s: (abs(s), -s))
    scores = steerer.scores(history, steerer.sweep(edits, which, tried))
    before, *rankings = best(scores, history, target.k)
    plain = scores[0].numpy()
    swapped = by_hand(plain, target)
    price_by_hand = None if swapped is None else price(plain, before, swapped)
    for strength, ranking in zip(tried, rankings, strict=True):
        if target.met(ranking):
            cost = price(plain, before, ranking)
            return Reached(strength, target.count(ranking), ranking, cost, swapped, price_by_hand)
    counts = [target.count(ranking) for ranking in rankings]
    nearest = min(counts, key=lambda count: abs(count - np.clip(count, target.at_least, target.most)))
    return Reached(None, nearest, None, None, swapped, price_by_hand)


def price(plain: np.ndarray, before: Ranking, after: Ranking) -> Price:
    """What `after` costs against `before`; plain: unsteered scores (n_items + 1,), -inf at seen items."""
    chances = torch.from_numpy(plain).double().softmax(0).numpy()
    loss = plain[before.items].mean(dtype=float) - plain[after.items].mean(dtype=float)
    kept = chances[after.items].sum() / chances[before.items].sum()
    return Price(int((~np.isin(before.items, after.items)).sum()), float(loss), float(kept))


def by_hand(plain: np.ndarray, target: Target) -> Ranking | None:
    """Of the lists that meet the target the one of largest unsteered scores (n_items + 1,); None if there is none."""
    order = np.argsort(-plain, kind="stable")
    order = order[np.isfinite(plain[order])]
    has = target.labels[order] > 0.5
    wanted = int(np.clip(has[: target.k].sum(), target.at_least, target.most))
    places = np.concatenate([np.flatnonzero(has)[:wanted], np.flatnonzero(~has)[: target.k - wanted]])
    items = order[np.sort(places)]
    found = Ranking(items, plain[items])
    return found if target.met(found) and len(items) == min(target.k, len(order)) else None
