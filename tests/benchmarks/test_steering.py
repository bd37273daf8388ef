"""The steering benchmark runs on a study, and times every kind of call."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_a_small_study_from_the_command_line(tiny_study):
    sizes = ["--calls", "3", "--users", "40", "--identity", "30"]
    command = [sys.executable, "benchmarks/steering.py", str(tiny_study), *sizes]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert set(found["ms_per_call"]) == {"last", "all"}
    for calls in found["ms_per_call"].values():
        assert {"pass", "plain", "add", "set", "mass", "41 strengths, add", "why"} <= set(calls)
        assert calls["pass"]["of_a_pass"] == 1
        for times in calls.values():
            assert 0 < times["cpu"]["p50"] <= times["cpu"]["p95"]
    assert all(rate > 0 for rates in found["users_per_second"].values() for rate in rates.values())
    assert found["curve_of"]["users"] == 40 and found["curve_of"]["lists_per_second"] > 0
    assert len(found["error"]) == 7 and all(0 <= e <= 1e-6 for name, e in found["error"].items() if name != "positions")
    assert found["identity"] == {"test_users": 30, "same_items": 30, "same_scores": 30}
