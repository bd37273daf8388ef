"""What the live slider is given, and the strength that opens the page."""

import numpy as np
import pandas as pd
import pytest

from seqsae_core.dashboard.steer import live
from seqsae_core.dashboard.steer.turning import MOVED, clearest, opening, turn
from seqsae_core.recommender.recommend import Ranking
from seqsae_core.steering.edits import Edit

GRID = live.strengths(16.0)


@pytest.fixture
def catalogue() -> pd.DataFrame:
    genres = ["Horror|Thriller", "", "Comedy", "Horror"] * 15
    rows = {
        "title": [f"<b>{i}</b>" for i in range(1, 61)],
        "year": pd.array([1999, pd.NA] * 30, dtype="Int16"),
        "genres": genres,
    }
    return pd.DataFrame(rows, index=range(1, 61))


def ranking(*items: int) -> Ranking:
    return Ranking(np.array(items), np.linspace(5, 1, len(items)).astype(np.float32))


def shifted(by: int) -> Ranking:
    """Items 1..30, the first `by` of them gone."""
    return ranking(*range(1 + by, 31))


def test_the_grid_is_symmetric_and_holds_an_exact_zero() -> None:
    assert len(GRID) == live.POINTS
    assert GRID[live.POINTS // 2] == 0.0
    assert [-strength for strength in reversed(GRID)] == GRID
    assert (GRID[0], GRID[-1]) == (-16.0, 16.0)
    assert sorted(set(GRID)) == GRID


def test_opening_is_the_smallest_positive_strength_that_replaces_enough() -> None:
    rankings = [shifted(abs(place - 20)) for place in range(live.POINTS)]
    assert opening(shifted(0), rankings, GRID) == GRID[20 + MOVED]


def test_opening_is_the_most_effective_strength_where_none_replaces_enough() -> None:
    rankings = [shifted(2 if strength == GRID[30] else 0) for strength in GRID]
    assert opening(shifted(0), rankings, GRID) == GRID[30]


class Fixed:
    """A steerer whose list loses as many leading items as the strengths add up to."""

    def recommend(self, history, edits=(), k=10) -> Ranking:
        return shifted(round(sum(edit.strength for edit in edits)))

    def compare(self, history, edits, k=10) -> tuple[Ranking, Ranking]:
        return self.recommend(history), self.recommend(history, edits)

    def grid(self, history, edits, which, strengths, k=10) -> list[Ranking]:
        others = sum(edit.strength for place, edit in enumerate(edits) if place != which)
        return [shifted(max(0, round(strength + others))) for strength in strengths]


def test_a_strength_that_is_not_chosen_is_chosen_from_the_grid() -> None:
    turned = turn(Fixed(), (1,), (Edit(7, 0.0),), (GRID,), chosen=False)
    smallest = next(strength for strength in GRID if round(strength) >= MOVED)
    assert turned.edits == (Edit(7, smallest),)
    assert turned.after.items[0] == 1 + MOVED


def test_a_strength_that_is_said_stays_also_zero() -> None:
    turned = turn(Fixed(), (1,), (Edit(7, 0.0), Edit(9, 2.0)), (GRID, GRID))
    assert turned.edits == (Edit(7, 0.0), Edit(9, 2.0))
    assert len(turned.grids) == 2
    assert turned.grids[0][20].items[0] == 3


class Counting(Fixed):
    """The same, and how often a grid was asked for."""

    def __init__(self) -> None:
        self.asked = 0

    def grid(self, *arguments) -> list[Ranking]:
        self.asked += 1
        return super().grid(*arguments)


def test_a_grid_is_made_again_only_where_another_slider_was_turned() -> None:
    steerer, kept = Counting(), {}
    asked = []
    for strengths in ((0.0, 2.0), (1.0, 2.0), (1.0, 3.0), (1.0, 3.0)):
        edits = (Edit(7, strengths[0]), Edit(9, strengths[1]))
        turned = turn(steerer, (1,), edits, (GRID, GRID), kept=kept)
        fresh = turn(Fixed(), (1,), edits, (GRID, GRID))
        assert all(a.items.tolist() == b.items.tolist() for x, y in zip(turned.grids, fresh.grids, strict=True)
                   for a, b in zip(x, y, strict=True))  # fmt: skip
        asked.append(steerer.asked)
    assert asked == [2, 3, 4, 4]
    turn(steerer, (2,), edits, (GRID, GRID), kept=kept)
    assert steerer.asked == 6 and len(kept) == 2


def test_payload_describes_every_item_that_any_list_shows(catalogue: pd.DataFrame) -> None:
    grids = [[shifted(place) for place in range(3)]]
    data = live.payload([{"key": "7:1.0"}], shifted(0), shifted(2), grids, catalogue, serial=4)
    assert set(data["items"]) == set(range(1, 13))
    assert data["items"][1] == {"title": "<b>1</b>", "year": 1999, "genres": ["Horror", "Thriller"]}
    assert data["items"][2] == {"title": "<b>2</b>", "year": None, "genres": []}
    assert data["serial"] == 4 and data["shown"] == 10


def test_genres_are_ordered_by_how_often_any_list_shows_them(catalogue: pd.DataFrame) -> None:
    rankings = [shifted(0), shifted(1)]
    items = live.describe(range(1, 31), catalogue)
    counts = {
        g: sum(g in items[i]["genres"] for r in rankings for i in r.items[: live.SHOWN].tolist())
        for g in ("Horror", "Comedy", "Thriller")
    }
    assert live.mix_order(rankings, items) == sorted(counts, key=lambda g: (-counts[g], g))
    assert live.mix_order(rankings, items, first=["Thriller", "Western"])[0] == "Thriller"


def test_a_short_list_shows_what_there_is(catalogue: pd.DataFrame) -> None:
    data = live.payload([{"key": "7:1.0"}], ranking(3, 1), ranking(1, 3), [[ranking(3, 1)]], catalogue, 0)
    assert data["shown"] == 2
    assert data["after"]["items"] == [1, 3]


class Stubborn(Fixed):
    """Lists of the history (n,) move n times as slowly."""

    def grid(self, history, edits, which, strengths, k=10) -> list[Ranking]:
        return [shifted(max(0, round(strength / history[0]))) for strength in strengths]


def test_the_clearest_history_is_the_one_that_the_smallest_strength_moves() -> None:
    labels = np.ones(61)
    assert clearest(Stubborn(), [(4,), (1,), (2,), (1,)], 7, GRID, labels) == 1


def test_a_list_that_gains_the_concept_is_clearer_than_one_that_moves_sooner() -> None:
    class Two(Stubborn):
        """The list of history (1,) loses the labelled items, that of (2,) gains some."""

        def compare(self, history, edits, k=10) -> tuple[Ranking, Ranking]:
            before, after = shifted(0), shifted(3)
            return (before, after) if history[0] == 2 else (after, before)

    labels = (np.arange(61) == 12).astype(float)
    assert clearest(Two(), [(1,), (2,)], 7, GRID, labels) == 1
