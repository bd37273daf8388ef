"""A disk that refuses: the error names the place and the remedy, and what was there stays readable."""

import os
import resource
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from safetensors import SafetensorError

from seqsae_core import log, stages
from seqsae_core.__main__ import main
from seqsae_core.build import build
from seqsae_core.config import preset
from seqsae_core.errors import UserError
from seqsae_core.files import explained
from seqsae_core.progress import Progress
from seqsae_core.reviews.store import Reviews
from seqsae_core.steering import scenarios
from seqsae_core.steering.edits import Edit
from seqsae_core.study import Study, read_progress

NOBODY = 65534


@pytest.fixture
def stale(tiny_study: Path, tmp_path: Path) -> Study:
    """A study whose map is to be made again."""
    study = Study.open(shutil.copytree(tiny_study, tmp_path / "s"))
    study.drop("map")
    return study


def said_by(action, user: int | None = None) -> str:
    """What an action says in a process of its own, run by another user where one is named and root may choose."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        if user is not None and os.getuid() == 0:
            os.setuid(user)
        try:
            said = repr(action())
        except BaseException as error:  # noqa: BLE001
            said = f"{type(error).__name__}: {error}"
        os.write(write, said.encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as answer:
        said = answer.read()
    os.waitpid(child, 0)
    return said


def opened_to_all(folder: Path, mode: int) -> None:
    """The folder and all in it readable, and with `mode` the folder itself; its parents can be passed."""
    for parent in folder.parents:
        if parent.stat().st_uid == os.getuid() and parent != Path("/"):
            parent.chmod(parent.stat().st_mode | 0o755)
    for path in folder.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
    folder.chmod(mode)


def test_a_full_disk_ends_a_stage_with_the_remedy_and_leaves_the_others(stale, monkeypatch):
    def full(study, config, folder, report):
        (folder / "half.parquet").write_bytes(b"x" * 100)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(stages, "run_map", full)
    with pytest.raises(UserError, match=rf"{stale.path}: the disk is full\. Make room"):
        build(stale.path, preset("tiny"))
    assert "the disk is full" in read_progress(stale.path)["error"]
    assert not list((stale.path / ".partial").rglob("*.parquet")), "a failed stage still takes room"
    monkeypatch.undo()
    assert build(stale.path, preset("tiny")).has("map")


def test_files_beyond_a_limit_are_refused_by_the_system_and_explained(tiny_study, tmp_path):
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    study = Study.open(shutil.copytree(tiny_study, tmp_path / "s"))
    study.drop("recommender")
    before = (study.path / "data/catalogue.parquet").read_bytes()

    def limited():
        resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, limits[1]))
        return build(study.path, preset("tiny"))

    said = said_by(limited)
    assert said.startswith("UserError") and "larger than the system allows" in said and "run it again" in said
    assert list(Study.open(study.path).manifest["stages"]) == ["data"]
    assert (study.path / "data/catalogue.parquet").read_bytes() == before
    whole = build(study.path, preset("tiny"))
    weights = "recommender/weights.safetensors"
    assert (whole.path / weights).read_bytes() == (tiny_study / weights).read_bytes()


def test_a_folder_that_may_not_be_written_is_named_and_still_read(stale):
    opened_to_all(stale.path, 0o555)
    said = said_by(lambda: build(stale.path, preset("tiny")), NOBODY)
    assert said.startswith("UserError") and str(stale.path) in said and "permission denied. Allow this user" in said
    assert said_by(lambda: Study.open(stale.path).has("evidence"), NOBODY) == "True"


@pytest.fixture
def read_only(stale: Study) -> Iterator[Study]:
    """The same on a disk that is mounted read-only, which binds root too; skips where nothing may be mounted."""
    place = str(stale.path)
    mounted = subprocess.run(["mount", "--bind", place, place], capture_output=True)
    if mounted.returncode:
        pytest.skip("no right to mount")
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", place], check=True)
        yield stale
    finally:
        subprocess.run(["umount", place], check=True)


def test_a_disk_that_is_mounted_read_only_is_named_and_the_study_still_read(read_only):
    with pytest.raises(UserError, match=rf"{read_only.path}.*the disk is mounted read-only\. Choose another folder"):
        build(read_only.path, preset("tiny"))
    with pytest.raises(UserError, match="mounted read-only"):
        scenarios.save(read_only.scenarios, scenarios.Scenario("evening", (Edit(3, 1.0),), "f" * 16))
    with pytest.raises(UserError, match=r"reviews.sqlite cannot be written: it, or its folder, is read-only"):
        Reviews(read_only.reviews).register("f" * 16, "layer1")
    log.write(read_only.path, "page")
    found = Study.open(read_only.path)
    assert found.has("evidence") and not found.has("map")
    assert len(found.features()) and not Reviews(found.reviews).events()


def test_a_file_that_may_not_be_read_is_named(stale):
    opened_to_all(stale.path, 0o755)
    (stale.path / "manifest.json").chmod(0)
    said = said_by(lambda: Study.open(stale.path), NOBODY)
    assert said.startswith("UserError") and "manifest.json: permission denied" in said


def test_the_command_line_says_it_in_one_line(stale, tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert main(["export", str(stale.path), "--to", str(tmp_path / "file" / "below")]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ") and str(tmp_path / "file") in error and error.count("\n") == 1


def test_a_scenario_that_cannot_be_kept_is_said(tmp_path):
    (tmp_path / "scenarios").write_text("a file where the folder should be")
    one = scenarios.Scenario("family evening", (Edit(3, 1.0),), "f" * 16)
    with pytest.raises(UserError, match=r"scenarios: .*choose another folder"):
        scenarios.save(tmp_path / "scenarios", one)


def test_a_progress_that_cannot_be_written_does_not_end_the_work(tmp_path):
    progress = Progress(tmp_path / "gone" / "progress.json", [("data", "Reading", 1.0)])
    progress.start("data")
    progress.done("data")
    progress.finish()
    assert not (tmp_path / "gone").exists()


@pytest.mark.parametrize(
    "error",
    [OSError(30, "Read-only file system"), SafetensorError("I/O error: Read-only file system (os error 30)")],
)
def test_the_reason_is_found_in_the_words_of_libraries_too(error, tmp_path):
    with pytest.raises(UserError, match="mounted read-only"), explained(tmp_path):
        raise error


def test_errors_of_other_kinds_are_left_as_they_are(tmp_path):
    with pytest.raises(ValueError, match="nothing of the disk"), explained(tmp_path):
        raise ValueError("nothing of the disk")
