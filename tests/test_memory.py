"""A build that may hold no matrix of activations in memory writes what any other writes."""

from dataclasses import replace

import numpy as np
import pytest

from seqsae_core import stages
from seqsae_core.sae.activations import Spill
from seqsae_core.study import Study


@pytest.fixture
def rooms(monkeypatch) -> list[np.ndarray]:
    """All room that was given to matrices."""
    given, room = [], Spill.room
    monkeypatch.setattr(Spill, "room", lambda self, shape: given.append(room(self, shape)) or given[-1])
    return given


@pytest.mark.parametrize("stage", ["sae", "screen", "evidence", "steering"])
def test_every_stage_reads_activations_from_files_with_the_same_result(stage, swept_study, tmp_path, rooms):
    study = Study.open(swept_study)
    run = getattr(stages, f"run_{stage}")
    run(study, replace(study.config, memory_gib=0.0), tmp_path, lambda *_, **__: None)
    assert rooms and all(isinstance(values, np.memmap) for values in rooms)
    expected = {path.name: path.read_bytes() for path in study.folder(stage).iterdir()}
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == expected
    rooms.clear()
    assert not list(study.checkpoint(stage).iterdir()), "files vanish with their matrices"
    study.checkpoint(stage).rmdir()
