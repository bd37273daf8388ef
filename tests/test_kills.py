"""Builds that are killed end with the same bytes: a share of what benchmarks/reliability.py tries."""

import os
import shutil

import pytest

from benchmarks.faults import kills
from seqsae_core import stages  # noqa: F401 - imported before forking
from seqsae_core.config import preset
from seqsae_core.study import Study


@pytest.mark.parametrize(("stage", "step"), [("map", 4)])
def test_a_build_killed_before_any_change_of_names_ends_with_the_same_bytes(tiny_study, tmp_path, stage, step):
    found = kills.at_every_change(tiny_study, tmp_path / "killed" / "study", preset("tiny"), (stage,), step)
    assert found.complaints == []
    assert found.tried == found.fell == found.survived >= 3
    assert found.reads > 0 and found.half_stages == 0


def test_a_stage_that_is_listed_but_not_whole_would_be_seen(tiny_study, tmp_path):
    folder, found = tmp_path / "s", kills.Found()
    shutil.copytree(tiny_study, folder)
    wanted = kills.digests(Study.open(tiny_study))
    (folder / "data/catalogue.parquet").write_bytes(b"half")
    with kills.read_meanwhile(folder, wanted, found):
        while not found.reads:
            os.sched_yield()
    assert found.half_stages > 0 and "data is not whole" in found.complaints
