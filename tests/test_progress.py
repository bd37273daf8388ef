"""Progress of a build: the file, its readers, the time left, the terminal."""

import io
import json
import os
import subprocess
import sys
import time
from dataclasses import replace

import pytest

from seqsae_core import progress
from seqsae_core.progress import Progress, StageProgress, eta, read

STAGES = [("data", "Reading", 5.0), ("model", "Training", 100.0), ("map", "Drawing", 20.0)]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "progress.json"


class Screen(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def states(path):
    return [s["state"] for s in read(path)["stages"]]


def test_a_build_from_start_to_end(path):
    build = Progress(path, STAGES, io.StringIO())
    assert states(path) == ["waiting"] * 3
    build.skip("data")
    build.start("model")
    assert states(path) == ["done", "running", "waiting"]
    assert read(path)["state"] == "running" and read(path)["pid"] == os.getpid()
    build.done("model", "NDCG@10 .121")
    build.start("map")
    build.done("map")
    build.finish()
    found = read(path)
    assert found["state"] == "done" and found["eta_seconds"] is None and found["error"] is None
    assert found["stages"][1]["detail"] == "NDCG@10 .121" and found["stages"][1]["fraction"] == 1.0
    assert found["stages"][0]["detail"] == "already built" and found["stages"][0]["seconds"] == 0
    assert set(found["stages"][0]) == {
        "name", "label", "state", "fraction", "seconds", "budget_seconds", "detail"
    }  # fmt: skip
    assert list(path.parent.iterdir()) == [path]


def test_a_failed_stage_fails_the_build_and_says_why(path):
    build = Progress(path, STAGES, io.StringIO())
    build.start("data")
    build.fail("data", "ratings.csv has no column user_id")
    found = read(path)
    assert found["state"] == "failed" and found["error"] == "ratings.csv has no column user_id"
    assert found["stages"][0]["state"] == "failed" and found["stages"][0]["fraction"] < 1


def test_updates_are_written_but_not_all_of_them(path, monkeypatch):
    build = Progress(path, STAGES, io.StringIO())
    build.start("model")
    writes = []
    monkeypatch.setattr(progress.os, "replace", lambda *_: writes.append(1))
    for step in range(1000):
        build.update(step / 1000, "step")
    assert len(writes) < 100
    monkeypatch.undo()
    build.done("model")


@pytest.mark.parametrize("fraction", [-1.0, 2.0])
def test_a_fraction_outside_its_range_is_clamped(path, fraction, monkeypatch):
    monkeypatch.setattr(progress, "WRITE_EVERY", 0.0)
    build = Progress(path, STAGES, io.StringIO())
    build.start("model")
    build.update(fraction)
    assert 0 <= read(path)["stages"][1]["fraction"] <= 1
    build.done("model")


def test_a_silent_stage_keeps_beating_and_stops_with_its_end(path, monkeypatch):
    monkeypatch.setattr(progress, "BEAT_EVERY", 0.01)
    build = Progress(path, STAGES, io.StringIO())
    build.start("model")
    first = wait_for(lambda: json.loads(path.read_text())["updated"], lambda _: True)
    wait_for(lambda: json.loads(path.read_text())["updated"], lambda now: now > first)
    build.done("model")
    assert states(path)[1] == "done"


def wait_for(read_value, accept):
    for _ in range(1000):
        if accept(value := read_value()):
            return value
        time.sleep(0.01)
    raise AssertionError("it never came")


def test_a_build_whose_process_is_gone_is_interrupted(path):
    code = (
        "import sys; from seqsae_core.progress import Progress\n"
        "Progress(sys.argv[1], [('a', 'A', 1.0)]).start('a')"
    )
    subprocess.run([sys.executable, "-c", code, str(path)], check=True, stderr=subprocess.DEVNULL)
    assert json.loads(path.read_text())["state"] == "running"
    assert read(path)["state"] == "interrupted" and read(path)["eta_seconds"] is None


def test_a_build_that_went_silent_is_interrupted_even_if_its_pid_lives_on(path):
    Progress(path, STAGES, io.StringIO())
    stale = json.loads(path.read_text()) | {"updated": time.time() - 31}
    path.write_text(json.dumps(stale))
    assert read(path)["state"] == "interrupted"


@pytest.mark.parametrize("text", [None, "", "{"])
def test_no_file_or_a_torn_one_is_none(path, text):
    if text is not None:
        path.write_text(text)
    assert read(path) is None


def test_time_left_is_the_budget_at_first():
    assert eta([StageProgress(*s) for s in STAGES]) == 125


def stage(budget, state, fraction, seconds, reported=None):
    told = seconds if reported is None else reported
    return StageProgress("a", "A", budget, state, fraction, seconds, reported=told)


def test_time_left_scales_with_the_pace():
    assert eta([stage(90.0, "done", 1.0, 190.0), StageProgress("b", "B", 30.0)]) == pytest.approx(60.0)


def test_the_running_stage_counts_by_its_fraction():
    assert eta([stage(100.0, "running", 0.4, 90.0)]) == pytest.approx(0.6 * 100 * 2)


def test_time_left_falls_between_reports():
    before, after = stage(100.0, "running", 0.4, 90.0), stage(100.0, "running", 0.4, 95.0, 90.0)
    assert eta([before]) - eta([after]) == pytest.approx(5.0)


def test_a_standing_fraction_does_not_slow_the_pace():
    running, later = stage(20.0, "running", 0.1, 500.0, 2.0), StageProgress("b", "B", 60.0)
    assert 60 <= eta([running, later]) <= 65


def test_skipped_stages_say_nothing_about_pace():
    assert eta([stage(90.0, "done", 1.0, 0.0), StageProgress("b", "B", 30.0)]) == 30


def test_what_an_earlier_run_did_does_not_quicken_the_pace():
    running = replace(stage(100.0, "running", 0.6, 20.0), resumed=0.5)
    assert eta([running]) == pytest.approx(0.4 * 100 * (10 + 20) / (10 + 10))


def test_a_resumed_stage_stays_resumed(path):
    build = Progress(path, STAGES, io.StringIO())
    build.start("model")
    build.update(0.75, "pass 4", resumed=0.75)
    build.update(1.0, "test users")
    assert read(path)["eta_seconds"] == pytest.approx(125, abs=5)
    build.done("model")


def test_a_stage_shows_what_it_logged_until_it_logs_anew(path, monkeypatch):
    monkeypatch.setattr(progress, "WRITE_EVERY", 0.0)
    build = Progress(path, STAGES, io.StringIO())
    build.start("model")
    build.update(0.1, "pass 1", log=[{"pass": 1}])
    build.update(0.2, "pass 1")
    assert read(path)["stages"][1]["log"] == [{"pass": 1}]
    build.update(0.3, "pass 2", log=[{"pass": 1}, {"pass": 2}])
    assert read(path)["stages"][1]["log"] == [{"pass": 1}, {"pass": 2}]
    assert "log" not in read(path)["stages"][2]
    build.done("model")


def test_time_left_never_reaches_zero_while_a_silent_stage_overruns():
    assert eta([stage(20.0, "running", 0.0, 500.0, 0.0)]) > 0


def test_a_log_gets_one_line_a_stage_and_no_control_characters(path):
    log = io.StringIO()
    build = Progress(path, STAGES, log)
    build.skip("data")
    build.start("model")
    for step in range(100):
        build.update(step / 100)
    build.done("model", "NDCG@10 .121")
    assert log.getvalue().splitlines()[0] == "1/3 Reading: done. already built"
    assert len(log.getvalue().splitlines()) == 2 and "NDCG@10 .121" in log.getvalue()
    assert "\r" not in log.getvalue() and "\x1b" not in log.getvalue()


def test_a_terminal_gets_one_line_redrawn(path):
    screen = Screen()
    build = Progress(path, STAGES, screen)
    build.start("model")
    build.update(0.5)
    build.done("model")
    assert screen.getvalue().count("\n") == 1 and "\r" in screen.getvalue()
    assert "left" in screen.getvalue()
