"""The paper's measure, by its own formula; the protocol; a run on a small made-up ML-1M."""

import json
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks import paper as benchmark
from seqsae_core.data.concepts import ConceptTable
from seqsae_core.data.sequences import FIT, SCORE, SELECT
from seqsae_core.interpret.rivals import Features
from seqsae_core.sae.activations import Activations

ROOT = Path(__file__).resolve().parents[2]
USERS, ITEMS, LENGTH = 200, 24, 12
MEASURED_GENRES = 2


def ratings() -> pd.DataFrame:
    """Everyone watches runs of one genre; users with a larger number come later."""
    rng = np.random.default_rng(0)
    user = np.repeat(np.arange(1, USERS + 1), LENGTH)
    odd = np.repeat(rng.integers(0, 2, USERS * LENGTH // 3), 3)
    item = 2 * rng.integers(1, ITEMS // 2, len(user)) + odd
    return pd.DataFrame({"user_id": user, "item_id": item, "rating": 5, "timestamp": user * 100 + np.arange(len(user))})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Ratings in the layout of ML-1M."""
    lines = ["::".join(map(str, row)) for row in ratings().itertuples(index=False)]
    (tmp_path / "ratings.dat").write_text("\n".join(lines), encoding="latin-1")
    movies = [f"{i}::Été {i} (1999)::{'Drama' if i % 2 else 'Comedy|War'}" for i in range(1, ITEMS + 1)]
    (tmp_path / "movies.dat").write_text("\n".join(movies), encoding="latin-1")
    return tmp_path


def without_times(folder: Path) -> Path:
    """The same events, of which only the order is known; rows of all users mixed."""
    rows = ratings().rename(columns={"item_id": "movie_id"})
    rows["position"] = rows.groupby("user_id").cumcount()
    rows.sample(frac=1, random_state=0)[["user_id", "position", "movie_id"]].to_parquet(folder / "sequences.parquet")
    return folder


def test_without_times_order_stays_and_a_hash_draws_the_test_users(folder):
    timed, concepts, by_time = benchmark.prepare(folder)
    events, same_concepts, by_hash = benchmark.prepare(without_times(folder))
    assert np.array_equal(events.items, timed.items) and np.array_equal(events.users, timed.users)
    newest, drawn = (np.flatnonzero(split.role != FIT) for split in (by_time, by_hash))
    assert newest.tolist() == list(range(USERS - USERS // 10, USERS))
    assert len(drawn) == USERS // 10 and not np.array_equal(newest, drawn)
    assert concepts.names == same_concepts.names and set(concepts.names) >= {"Comedy", "Drama", "War"}


def test_who_trains_what(folder):
    _, _, split = benchmark.prepare(without_times(folder))
    fit_dictionary = (split.role == FIT) & (split.context_end > 0)
    assert not (fit_dictionary & (split.train_end > 0)).any()
    assert not (split.train_end[split.users(SELECT, SCORE)] > 0).any()


def drawn(rng: np.random.Generator, n: int) -> Activations:
    values = rng.normal(size=(n, 6)).astype(np.float32)
    return Activations(values, rng.integers(1, ITEMS + 1, n).astype(np.int32), np.arange(n) // 9, np.arange(n) % 9)


def test_figures_against_numpy():
    """The paper: the largest of all Pearson r over the positions of all test users. Held out: not larger."""
    rng = np.random.default_rng(1)
    fit, select, score = (drawn(rng, n) for n in (50, 1500, 1800))
    table = np.vstack([np.zeros((1, 3)), rng.random((ITEMS, 3)) < 0.4]).astype(np.float32)
    table[:, 2] = np.arange(ITEMS + 1) == 1
    bench = benchmark.Bench(fit, select, score, ConceptTable(("A", "B", "C"), ("genre",) * 3, table))
    found = bench.figures(Features("kind", tuple("abcdef"), lambda x: x))

    def pearson(*parts: Activations) -> np.ndarray:
        a, y = (np.concatenate(rows) for rows in zip(*((p.values, table[p.item_at]) for p in parts), strict=True))
        return np.corrcoef(a.T, y.T)[:6, 6:]

    expected = {"select": pearson(select), "score": pearson(score), "test": pearson(select, score)}
    assert found["paper"] == pytest.approx({name: r.max(0).mean() for name, r in expected.items()}, abs=1e-6)
    assert list(found["paper_by_genre"].values()) == pytest.approx(expected["test"].max(0), abs=5e-4)
    best = expected["select"][:, :MEASURED_GENRES].argmax(0)
    assert found["same_items"] == pytest.approx(expected["score"][best, [0, 1]].mean(), abs=1e-6)
    assert (found["genres"], found["genres_held_out"]) == (3, MEASURED_GENRES)


def test_settings_are_chosen_by_select_users_over_seeds():
    def one(k: int, seed: int, select: float, test: float) -> dict:
        return {"settings": {"k": k}, "seed": seed, "latents": {"paper": {"select": select, "test": test}}}

    chosen = benchmark.choose([one(8, 0, 0.9, 0.1), one(8, 1, 0.1, 0.3), one(16, 0, 0.6, 0.0), one(16, 1, 0.6, 0.5)])
    assert chosen["settings"] == {"k": 16} and chosen["seeds"] == 2
    assert (chosen["latents.paper.select"], chosen["latents.paper.test"]) == (0.6, 0.25)


def test_smoke_run(folder, tmp_path):
    options = "--layers 1 2 --variants topk relu --latents 16 --k 2 --l1 0.1 --steps 30 --seeds 0 1"
    grid = shlex.split(options)
    recipe = shlex.split(f"--preset tiny --passes 1 --negatives 8 --max-length 8 --checkpoint {tmp_path / 'kept'}")
    command = [sys.executable, ROOT / "benchmarks/paper.py", without_times(folder), *grid, *recipe]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert len(told["runs"]) == 8 and len(told["recommender"]["log"]) == 1
    assert set(told["neurons"]) == {"1", "2"}
    figures = told["runs"][0]["latents"]
    assert 0 < figures["paper"]["test"] < 1 and list(figures["paper_by_genre"]) == ["Comedy", "Drama", "War"]
    assert figures["same_items"] is None and figures["genres_held_out"] == 0
    assert told["chosen"]["latents.paper.select"] >= told["runs"][0]["latents"]["paper"]["select"] / 2
