"""`verify`: a study that is as it was built holds; a byte, a figure or a source that is not is named."""

import json
import shutil

import pytest

from seqsae_core.__main__ import main
from seqsae_core.study import Study
from seqsae_core.verify import verify


@pytest.fixture
def study(tiny_study, tmp_path) -> Study:
    return Study.open(shutil.copytree(tiny_study, tmp_path / "s"))


def test_what_was_just_built_holds_to_the_last_bit(study):
    found = verify(study.path, tolerance=0.0)
    assert found.holds and not found.findings and not found.left_out
    files = sum(len(entry["sha256"]) for entry in study.manifest["stages"].values())
    assert files == sum(path.is_file() for key in study.manifest["stages"] for path in (study.path / key).iterdir())
    assert found.checked > files + 300


def test_a_changed_file_and_a_changed_figure_are_named_and_the_command_ends_badly(study, capsys):
    path = study.folder("recommender") / "metrics.json"
    metrics = json.loads(path.read_text())
    metrics["ndcg@10"] += 0.001
    path.write_text(json.dumps(metrics))
    assert main(["verify", str(study.path)]) == 2
    said = capsys.readouterr()
    wrong = {one["what"]: one for one in json.loads(said.out)["findings"] if one["wrong"]}
    assert set(wrong) == {"file recommender/metrics.json", "recommender.ndcg@10"}
    assert wrong["recommender.ndcg@10"]["stored"] == pytest.approx(wrong["recommender.ndcg@10"]["found"] + 0.001)
    assert "is not what its manifest says: file recommender/metrics.json" in said.err


def test_another_source_is_wrong_and_other_circumstances_only_explain(study, monkeypatch):
    study.manifest["versions"]["torch"] = "1.0"
    study.update_manifest(fingerprint="0" * 64, threads=1)
    monkeypatch.setattr("seqsae_core.verify._evidence", lambda _: ({}, {}))
    monkeypatch.setattr("seqsae_core.verify._steering", lambda _: ({}, {}))
    (study.folder("map") / "map.parquet").unlink()
    found = verify(study.path)
    key = f"dictionaries/{study.default_dictionary}/map/map.parquet"
    assert {one.what: one.wrong for one in found.findings} == {
        "data movietweetings": True, f"file {key}": True, "versions.torch": False,
    }  # fmt: skip
