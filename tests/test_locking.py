"""One writer a study: who is refused, what is said, and what a killed owner leaves behind."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from seqsae_core.build import build
from seqsae_core.config import preset
from seqsae_core.errors import UserError
from seqsae_core.locking import LOCK, writing
from seqsae_core.study import Study

HOLDER = """
import sys, time
from pathlib import Path
from seqsae_core.locking import writing
with writing(Path(sys.argv[1]), "sweep"):
    print("held", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def holder(tmp_path):
    """Another process that holds the lock of tmp_path / "s"."""
    process = subprocess.Popen([sys.executable, "-c", HOLDER, str(tmp_path / "s")], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()


def test_a_second_writer_is_told_who_holds_the_lock_what_for_and_since_when(tmp_path, holder):
    lock = tmp_path / "s" / LOCK
    lock.write_text(json.dumps(json.loads(lock.read_text()) | {"since": time.time() - 125}))
    with pytest.raises(UserError, match=rf"being built by process {holder.pid} \(sweep, for 2:0[5-9] min\)"):
        build(tmp_path / "s", preset("tiny"))
    assert not Study.exists(tmp_path / "s")
    lock.write_text("{torn")
    with pytest.raises(UserError, match="being built by another process"), writing(tmp_path / "s", "build"):
        pass


def test_the_lock_of_a_killed_owner_is_free_at_once_although_its_text_stays(tmp_path, holder):
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    assert json.loads((tmp_path / "s" / LOCK).read_text())["pid"] == holder.pid
    with writing(tmp_path / "s", "build"):
        assert json.loads((tmp_path / "s" / LOCK).read_text())["pid"] == os.getpid()
        with pytest.raises(UserError, match=f"process {os.getpid()}"), writing(tmp_path / "s", "build"):
            pass
    assert (tmp_path / "s" / LOCK).read_text() == ""


def test_a_lock_that_names_another_machine_says_so(tmp_path, holder):
    lock = tmp_path / "s" / LOCK
    lock.write_text(json.dumps(json.loads(lock.read_text()) | {"host": "elsewhere"}))
    with pytest.raises(UserError, match=rf"process {holder.pid} on elsewhere"), writing(tmp_path / "s", "build"):
        pass


def test_a_finished_study_is_opened_without_the_lock(tiny_study, tmp_path):
    with writing(tiny_study, "sweep"):
        assert build(tiny_study, preset("tiny")).has("steering")
