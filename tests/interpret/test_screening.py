"""Screening at its fixed points: a feature that is a genre, features that recognise items, and their halves."""

import numpy as np
import pytest

from seqsae_core.config import EvidenceConfig
from seqsae_core.data.concepts import ConceptTable
from seqsae_core.interpret.rivals import Features
from seqsae_core.interpret.screening import Bench, interpretability
from seqsae_core.sae.activations import Activations

N_ITEMS, N_USERS, EVENTS = 40, 60, 20
CONFIG = EvidenceConfig(min_positives=50, halves=4)
GENRES = np.zeros((N_ITEMS + 1, 3), np.float32)
GENRES[1:21, 0] = GENRES[1::2, 1] = 1
GENRES[1, 2] = 1  # too few positions to be measured
CONCEPTS = ConceptTable(("A", "B", "Rare"), ("genre", "genre", "genre"), GENRES)


def activations(values_of) -> Activations:
    """Random items for every user, with values (n, features) that depend on item and user."""
    rng = np.random.default_rng(0)
    items, users = rng.integers(1, N_ITEMS + 1, N_USERS * EVENTS), np.repeat(np.arange(N_USERS), EVENTS)
    return Activations(values_of(items, users).astype(np.float32), items, users, np.tile(np.arange(EVENTS), N_USERS))


def screened(values_of) -> dict[str, float | None]:
    found = activations(values_of)
    labels = tuple(map(str, range(found.values.shape[1])))
    bench = Bench.make(found, CONCEPTS, N_ITEMS, CONFIG, seed=3)
    return interpretability(Features("test", labels, lambda x: x), bench)


def test_a_feature_that_is_the_genre_scores_one_on_both():
    assert screened(lambda items, _: GENRES[items]) == {"same_items": pytest.approx(1), "new_items": pytest.approx(1)}


def test_features_that_recognise_items_score_on_the_same_items_only():
    found = screened(lambda items, _: np.eye(N_ITEMS + 1)[items])
    share = 1 / N_ITEMS  # r of a member of a genre of half of the items with it: sqrt(p (1 − q) / (q (1 − p))), q = ½
    assert found["same_items"] == pytest.approx(np.sqrt(share / (1 - share)), abs=0.03)
    assert found["new_items"] == pytest.approx(0, abs=1e-9)


def test_a_feature_that_holds_for_half_of_the_users_is_chosen_there_and_scored_elsewhere():
    bench = Bench.make(activations(lambda items, _: items[:, None]), CONCEPTS, N_ITEMS, CONFIG, seed=3)
    first, second = (np.unique(bench.select.user_at[half]) for half in bench.halves)
    assert len(first) == len(second) == N_USERS // 2 and not set(first) & set(second)
    silent = GENRES[:, :1] * 0  # what is chosen where no feature says anything
    found = screened(lambda items, users: np.hstack([silent, GENRES])[items] * np.isin(users, first)[:, None])
    assert found["same_items"] == pytest.approx(0, abs=1e-9)


def test_without_a_genre_of_enough_positions_there_is_no_figure():
    found = activations(lambda items, _: GENRES[items])
    bench = Bench.make(found, CONCEPTS, N_ITEMS, EvidenceConfig(min_positives=10**6, halves=2), seed=0)
    assert bench.genres.shape == (N_ITEMS + 1, 0)
    none = {"same_items": None, "new_items": None}
    assert interpretability(Features("test", ("a", "b", "c"), lambda x: x), bench) == none
