"""Catalogue and concept table from titles, genres and counts."""

import numpy as np
import pandas as pd

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
