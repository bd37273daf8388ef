"""Concepts of a position beyond its item, measured within items and clustered by user."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array

from seqsae_core.data.concepts import ConceptTable
from seqsae_core.data.sequences import Sequences
from seqsae_core.interpret.alignment import item_sums
from seqsae_core.interpret.context import DAY, YEAR, ContextTable, context_concepts, measure_context
from seqsae_core.interpret.rivals import Features
from seqsae_core.sae.activations import Activations

ITEMS = 12


def features(count: int, sparse: bool = True) -> Features:
    return Features("latents", tuple(map(str, range(count))), csr_array if sparse else np.asarray)


def world(seed: int, users: int = 60, length: int = 20, count: int = 5):
    """Random activations at every position of random histories; nothing depends on anything."""
    rng = np.random.default_rng(seed)
    n = users * length
    values = (rng.exponential(size=(n, count)) * (rng.random((n, count)) < 0.5)).astype(np.float32)
    item, user = rng.integers(1, ITEMS + 1, n), np.repeat(np.arange(users), length)
    at = Activations(values, item.astype(np.int32), user.astype(np.int32), np.tile(np.arange(length), users))
    table = ContextTable(("place", "other"), ("history", "history"), rng.normal(size=(n, 2)).astype(np.float32))
    return at, table


def measured(at: Activations, table: ContextTable, sparse: bool = True) -> pd.DataFrame:
    kind = features(at.values.shape[1], sparse)
    return measure_context(kind, at, item_sums(kind, at, ITEMS), table, seed=0)


@pytest.mark.parametrize("sparse", [True, False])
def test_every_figure_equals_its_definition(sparse):
    at, table = world(0)
    row = measured(at, table, sparse).set_index(["feature", "concept"]).loc[(3, "other")]
    frame = pd.DataFrame({"a": at.values[:, 3], "y": table.values[:, 1], "item": at.item_at, "user": at.user_at})
    within = frame[["a", "y"]] - frame.groupby("item")[["a", "y"]].transform("mean")
    by_user = (within["a"] * within["y"]).groupby(frame["user"]).sum()
    assert row["r"] == pytest.approx(np.corrcoef(frame["a"], frame["y"])[0, 1], abs=1e-5)
    assert row["r_within"] == pytest.approx(np.corrcoef(within["a"], within["y"])[0, 1], abs=1e-5)
    assert row["z"] == pytest.approx(by_user.sum() / np.sqrt((by_user**2).sum()), abs=1e-4)


def test_a_feature_of_the_place_is_found_and_one_of_the_item_is_not():
    at, table = world(1)
    at.values[:, 0] = at.item_at  # the item alone, though the concept leans on the item too
    table.values[:, 0] += at.item_at
    at.values[:, 1] += np.maximum(table.values[:, 1], 0)
    rows = measured(at, table).set_index(["feature", "concept"])
    assert rows.loc[(0, "place"), "r"] > 0.5 and rows.loc[(0, "place"), "z"] == 0
    assert rows.loc[(1, "other"), "significant"] and rows.loc[(1, "other"), "r_within"] > 0.3


def test_chance_is_rarely_significant():
    alarms = [measured(*world(seed)).significant.any() for seed in range(40)]
    assert np.mean(alarms) <= 0.15  # nominal 5 %


def test_what_varies_for_few_users_does_not_compete():
    at, table = world(2)
    at.values[:, 2] = np.where(at.user_at < 5, at.values[:, 2], 0)
    rows = measured(at, table)
    assert (rows.loc[rows["feature"] == 2, "z"] == 0).all() and np.isfinite(rows["z"]).all()


def sequences(items, offsets, days=None, years=None) -> Sequences:
    times = None if days is None else (np.array(years or 40) * YEAR + np.array(days) * DAY).astype(np.int64)
    return Sequences(np.arange(len(offsets) - 1), np.array(items, np.int32), np.array(offsets), times, 3)


def concepts_of(sequence: Sequences, year=(np.nan,) * 4) -> SimpleNamespace:
    user = np.repeat(np.arange(len(sequence)), sequence.lengths)
    event = np.concatenate([np.arange(n) for n in sequence.lengths])
    at = Activations(np.zeros((len(user), 1), np.float32), sequence.items, user, event)
    genres = np.array([[0, 0], [1, 0], [1, 0], [0, 1]], np.float32)
    known = ConceptTable(("Horror", "Comedy"), ("genre", "genre"), genres)
    table = context_concepts(at, sequence, known, np.array(year), np.arange(2))
    return SimpleNamespace(**{"names": table.names, "of": lambda name: table.values[:, table.names.index(name)]})


def test_concepts_of_a_history():
    found = concepts_of(sequences([1, 2, 3, 1, 3], [0, 4, 5], days=[0, 3, 3, 10, 0]))
    assert found.of("watched before").tolist() == [0, 0, 0, 1, 0]
    assert found.of("more Horror so far").tolist() == pytest.approx([0, 1, 1, 2 / 3, 0])
    assert found.of("shares a genre with the item before").tolist() == [0, 1, 0, 0, 0]
    assert np.expm1(found.of("longer since the event before")).tolist() == pytest.approx([0, 3, 0, 7, 0], abs=1e-4)
    assert np.expm1(found.of("later in the history")).tolist() == pytest.approx([0, 1, 2, 3, 0], abs=1e-5)


def test_age_of_an_item_when_watched():
    found = concepts_of(sequences([1, 2, 3], [0, 3], days=[0, 0, 0]), year=(np.nan, 2009, 2005, np.nan))
    assert found.of("within a year of release").tolist() == [1, 0, 0]


def test_without_times_and_without_variation_nothing_is_invented():
    found = concepts_of(sequences([1, 1], [0, 1, 2]))
    assert found.names == ()
