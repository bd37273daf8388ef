"""What a build says about itself."""

import io
import json
import subprocess
import sys

import pytest

from seqsae_core.progress import Progress, read

STAGES = [("a", "First", 10.0), ("b", "Second", 30.0)]


def test_stages_pass_through_their_states(tmp_path):
    path, out = tmp_path / "progress.json", io.StringIO()
    progress = Progress(path, STAGES, out)
    assert read(path)["eta_seconds"] == 40
    progress.skip("a")
    progress.start("b")
    assert [s["state"] for s in read(path)["stages"]] == ["done", "running"]
    progress.done("b", "all well")
    progress.finish()
    found = read(path)
    assert (found["state"], found["eta_seconds"], found["stages"][1]["detail"]) == ("done", 0, "all well")
    assert "[2/2] Second" in out.getvalue() and "all well" in out.getvalue()


def test_time_left_follows_the_pace(tmp_path):
    progress = Progress(tmp_path / "p.json", STAGES, io.StringIO())
    progress.stages[0] |= {"state": "done", "fraction": 1.0, "seconds": 20.0}
    assert progress.eta_seconds() == pytest.approx(60.0)


def test_failure_keeps_its_message(tmp_path):
    progress = Progress(tmp_path / "p.json", STAGES, io.StringIO())
    progress.start("a")
    progress.fail("a", "disk full")
    found = read(tmp_path / "p.json")
    assert (found["state"], found["error"], found["stages"][0]["state"]) == ("failed", "disk full", "failed")


def test_a_process_that_is_gone_reads_as_interrupted(tmp_path):
    path = tmp_path / "p.json"
    Progress(path, STAGES, io.StringIO())
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    path.write_text(json.dumps(read(path) | {"pid": child.pid}))
    assert read(path)["state"] == "interrupted"
    path.write_text("{")
    assert read(path) is None and read(tmp_path / "none.json") is None
