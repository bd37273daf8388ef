"""Studies of earlier versions: opened, their stale stages told and built anew, or refused with the command that does.

formats/: one manifest of each form that was ever written, as it was; the number is its format.
"""

import json
import shlex
from pathlib import Path

import pytest

from seqsae_core.__main__ import _parser, chosen
from seqsae_core.build import build, out_of_date
from seqsae_core.config import preset, to_dict
from seqsae_core.errors import UserError
from seqsae_core.study import Study

FORMS = sorted((Path(__file__).parent / "formats").glob("*.json"))


FIRST = FORMS[[form.stem for form in FORMS].index("1-first")]


def study_of(manifest: str, folder: Path) -> Path:
    """A study's folder with this manifest and nothing else."""
    folder.mkdir()
    (folder / "manifest.json").write_text(manifest)
    return folder


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.stem)
def test_a_manifest_of_every_form_is_read_and_its_command_builds_the_same_settings(form, tmp_path):
    study = Study.open(study_of(form.read_text(), tmp_path / "old"))
    old = json.loads(form.read_text())
    there = {part: to_dict(study.config)[part] for part in ("data", "recommender", "sae", "evidence", "steering")}
    for part, values in there.items():
        assert {name: values[name] for name in old["config"][part]} == old["config"][part]
    command = shlex.split(study.build_command())[3:]
    anew = chosen(_parser().parse_args(command))
    assert (anew.preset, anew.seed, anew.data.source) == (study.config.preset, old["seed"], study.config.data.source)
    assert anew.recommender.architecture == study.config.recommender.architecture


@pytest.mark.parametrize("theirs", [0, 2, 99, "1", None, True, [1]])
def test_another_format_is_refused_with_the_command_that_rebuilds_it(theirs, tmp_path):
    manifest = json.loads(FIRST.read_text()) | {"format": theirs}
    folder = study_of(json.dumps(manifest), tmp_path / "old")
    with pytest.raises(UserError, match=rf"format .*Build it again: `.*--preset tiny.*--out {folder}`"):
        Study.open(folder)


def test_a_setting_that_this_version_has_not_is_refused_with_the_command_that_rebuilds_it(tmp_path):
    manifest = json.loads(FIRST.read_text())
    manifest["config"]["recommender"]["dropped_setting"] = 3
    study = Study.open(study_of(json.dumps(manifest), tmp_path / "old"))
    with pytest.raises(UserError, match=r"dropped_setting.*Build it again: `.*--preset tiny"):
        study.config  # noqa: B018


def test_a_study_of_the_first_form_is_built_anew_over_it(tmp_path, tiny_study):
    folder = study_of(FIRST.read_text(), tmp_path / "old")
    study = build(folder, preset("tiny"))
    weights = Path("recommender/weights.safetensors")
    assert (study.path / weights).read_bytes() == (tiny_study / weights).read_bytes()
    assert not out_of_date(study, study.default_dictionary)
