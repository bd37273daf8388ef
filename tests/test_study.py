"""A study folder never shows half a stage, nor old results beside new ones."""

import json

import pytest

from seqsae_core.errors import UserError
from seqsae_core.study import Study, write_json

DICTIONARY = "layer1"


@pytest.fixture
def study(tmp_path) -> Study:
    study = Study.create(tmp_path / "s", {"config": {}, "default_dictionary": DICTIONARY})
    for name in ("data", "recommender", "sae", "evidence", "map", "steering"):
        with study.stage(name, None if name in ("data", "recommender") else DICTIONARY, f"{name}-1") as (
            folder,
            _,
        ):
            (folder / "made.txt").write_text(f"{name} 1")
    return study


def test_a_finished_stage_is_seen_by_a_new_reader(study):
    reader = Study.open(study.path)
    assert reader.stamp("evidence") == "evidence-1"
    assert (reader.folder("evidence") / "made.txt").read_text() == "evidence 1"
    assert reader.dictionaries == [DICTIONARY]


def test_a_stage_that_fails_leaves_the_old_one(study):
    with pytest.raises(RuntimeError), study.stage("evidence", DICTIONARY, "evidence-2") as (folder, _):  # noqa: PT012
        (folder / "made.txt").write_text("half")
        raise RuntimeError("power cut")
    reader = Study.open(study.path)
    assert reader.stamp("evidence") == "evidence-1"
    assert (reader.folder("evidence") / "made.txt").read_text() == "evidence 1"
    assert reader.has("steering")


@pytest.mark.parametrize(
    ("again", "left"),
    [
        ("data", {"data"}),
        ("recommender", {"data", "recommender"}),
        ("sae", {"data", "recommender", "sae"}),
        ("evidence", {"data", "recommender", "sae", "evidence"}),
        ("map", {"data", "recommender", "sae", "evidence", "map", "steering"}),
        ("steering", {"data", "recommender", "sae", "evidence", "map", "steering"}),
    ],
)
def test_what_was_made_from_an_older_stage_is_forgotten(study, again, left):
    with study.stage(again, None if again in ("data", "recommender") else DICTIONARY, "new"):
        pass
    reader = Study.open(study.path)
    names = ("data", "recommender", "sae", "evidence", "map", "steering")
    assert {n for n in names if reader.has(n, None if n in ("data", "recommender") else DICTIONARY)} == left


def test_a_checkpoint_outlives_an_interruption_but_not_a_commit_nor_another_stamp(study):
    kept = study.checkpoint("recommender") / "kept.txt"

    def attempt(stamp: str, error: type[BaseException] | None) -> bool:
        """Whether the stage found a checkpoint of its own."""
        with study.stage("recommender", None, stamp):
            found = kept.exists()
            kept.write_text("half-way")
            if error:
                raise error
        return found

    with pytest.raises(KeyboardInterrupt):
        attempt("new", KeyboardInterrupt)
    with study.stage("sae", DICTIONARY, "other"):
        pass
    assert attempt("new", None)
    assert not kept.parent.exists()
    with pytest.raises(KeyboardInterrupt):
        attempt("new", KeyboardInterrupt)
    assert not attempt("another", None)
    assert not Study.open(study.path).checkpoint("recommender").exists()


def test_missing_stage_names_the_command(tmp_path):
    study = Study.create(tmp_path / "s", {"config": {}, "default_dictionary": DICTIONARY})
    with pytest.raises(UserError, match="no dictionary yet"):
        study.default_dictionary  # noqa: B018
    with pytest.raises(UserError, match="python -m seqsae_core build --out"):
        study.folder("data")


def test_missing_damaged_and_foreign_manifests(tmp_path):
    with pytest.raises(UserError, match="No study at"):
        Study.open(tmp_path)
    (tmp_path / "manifest.json").write_text("{")
    with pytest.raises(UserError, match="damaged"):
        Study.open(tmp_path)
    (tmp_path / "manifest.json").write_text(json.dumps({"format": 1, "config": {"preset": []}}))
    with pytest.raises(UserError, match=r"damaged.*preset"):
        Study.open(tmp_path)
    (tmp_path / "manifest.json").write_text(json.dumps({"format": 99}))
    with pytest.raises(UserError, match=r"format 99.*Build it again"):
        Study.open(tmp_path)


def test_json_refuses_nan(tmp_path):
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "x.json", {"figure": float("nan")})
