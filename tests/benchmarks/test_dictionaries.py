"""The benchmark of dictionaries judges everyone by one formula, and compares what it says."""

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
