"""The benchmark measures what the product measures, and compares what it says."""

import importlib
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks import recommender as benchmark
from seqsae_core.data.sequences import make_split
from seqsae_core.recommender import evaluation, ranking

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def contenders(monkeypatch) -> Path:
    """Where contenders find each other when they run."""
    monkeypatch.syspath_prepend(benchmark.CONTENDERS)
    return benchmark.CONTENDERS


def test_ndcg_of_kept_vectors_is_that_of_the_product(contenders, toy_model, toy_sequences, tmp_path):
    split = make_split(toy_sequences, "leave-one-out")
    path = tmp_path / "0.npz"
    np.savez(path, **importlib.import_module("ours").vectors(toy_model, toy_sequences, split))
    ranks = evaluation.target_ranks(toy_model, toy_sequences, np.arange(len(toy_sequences)), split.valid_at)
    expected = ranking.ndcg(ranks, 10).mean()
    assert 0 < expected < 1
    assert benchmark.validation_ndcg(path, toy_sequences, split) == pytest.approx(expected, abs=1e-9)


def test_a_target_that_a_contender_does_not_know_ranks_last(toy_sequences, tmp_path):
    split = make_split(toy_sequences, "leave-one-out")
    n_items = toy_sequences.n_items
    vectors = {"users": np.zeros((len(toy_sequences), 2), np.float32), "items": np.zeros((n_items + 1, 2), np.float32)}
    np.savez(tmp_path / "0.npz", known=np.zeros(n_items + 1, bool), **vectors)
    assert benchmark.validation_ndcg(tmp_path / "0.npz", toy_sequences, split) == 0


def test_lists_leave_out_the_training_history(contenders, toy_model, toy_sequences, tmp_path):
    split = make_split(toy_sequences, "leave-one-out")
    np.savez(tmp_path / "final.npz", **importlib.import_module("ours").vectors(toy_model, toy_sequences, split))
    ours = importlib.import_module("ours").recommender(toy_model, toy_sequences, split)
    users = np.array([3, 0, 41])
    lists = benchmark.best_items(tmp_path / "final.npz", toy_sequences, split, users)
    histories = [toy_sequences.of(user)[: split.train_end[user]] for user in users]
    assert lists == [ours.recommend(history, 10).item_ids.tolist() for history in histories]


def test_the_clock_stands_still_while_looking(contenders, tmp_path, monkeypatch):
    contender = importlib.import_module("contender")
    times = iter([0.0, 2.0, 2.0, 2.0, 90.0, 91.0, 94.0])
    monkeypatch.setattr(contender.time, "perf_counter", lambda: next(times))
    job = contender.Job(tmp_path, tmp_path, 1, 6.0, 2.0, 1, 0, 1, [], {}, {})
    watch = contender.Watch(job, lambda: {"users": np.ones(2)})
    assert not watch.tick()
    assert watch.seconds == [2.0]
    assert watch.now() == 3.0
    assert watch.tick()
    assert np.load(tmp_path / "0.npz")["users"].tolist() == [1, 1]


def figures(curve: list, way: float, peak: int) -> dict:
    """What `report` gives, as far as `compare` reads it."""
    ways = {"slow": {"p50": 10 * way}, "quick": {"p50": way}}
    return {"curve": curve, "recommend_ms": ways, "peak_mib": peak, "peak_without_imports_mib": peak - 100}


def test_comparison_by_hand():
    ours = figures([[5.0, 0.05], [10.0, 0.095], [15.0, 0.09]], 2.0, 200)
    rival = figures([[20.0, 0.04], [40.0, 0.1], [60.0, 0.09]], 30.0, 500)
    found = benchmark.compare(ours, rival)
    assert [level["ours_seconds"] for level in found["training"].values()] == [10.0, 10.0, None]
    assert [level["times_faster"] for level in found["training"].values()] == [4.0, 4.0, None]
    assert found["recommend_times_faster"] == 15.0
    assert (found["memory_share"], found["memory_share_without_imports"]) == (0.4, 0.25)


def test_smoke_run_without_rivals():
    command = [sys.executable, "benchmarks/recommender.py", "--smoke", "--threads", "1", "--rivals"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["ours"]["lists_as_ranked"] == {"recommend": 1.0}
    assert found["ours"]["best_ndcg@10"] == max(score for _, score in found["ours"]["curve"]) > 0
    assert found["ours"]["peak_mib"] > found["ours"]["peak_without_imports_mib"] > 0
