"""Ingest against pandas' own sorting, grouping and dropping of duplicates, row by row."""

import numpy as np
import pandas as pd
import pytest

from seqsae_core.data.interactions import drop_repeats, k_core
from seqsae_core.data.sequences import build_sequences


@pytest.fixture(params=["numbers", "texts"])
def events(request) -> pd.DataFrame:
    """3,000 rows with repeats, ties in time and rare users and items."""
    rng = np.random.default_rng(4)
    users, items = rng.zipf(1.4, 3000) % 300, rng.zipf(1.4, 3000) % 200
    frame = pd.DataFrame({"user_id": users, "item_id": items, "timestamp": rng.integers(0, 30, 3000)})
    return frame.astype({"user_id": "str", "item_id": "str"}) if request.param == "texts" else frame


def test_repeats_are_pandas_duplicates(events):
    expected = events.drop_duplicates(ignore_index=True)
    assert len(expected) < len(events)
    pd.testing.assert_frame_equal(drop_repeats(events), expected)


def test_the_core_is_what_is_left_of_removing_rare_users_and_items(events):
    left = events
    while True:
        sizes = [left.groupby(column)[column].transform("size") for column in ("user_id", "item_id")]
        keep = (sizes[0] >= 4) & (sizes[1] >= 4)
        if keep.all():
            break
        left = left[keep]
    assert 0 < len(left) < len(events)
    pd.testing.assert_frame_equal(k_core(events, 4), left.reset_index(drop=True))


def test_sequences_are_a_stable_sort_by_user_and_time(events):
    found, item_ids = build_sequences(events)
    ordered = events.sort_values(["user_id", "timestamp"], kind="stable")
    assert np.array_equal(item_ids[found.items - 1], ordered["item_id"].to_numpy())
    assert np.array_equal(found.times, ordered["timestamp"].to_numpy())
    assert np.array_equal(found.users, np.unique(events["user_id"].to_numpy()))
    assert np.array_equal(np.repeat(found.users, found.lengths), ordered["user_id"].to_numpy())
    assert list(item_ids) == sorted(item_ids)
