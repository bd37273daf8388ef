"""Data that no recommender likes: it still trains, ranks and lists, with nothing that is no number."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from seqsae_core.config import RecommenderConfig
from seqsae_core.data.sequences import Sequences, Split, make_split
from seqsae_core.recommender import baselines, batching, evaluation, spectral, training

RECIPE = RecommenderConfig(width=8, passes=2, negatives=16, batch_size=16)
USERS = 60


def sequences_of(rows: list[np.ndarray], n_items: int) -> Sequences:
    offsets = np.concatenate([[0], np.cumsum([len(r) for r in rows])])
    items = np.concatenate(rows).astype(np.int32)
    return Sequences(np.arange(len(rows)), items, offsets, np.arange(len(items)), n_items)


def unseen_items() -> tuple[Sequences, Split]:
    """Items 1 to 20 train; 21 to 24 occur as targets only, 25 to 30 never."""
    rng = np.random.default_rng(0)
    rows = [np.append(rng.integers(1, 21, 9), [21 + u % 4, 21 + (u + 1) % 4]) for u in range(USERS)]
    sequences = sequences_of(rows, 30)
    return sequences, make_split(sequences, "leave-one-out")


def users_alike() -> tuple[Sequences, Split]:
    sequences = sequences_of([np.arange(1, 13)] * USERS, 12)
    return sequences, make_split(sequences, "leave-one-out")


def few_items() -> tuple[Sequences, Split]:
    """Four items, far fewer than a list or the negatives ask for."""
    rng = np.random.default_rng(0)
    sequences = sequences_of([rng.integers(1, 5, 6) for _ in range(USERS)], 4)
    return sequences, make_split(sequences, "leave-one-out")


def histories_of_one() -> tuple[Sequences, Split]:
    """Every other user has three events: one of history, which trains nothing, and two targets."""
    rng = np.random.default_rng(0)
    sequences = sequences_of([rng.integers(1, 15, 3 + 6 * (u % 2)) for u in range(USERS)], 14)
    return sequences, make_split(sequences, "leave-one-out")


def new_users() -> tuple[Sequences, Split]:
    """Split in time: half of the users begin after the training, some have a single event."""
    rng = np.random.default_rng(0)
    sizes = rng.integers(1, 12, USERS)
    items = [rng.integers(1, 15, n) for n in sizes]
    times = [np.sort(rng.integers(50 * (u % 2), 100, n)) for u, n in enumerate(sizes)]
    sequences = replace(sequences_of(items, 14), times=np.concatenate(times))
    return sequences, make_split(sequences, "global-temporal")


WORLDS = [unseen_items, users_alike, few_items, histories_of_one, new_users]


@pytest.fixture(scope="module", params=WORLDS, ids=lambda world: world.__name__)
def world(request) -> tuple[Sequences, Split]:
    return request.param()


@pytest.mark.parametrize("architecture", ["sasrec", "bert4rec"])
@pytest.mark.parametrize(
    "settings",
    [{}, {"negatives": None}, {"popular_negatives": 0.5}, {"popular_negatives": 1.0}, {"objective": "gbce"}],
    ids=["sampled", "full", "half popular", "popular", "gbce"],
)
def test_a_model_trains_and_ranks_everybody(world, architecture, settings):
    sequences, split = world
    config = replace(RECIPE, architecture=architecture, **settings)
    trained = training.train(sequences, split, config, 8, seed=0)
    model, log = trained.model, trained.log
    assert all(np.isfinite(row["loss"]) and 0 <= row["ndcg@10"] <= 1 for row in log)
    assert all(torch.isfinite(p).all() for p in model.parameters())
    users = np.flatnonzero(split.test_at >= 1)
    check(evaluation.rank_users(model, sequences, users, split.test_at[users]), sequences, split, users)


def test_every_baseline_ranks_everybody(world):
    sequences, split = world
    users = np.flatnonzero(split.test_at >= 1)
    for found in baselines.rank_baselines(sequences, split, users, split.test_at[users]).values():
        check(found, sequences, split, users)


def check(found: evaluation.Ranked, sequences: Sequences, split: Split, users: np.ndarray) -> None:
    """Ranks lie in the catalogue; a list holds distinct items that are not known yet, as many as are left."""
    assert (found.ranks >= 1).all() and (found.ranks <= sequences.n_items).all()
    for user, row in zip(users, found.lists, strict=True):
        history, target = sequences.of(user)[: split.test_at[user]], sequences.of(user)[split.test_at[user]]
        left = set(range(1, sequences.n_items + 1)) - (set(history.tolist()) - {int(target)})
        listed = row[row > 0].tolist()
        assert len(listed) == min(10, len(left)) == len(set(listed)) and set(listed) <= left
    figures = evaluation.summarise(found, batching.item_counts(sequences, split))
    assert all(np.isfinite(v).all() for v in figures.values())


def test_vectors_of_items_never_seen_are_near_zero_and_finite():
    sequences, split = unseen_items()
    vectors = spectral.spectral_embeddings(*batching.training_events(sequences, split), 30, 8, seed=0)
    assert np.isfinite(vectors).all()
    assert np.abs(vectors[21:]).max() < 1e-6 < np.abs(vectors[1:21]).max(1).min()


def test_items_never_seen_are_recommended_where_nothing_else_is_left():
    rows = [np.append(np.arange(1, 21), 23)] * USERS
    sequences = sequences_of(rows, 30)
    split = make_split(sequences, "leave-one-out")
    model = training.train(sequences, split, RECIPE, 8, seed=0).model
    users = np.arange(USERS)
    found = evaluation.rank_users(model, sequences, users, split.test_at)
    assert all(set(row.tolist()) == set(range(21, 31)) for row in found.lists)
    assert evaluation.unseen_targets(sequences, users, split.test_at, batching.item_counts(sequences, split)) == 1.0


def test_the_share_of_unseen_targets_is_counted():
    sequences, split = unseen_items()
    users, counts = np.arange(USERS), batching.item_counts(sequences, split)
    assert evaluation.unseen_targets(sequences, users, split.test_at, counts) == 1.0
    assert evaluation.unseen_targets(sequences, users, split.test_at - 3, counts) == 0.0
    mixed = split.test_at - 3 * (users % 3 == 0)
    assert evaluation.unseen_targets(sequences, users, mixed, counts) == pytest.approx(2 / 3)
