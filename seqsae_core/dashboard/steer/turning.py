"""Lists under edits for one history, and where the page starts: at a strength, and a user, that show something."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from seqsae_core.dashboard.steer.live import DEPTH, SHOWN
from seqsae_core.steering.edits import Edit

if TYPE_CHECKING:
    from seqsae_core.recommender.recommend import Ranking
    from seqsae_core.steering.steerer import Steerer

MOVED = 3
Grids = dict[tuple, tuple["Ranking", ...]]


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
    edits: Sequence[Edit],
    levels: Sequence[Sequence[float]],
    chosen: bool = True,
    kept: Grids | None = None,
) -> Turned:
    """The lists of these edits; levels: the grid of each. While no strength is chosen, the smallest of its grid that
    moves the list is. kept: the grids of the last call with this steerer, which those of this one replace."""
    grids = _grids(steerer, history, edits, levels, {} if kept is None else kept)
    chosen_edits = tuple(edits)
    if not chosen:
        before = steerer.recommend(history, (), DEPTH)
        chosen_edits = tuple(
            replace(edit, strength=opening(before, rankings, grid))
            for edit, rankings, grid in zip(edits, grids, levels, strict=True)
        )
    before, after = steerer.compare(history, chosen_edits, DEPTH)
    return Turned(chosen_edits, before, after, grids)


def _grids(
    steerer: "Steerer", history: Sequence[int], edits: Sequence[Edit], levels: Sequence[Sequence[float]], kept: Grids
) -> tuple[tuple["Ranking", ...], ...]:
    """The grid of each edit. It hangs on the others' strengths, so a release leaves its own slider's as it was."""
    found: Grids = {}
    for which, grid in enumerate(levels):
        others = tuple(replace(edit, strength=0.0) if n == which else edit for n, edit in enumerate(edits))
        key = (tuple(history), others, which, tuple(grid))
        found[key] = kept.get(key) or tuple(steerer.grid(history, edits, which, grid, DEPTH))
    kept.clear()
    kept.update(found)
    return tuple(found.values())


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
        turned = turn(steerer, history, (Edit(latent, 0.0),), (grid,), chosen=False)
        gain = labels[turned.after.items[:SHOWN]].sum() - labels[turned.before.items[:SHOWN]].sum()
        return gain <= 0, turned.edits[0].strength

    ranks = [rank(history) for history in histories]
    return ranks.index(min(ranks))
