"""The cost-growth benchmark runs, and its parts add up to what was spent."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np

from benchmarks import growth

ROOT = Path(__file__).resolve().parents[2]
COSTS = (
    "seconds_per_pass", "validation_seconds_per_1000_users", "warm_start_seconds", "test_seconds_per_1000_users",
    "baselines_seconds_per_1000_users", "training_peak_gib",
)  # fmt: skip


def test_a_small_case_from_the_command_line():
    command = [sys.executable, "benchmarks/growth.py", "--case", "one", "--users", "60"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["users"], found["items"]) == (60, growth.ITEMS)
    assert all(found[name] > 0 for name in COSTS)
    assert found["peak_gib"] >= found["training_peak_gib"]


def test_made_up_histories_grow_as_the_cases_say():
    sequences = growth.zipf_histories(users=400, n_items=50, seed=0)
    assert len(sequences) == 400 and sequences.lengths.min() >= 5 and sequences.lengths.max() <= 35
    counts = np.bincount(sequences.items, minlength=51)
    assert counts[0] == 0 and 1.5 < counts[1] / counts[2] < 2.7
