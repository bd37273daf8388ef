"""Latents that stand for a few items and not for what items have in common."""

from dataclasses import dataclass

import numpy as np

from seqsae_core.interpret.alignment import ItemSums

MOST_ITEMS = 3
SHARE = 0.5


@dataclass(frozen=True)
class Recognised:
    """items: int32 (f, 3), the items with most activation on select users, 0 where there are fewer or more would be
    needed; share: of the activation on score users that falls on them, (f,)."""

    items: np.ndarray
    share: np.ndarray

    @property
    def found(self) -> np.ndarray:
        """Features of which half or more falls on these items on select users and on score users, bool (f,)."""
        return (self.items > 0).any(1) & (self.share >= SHARE)


def recognised(select: ItemSums, score: ItemSums) -> Recognised:
    """The fewest items, three at most, that hold half of a feature's activation: chosen on select users, their share
    read on score users. A feature that is silent on either has a share of 0."""
    order = np.argsort(-select.total, axis=0, kind="stable")[:MOST_ITEMS]
    mass = np.take_along_axis(select.total, order, axis=0) / select.total.sum(0).clip(min=1e-12)
    reached = np.cumsum(mass, axis=0)
    needed = (reached < SHARE).sum(0) + 1
    keep = (np.arange(len(order))[:, None] < needed) & (needed <= MOST_ITEMS) & (mass > 0)
    held_out = np.take_along_axis(score.total, order, axis=0) / score.total.sum(0).clip(min=1e-12)
    return Recognised(np.where(keep, order, 0).T.astype(np.int32), (held_out * keep).sum(0))
