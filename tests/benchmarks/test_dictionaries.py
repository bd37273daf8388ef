"""The benchmark of dictionaries judges everyone by one formula, and compares what it says."""

import importlib
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks import dictionaries as benchmark

ROOT = Path(__file__).resolve().parents[2]


def result(pace: int, explained: float) -> dict:
    return {"equal_steps": {"activations_per_second": pace, "explained_variance": explained}}


def test_the_mean_explains_nothing_and_the_rows_themselves_everything():
    rows = np.random.default_rng(0).normal(3, 1, (200, 4)).astype(np.float32)
    assert benchmark.explained_variance(rows, rows) == 1
    assert benchmark.explained_variance(rows, np.broadcast_to(rows.mean(0), rows.shape)) == pytest.approx(0, abs=1e-6)


def test_ours_is_compared_with_the_fastest_and_with_the_best():
    found = {"ours": result(300, 0.8), "quick": result(200, 0.5), "good": result(100, 0.9)}
    told = benchmark.compare(found)
    assert (told["fastest_rival"], told["times_faster"]) == ("quick", 1.5)
    assert told["equal_steps"] == {"best_rival": "good", "its": 0.9, "ours": 0.8}
    assert benchmark.compare({"ours": result(1, 1)}) == {}


@pytest.fixture
def contender(monkeypatch):
    """What all contenders share, found as they find it; the other benchmark has a module of that name."""
    monkeypatch.syspath_prepend(benchmark.CONTENDERS)
    monkeypatch.delitem(sys.modules, "contender", raising=False)
    yield importlib.import_module("contender")
    sys.modules.pop("contender", None)


def test_pace_is_that_of_the_median_chunk_after_the_warm_up(contender):
    assert contender.WARM_UP_STEPS == 50
    marks = [(0, 0.0), (25, 90.0), (50, 100.0), (75, 101.0), (125, 106.0), (150, 156.0)]
    assert contender.pace(marks) == 10.0
    assert contender.pace(marks[:3]) is None


def test_batches_mark_the_steps_at_which_they_are_taken(contender, tmp_path, monkeypatch):
    np.save(tmp_path / "train.npy", np.arange(40, dtype=np.float32).reshape(10, 4))
    times = iter(range(100))
    monkeypatch.setattr(contender.time, "perf_counter", lambda: next(times))
    job = contender.Job(str(tmp_path), str(tmp_path), 8, 2, 3, 60, 1, 0, 1.0, {})
    batches = list(job.batches(60))
    assert [step for step, _ in job.marks] == [0, 25, 50]
    assert len(batches) == 60 and all(tuple(batch.shape) == (3, 4) for batch in batches)


def test_a_contender_that_takes_its_batches_ahead_is_refused(contender, tmp_path, monkeypatch):
    rows = np.random.default_rng(0).normal(size=(10, 4)).astype(np.float32)
    for name in ("train", "held_out"):
        np.save(tmp_path / f"{name}.npy", rows)
    job = {"data": str(tmp_path), "out": str(tmp_path), "latents": 8, "k": 2, "batch_size": 3, "steps": 100}
    job |= {"threads": 1, "seed": 0, "rate_factor": 1.0, "options": {}}
    (tmp_path / "job.json").write_text(json.dumps(job))
    monkeypatch.setattr(sys, "argv", ["contender", str(tmp_path / "job.json")])
    times = iter([0.0, 0.0, 0.0, *[1.0 + i / 100 for i in range(4)], 50.0])
    monkeypatch.setattr(contender.time, "perf_counter", lambda: next(times))
    with pytest.raises(RuntimeError, match="ahead of its steps"):
        contender.run(lambda job, steps: list(job.batches(steps)))


def test_a_run_without_rivals_tells_what_it_did(tmp_path):
    rows = np.random.default_rng(0).normal(size=(500, 8)).astype(np.float32)
    np.save(tmp_path / "rows.npy", rows)
    command = [sys.executable, ROOT / "benchmarks/dictionaries.py", "--smoke", "--rivals", "--threads", "1"]
    done = subprocess.run([*command, "--activations", tmp_path / "rows.npy"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    ours = told["latents"]["64"]["ours"]["equal_steps"]
    assert told["rows"] == {"train": 450, "held_out": 50, "width": 8}
    assert 0 < ours["explained_variance"] < 1 and 0 < ours["l0"] <= 4 and ours["activations_per_second"] > 0
