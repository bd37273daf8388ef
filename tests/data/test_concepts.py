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
