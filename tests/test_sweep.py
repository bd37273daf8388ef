"""Sweeps: the grid, the figures that dictionaries are chosen by, what is done once, and the default that stays."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

from seqsae_core import stages
from seqsae_core.__main__ import main
from seqsae_core.build import out_of_date, use
from seqsae_core.config import SaeConfig, StudyConfig, preset
from seqsae_core.data.sequences import FIT, SCORE
from seqsae_core.errors import UserError
from seqsae_core.study import Study, read_progress
from seqsae_core.sweep import Grid, sweep
from tests.conftest import GRID

DEFAULT, TOPK, RELU = "layer1-topk-64-k4", "layer2-topk-64-k2", "layer2-relu-64-l1-1"
OWN = StudyConfig()


def points(**grid) -> list[SaeConfig]:
    return Grid.of(OWN, grid).points(OWN.recommender, OWN.sae)


@pytest.fixture
def study(swept_study, tmp_path) -> Study:
    """A swept study of this test's own."""
    return Study.open(shutil.copytree(swept_study, tmp_path / "swept"))


def test_a_grid_is_every_combination_with_the_studys_other_settings():
    found = points(layers=[0, 3], k=[8, 16], latents=[256, 512])
    assert {(p.layer, p.k, p.latents) for p in found} == {
        (layer, k, n) for layer in (0, 3) for k in (8, 16) for n in (256, 512)
    }
    assert {replace(p, layer=1, k=16, latents=1024) for p in found} == {OWN.sae}
    assert OWN.sae in points()
    assert {p.layer for p in points()} == {1, 2}


def test_relu_takes_penalties_in_place_of_k_and_nothing_is_there_twice():
    found = points(layers=[1, 1], k=[8, 16, 8], variants=["relu", "topk"], l1=[0.5, 1.0])
    assert [(p.variant, p.k, p.l1) for p in found] == [
        ("relu", 0, 0.5), ("relu", 0, 1.0), ("topk", 8, 0.0), ("topk", 16, 0.0)
    ]  # fmt: skip


def test_names_tell_apart_whatever_a_grid_varies():
    variants = ("topk", "batchtopk", "matryoshka", "relu")
    found = [
        point
        for steps in (3000, 100)
        for point in points(layers=[0, 1, 2, 3], variants=variants, latents=[64, 128], steps=steps)
    ]
    assert len({replace(OWN, sae=point).dictionary for point in found}) == len(found) == 4 * 4 * 2 * 3 * 2
    assert OWN.dictionary == "layer1-topk-1024-k16"


@pytest.mark.parametrize(
    ("grid", "message"),
    [
        ({"layers": [4]}, "no layer 4.*3 \\(final norm\\)"),
        ({"layers": [-1]}, "no layer -1"),
        ({"variants": ["sparse"]}, "Unknown SAE variant “sparse”"),
        ({"k": [1024]}, "k is 1024"),
        ({"k": [0]}, "k is 0"),
        ({"variants": ["relu"], "latents": [0]}, "at least 1"),
        ({"steps": 0}, "at least 1"),
        ({"variants": ["relu"], "l1": [-1.0]}, "not negative"),
    ],
)
def test_a_grid_that_cannot_be_is_refused(grid, message):
    with pytest.raises(UserError, match=message):
        points(**grid)


def test_every_point_is_trained_and_screened_and_the_default_stays(swept_study, tiny_study):
    study, before = Study.open(swept_study), Study.open(tiny_study)
    assert set(study.dictionaries) == {DEFAULT, TOPK, RELU}
    assert study.config == before.config and study.default_dictionary == before.default_dictionary == DEFAULT
    assert before.manifest["stages"].items() <= study.manifest["stages"].items()
    for name in study.dictionaries:
        found = json.loads(json.dumps(study.screen(name), allow_nan=False))
        assert 0 < found["explained_variance"] < 1 and 0 < found["l0"] <= 64
        assert None not in {**found["latents"], **found["neurons"]}.values()
    assert study.screen(TOPK)["l0"] == pytest.approx(2, abs=0.01)
    assert study.screen(TOPK)["neurons"] == study.screen(RELU)["neurons"] != study.screen(DEFAULT)["neurons"]


def test_a_dictionary_keeps_its_own_settings(swept_study):
    study = Study.open(swept_study)
    assert study.sae_config() == study.config.sae
    assert study.sae_config(RELU) == replace(study.config.sae, layer=2, variant="relu", k=0, l1=1.0)
    assert study.layer(RELU) == 2
    with pytest.raises(UserError, match=r"no settings of a dictionary “x”.*layer2"):
        study.sae_config("x")


def test_screening_reads_select_users_and_validation_targets_only(study, tmp_path, monkeypatch):
    split = study.split()
    others = np.isin(split.role, (FIT, SCORE))
    fewer = replace(
        split,
        test_at=np.full_like(split.test_at, -1),
        context_end=np.where(others, 0, split.context_end),
        valid_at=np.where(others, -1, split.valid_at),
    )
    monkeypatch.setattr(Study, "split", lambda self, sequences=None: fewer)
    config = replace(study.config, sae=study.sae_config(TOPK))
    stages.run_screen(study, config, tmp_path, lambda *_: None)
    assert json.loads((tmp_path / "metrics.json").read_text()) == study.screen(TOPK)


def test_a_second_sweep_trains_nothing(study, monkeypatch):
    monkeypatch.setattr(stages, "run_sae", None)
    monkeypatch.setattr(stages, "run_screen", None)
    assert sweep(study.path, GRID).manifest == study.manifest


def test_what_an_earlier_version_made_is_out_of_date_until_a_sweep_over_it_makes_it_anew(study, monkeypatch):
    made, run_sae, before = [], stages.run_sae, study.manifest
    note = lambda study, config, *rest: made.append(config.dictionary) or run_sae(study, config, *rest)  # noqa: E731
    monkeypatch.setattr(stages, "run_sae", note)
    assert not [name for name in study.dictionaries if out_of_date(study, name)]
    older = {key: entry | {"stamp": "older"} for key, entry in before["stages"].items() if TOPK in key}
    study.update_manifest(stages=before["stages"] | older)
    assert out_of_date(study, TOPK) == ["sae", "screen"]
    assert not out_of_date(study, RELU) + out_of_date(study, DEFAULT)
    again = sweep(study.path, {"layers": [2], "k": [2]})
    assert made == [TOPK] and not out_of_date(again, TOPK)
    assert set(again.manifest["stages"]) == set(study.manifest["stages"])
    assert again.config == study.config and again.default_dictionary == DEFAULT


def test_a_dictionary_without_settings_is_out_of_date_as_a_whole(study):
    path = study.folder("sae", RELU) / "metrics.json"
    path.write_text(json.dumps(study.sae_metrics(RELU) | {"settings": None}))
    assert out_of_date(study, RELU) == ["sae", "screen"]


def test_a_sweep_cut_off_goes_on_with_what_is_left(study, monkeypatch):
    whole, more = stages.run_screen, {"layers": [0], "k": [2, 3]}

    def cut_off(study, config, folder, report):
        if config.sae.k == 3:
            raise KeyboardInterrupt
        return whole(study, config, folder, report)

    monkeypatch.setattr(stages, "run_screen", cut_off)
    with pytest.raises(KeyboardInterrupt):
        sweep(study.path, more)
    told = {line["name"]: line["state"] for line in read_progress(study.path)["stages"]}
    assert told == {DEFAULT: "done", "layer0-topk-64-k2": "done", "layer0-topk-64-k3": "failed"}
    monkeypatch.setattr(stages, "run_screen", whole)
    monkeypatch.setattr(stages, "run_sae", None)
    assert sweep(study.path, more).has("screen", "layer0-topk-64-k3")


def test_a_sweep_needs_the_studys_own_dictionary(study, tmp_path):
    study.update_manifest(fingerprint="other data")
    with pytest.raises(UserError, match=r"stage “data” is missing.*Run `python -m seqsae_core build"):
        sweep(study.path)
    assert main(["sweep", str(tmp_path / "nowhere")]) == 2


def test_use_makes_a_dictionary_the_default_and_later_builds_keep_it(study):
    assert main(["use", str(study.path), TOPK]) == 0
    used = Study.open(study.path)
    assert used.default_dictionary == used.config.dictionary == TOPK
    assert all(used.has(stage) for stage in ("sae", "screen", "evidence", "map", "steering"))
    assert used.manifest["stages"].items() >= study.manifest["stages"].items()
    build = ["build", "--preset", "tiny", "--out", str(study.path)]
    assert main(build) == 0
    assert Study.open(study.path).manifest == used.manifest
    assert main([*build, "--memory", "0.5"]) == 0
    assert Study.open(study.path).config == replace(used.config, memory_gib=0.5)
    assert main([*build, "--seed", "1", "--data", "nowhere.csv"]) == 2
    use(study.path, DEFAULT)
    assert main(build) == 0
    assert Study.open(study.path).config == preset("tiny")


def test_the_default_changes_only_when_the_new_one_has_everything(study, monkeypatch):
    def fails(*arguments):
        raise UserError("no room left")

    with monkeypatch.context() as broken:
        broken.setattr(stages, "run_evidence", fails)
        with pytest.raises(UserError, match="no room left"):
            use(study.path, TOPK)
    still = Study.open(study.path)
    assert (still.default_dictionary, still.config) == (study.default_dictionary, study.config)
    assert "used" not in still.manifest and len(still.features()) == 64
    told = read_progress(study.path)
    assert (told["state"], told["error"], told["job"]) == ("failed", "no room left", f"use {TOPK}")


def test_an_unknown_dictionary_cannot_be_used(study, capsys):
    assert main(["use", str(study.path), "layer9"]) == 2
    assert f"no settings of a dictionary “layer9”. Choose one of: {DEFAULT}" in capsys.readouterr().err
    assert Study.open(study.path).manifest == study.manifest
