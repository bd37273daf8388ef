"""Catalogue and concept table from titles, genres and counts."""

import numpy as np
import pandas as pd
import pytest

from seqsae_core.data.concepts import build_catalogue, build_concepts

ITEMS = pd.DataFrame(
    {
        "item_id": [9, 4, 7],
        "title": ["Se7en (1995)", "映画", "(500) Days of Summer (2009)"],
        "genres": ["Crime|Thriller", "(no genres listed)", "Romance"],
    }
)


def test_catalogue_follows_the_model_order():
    catalogue = build_catalogue(ITEMS, np.array([4, 7, 9]), np.array([1, 2, 3]))
    assert list(catalogue["title"]) == ["映画", "(500) Days of Summer", "Se7en"]
    assert catalogue["year"].isna().tolist() == [True, False, False]
    assert list(catalogue["item"]) == [1, 2, 3]


def test_concepts_have_a_padding_row_and_no_pseudo_genre():
    table = build_concepts(build_catalogue(ITEMS, np.array([4, 7, 9]), np.array([1, 2, 3])))
    assert not table.values[0].any()
    assert "(no genres listed)" not in table.names
    assert table.column("Crime").tolist() == [0, 0, 0, 1]
    assert table.column("2000s").tolist() == [0, 0, 1, 0]
    assert (table.values[1:, table.group("popularity")].sum(1) == 1).all()
    assert table.column("popularity decile 10").tolist() == [0, 0, 0, 1]


@pytest.mark.parametrize("n", [1, 3, 10, 25])
def test_the_decile_of_an_item_is_the_one_that_its_concept_names(n):
    items = pd.DataFrame({"item_id": range(n), "title": "", "genres": "A"})
    table = build_concepts(build_catalogue(items, np.arange(n), np.arange(n)))
    named = [
        next(d for d in range(1, 11) if (c := f"popularity decile {d}") in table.names and table.column(c)[item])
        for item in range(1, n + 1)
    ]
    assert table.decile.tolist() == [0, *(d - 1 for d in named)]
    assert named == sorted(named) and named[-1] == 10


def described(**columns):
    """Concepts of forty items, years 2001 to 2004, with more columns."""
    items = pd.DataFrame({"item_id": range(40), "title": [f"T ({2001 + i % 4})" for i in range(40)], "genres": ""})
    return build_concepts(build_catalogue(items.assign(**columns), np.arange(40), np.arange(40)))


def names_of(table, group):
    return [table.names[i] for i in table.group(group)]


def test_years_of_ten_items_are_concepts():
    table = described()
    assert names_of(table, "year") == [f"released {y}" for y in (2001, 2002, 2003, 2004)]
    assert table.column("released 2002").tolist() == [0] + [float(i % 4 == 1) for i in range(40)]


def test_any_column_becomes_concepts():
    table = described(
        tags=["space|robots" if i < 12 else "space" if i < 30 else None for i in range(40)],
        colour=["red" if i % 2 else None for i in range(40)],
        length=np.arange(40.0),
        note=[f"text {i}" for i in range(40)],
        same=["x"] * 40,
    )
    assert names_of(table, "tags") == ["space", "robots"]
    assert names_of(table, "colour") == ["colour: red"]
    assert not names_of(table, "length"), "eight items are too few"
    assert not names_of(table, "same"), "what all items are says nothing"
    assert not names_of(table, "note"), "nor does what each item has alone"


def test_a_column_may_have_the_name_of_a_group():
    table = described(popularity=["much"] * 20 + ["little"] * 20)
    assert names_of(table, "popularity (column)") == ["popularity: little", "popularity: much"]
    assert table.decile.max() == 9


def test_numbers_become_fifths_and_ties_stay_together():
    items = pd.DataFrame({"item_id": range(100), "title": "T", "genres": "", "minutes": np.repeat(np.arange(50), 2)})
    items.loc[99, "minutes"] = np.nan
    table = build_concepts(build_catalogue(items, np.arange(100), np.arange(100)))
    lowest = table.column("minutes: lowest fifth")
    assert lowest[1:20].all() and lowest.sum() <= 20
    assert table.values[100, table.group("minutes")].sum() == 0, "a missing value has none"
    assert (table.values[1:100, table.group("minutes")].sum(1) == 1).all()


def test_other_columns_stay_in_the_catalogue():
    items = ITEMS.assign(director=["Fincher", 3, None])
    catalogue = build_catalogue(items, np.array([4, 7, 9]), np.array([1, 2, 3]))
    assert catalogue["director"].tolist()[:1] == ["3"] and catalogue["director"].isna().tolist() == [False, True, False]
