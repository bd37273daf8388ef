"""Lists under edits for one history, and where the page starts: at a strength, and a user, that show something."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from seqsae_core.dashboard.live import DEPTH, SHOWN
from seqsae_core.steering.edits import Edit

if TYPE_CHECKING:
    from seqsae_core.recommender.recommend import Ranking
    from seqsae_core.steering.steerer import Steerer

MOVED = 3


@dataclass(frozen=True)
class Turned:
    """Lists of one history: before and after the edits, and for each edit its grid with the others held."""

    edits: tuple[Edit, ...]
    before: "Ranking"
    after: "Ranking"
    grids: tuple[tuple["Ranking", ...], ...]


def turn(
    steerer: "Steerer",
    history: Sequence[int],
    edits: Sequence[tuple[int, float | None]],
    grid: Sequence[float],
) -> Turned:
    """The lists of these edits. A strength of None becomes the smallest of the grid that moves the list."""
    known = [Edit(latent, strength or 0.0) for latent, strength in edits]
    grids = tuple(tuple(steerer.grid(history, known, i, grid, DEPTH)) for i in range(len(known)))
    before = steerer.recommend(history, (), DEPTH)
    chosen = tuple(
        edit if strength is not None else Edit(edit.latent, opening(before, rankings, grid))
        for edit, (_, strength), rankings in zip(known, edits, grids, strict=True)
    )
    before, after = steerer.compare(history, chosen, DEPTH)
    return Turned(chosen, before, after, grids)


def opening(before: "Ranking", rankings: Sequence["Ranking"], grid: Sequence[float]) -> float:
    """The smallest positive strength that replaces MOVED of the items shown; where none does, the most effective."""
    was = set(before.items[:SHOWN].tolist())
    new = {s: len(set(r.items[:SHOWN].tolist()) - was) for s, r in zip(grid, rankings, strict=True) if s > 0}
    return next((s for s, count in new.items() if count >= MOVED), max(new, key=new.__getitem__))


def clearest(
    steerer: "Steerer", histories: Sequence[Sequence[int]], latent: int, grid: Sequence[float], labels: np.ndarray
) -> int:
    """The place of the history whose opening shows what the latent stands for: its list gains labelled items, at the
    smallest strength; the first of equals. labels: (n_items + 1,), all 0 where the latent has no concept."""

    def rank(history: Sequence[int]) -> tuple[bool, float]:
        turned = turn(steerer, history, ((latent, None),), grid)
        gain = labels[turned.after.items[:SHOWN]].sum() - labels[turned.before.items[:SHOWN]].sum()
        return gain <= 0, turned.edits[0].strength

    ranks = [rank(history) for history in histories]
    return ranks.index(min(ranks))
