"""The pipeline end to end on real rows: complete, resumable, repeatable, and its command line."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from seqsae_core import stages
from seqsae_core.__main__ import main
from seqsae_core.build import PIPELINE, build, make_stamps
from seqsae_core.config import preset
from seqsae_core.device import use_threads
from seqsae_core.errors import UserError
from seqsae_core.metrics import EVIDENCE_KINDS, STEERING_METHODS, quoted
from seqsae_core.progress import Progress
from seqsae_core.sae import autoencoders, interchange
from seqsae_core.sae import training as sae_training
from seqsae_core.steering.steerer import Steerer
from seqsae_core.study import Study, read_progress


def test_every_stage_is_there_and_the_figures_are_finite(tiny_study):
    study = Study.open(tiny_study)
    assert all(study.has(stage.name) for stage in PIPELINE)
    figures = json.loads(json.dumps(quoted(study), allow_nan=False))
    assert set(figures["evidence"]) == set(EVIDENCE_KINDS)
    assert set(figures["steering"]) == {*STEERING_METHODS, "few_labels"}
    assert figures["evidence"]["latents"]["mean_max_correlation_new_items"] is not None
    assert figures["evidence"]["ica"]["mean_max_correlation"] is None
    assert next(iter(figures["sae"])) == study.default_dictionary


def test_a_second_build_touches_nothing(tiny_study, monkeypatch):
    monkeypatch.setattr(stages, "run_data", None)
    before = (tiny_study / "manifest.json").stat().st_mtime_ns
    build(tiny_study, preset("tiny"))
    assert (tiny_study / "manifest.json").stat().st_mtime_ns == before


def test_a_changed_setting_makes_its_stage_and_the_later_ones_stale():
    config = preset("tiny")
    old = make_stamps(config, "x")
    new = make_stamps(replace(config, evidence=replace(config.evidence, bootstrap=21)), "x")
    assert {n for n in old if old[n] != new[n]} == {"screen", "evidence", "map", "steering", "extras"}
    timed = make_stamps(preset("tiny", time_budget=9.0), "x")
    assert {n for n in old if old[n] == timed[n]} == {"data"}
    assert not set(make_stamps(config, "y").values()) & set(old.values())
    assert not set(make_stamps(replace(config, seed=1), "x").values()) & set(old.values())


def test_a_build_cut_off_goes_on_and_ends_with_the_same_weights(tiny_study, tmp_path):
    folder = tmp_path / "cut"
    command = [sys.executable, "-m", "seqsae_core", "build", "--preset", "tiny", "--out", str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while process.poll() is None and not _has(folder, "recommender"):
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    kept = Study.open(folder).manifest["stages"]["recommender"]
    study = build(folder, preset("tiny"))
    assert study.manifest["stages"]["recommender"] == kept
    whole = Study.open(tiny_study)
    for a, b in zip(study.sae().parameters(), whole.sae().parameters(), strict=True):
        assert np.array_equal(a.detach().numpy(), b.detach().numpy())
    assert quoted(study)["evidence"] == quoted(whole)["evidence"]


def test_a_training_cut_off_goes_on_and_ends_with_the_same_model(tiny_study, tmp_path, monkeypatch):
    folder, told, threads = tmp_path / "cut", [], []
    monkeypatch.setattr(stages, "use_threads", lambda kept: threads.append(kept) or use_threads(kept))

    def told_until_pass_two(self, fraction, detail="", **facts):
        if detail.startswith("pass 2"):
            raise KeyboardInterrupt

    monkeypatch.setattr(Progress, "update", told_until_pass_two)
    with pytest.raises(KeyboardInterrupt):
        build(folder, preset("tiny"))
    assert list(Study.open(folder).manifest["stages"]) == ["data"]
    monkeypatch.setattr(Progress, "update", lambda self, fraction, detail="", **facts: told.append((detail, facts)))
    monkeypatch.setattr(stages, "run_sae", _power_cut)
    with pytest.raises(RuntimeError):
        build(folder, preset("tiny"))
    assert told[0][0] == "pass 1 of 2, done before" and told[0][1]["resumed"] == 0.5
    assert all(detail.startswith("pass 2") for detail, _ in told[1:-1])
    assert threads == [None, Study.open(folder).manifest["threads"]]
    study, whole = Study.open(folder), Study.open(tiny_study)
    for a, b in zip(study.model().parameters(), whole.model().parameters(), strict=True):
        assert np.array_equal(a.detach().numpy(), b.detach().numpy())
    assert quoted(study)["recommender"]["ndcg@10"] == quoted(whole)["recommender"]["ndcg@10"]
    assert not study.checkpoint("recommender").exists()


def test_a_dictionary_cut_off_goes_on_and_ends_with_the_same_bytes(tiny_study, tmp_path, monkeypatch):
    folder, steps = tmp_path / "cut", []
    shutil.copytree(tiny_study, folder)
    Study.open(folder).drop("sae")
    monkeypatch.setattr(sae_training, "CHECKPOINT_STEPS", 20)
    monkeypatch.setattr(stages, "run_evidence", _power_cut)
    advance = sae_training.Trainer.advance
    monkeypatch.setattr(sae_training.Trainer, "advance", lambda self: steps.append(self.step) or advance(self))
    update = Progress.update

    def told_until_step_50(self, fraction, detail="", **facts):
        if detail.startswith("explained variance") and len(steps) == 50:
            raise KeyboardInterrupt
        update(self, fraction, detail, **facts)

    with monkeypatch.context() as patched:
        patched.setattr(Progress, "update", told_until_step_50)
        with pytest.raises(KeyboardInterrupt):
            build(folder, preset("tiny"))
    assert not Study.open(folder).has("sae") and steps == list(range(50))
    steps.clear()
    with pytest.raises(RuntimeError):
        build(folder, preset("tiny"))
    assert steps == list(range(40, 60))
    again, whole = Study.open(folder), Study.open(tiny_study)
    for name in ("sae_weights.safetensors", "cfg.json", "metrics.json"):
        assert (again.folder("sae") / name).read_bytes() == (whole.folder("sae") / name).read_bytes()
    assert not again.checkpoint("sae").exists()


def test_a_dictionary_of_another_model_is_refused_and_one_that_names_none_is_not(tiny_study, tmp_path):
    study = Study.open(shutil.copytree(tiny_study, tmp_path / "changed"))
    del study.manifest["stages"][f"dictionaries/{study.default_dictionary}/sae"]["sha256"]  # as earlier versions were
    ours, cfg = study.model_fingerprint(), study.folder("sae") / "cfg.json"
    assert json.loads(cfg.read_text())["metadata"]["model"] == ours
    cfg.write_text(cfg.read_text().replace(ours, "0123456789abcdef"))
    with pytest.raises(UserError, match=rf"model 0123456789abcdef, the study's is {ours}.*build .*changed-again"):
        study.sae()
    interchange.save(Study.open(tiny_study).sae(), cfg.parent, layer=1)
    assert study.sae().width == 16
    interchange.save(autoencoders.TopK(8, 64, 4), cfg.parent, layer=1)
    with pytest.raises(UserError, match=r"width 8, the model's have 16.*build .*changed-again"):
        study.sae()


@pytest.mark.parametrize("name", ["sae_weights.safetensors", "cfg.json"])
def test_a_dictionary_that_was_put_in_anothers_place_is_refused(tiny_study, tmp_path, name):
    study = Study.open(shutil.copytree(tiny_study, tmp_path / "changed"))
    path = study.folder("sae") / name
    original = path.read_bytes()
    other = autoencoders.TopK(16, 64, 5)
    interchange.save(other, tmp_path, layer=1, model=study.model_fingerprint())
    shutil.copy(tmp_path / name, path)
    with pytest.raises(UserError, match=rf"{path} is not the file.*Put the original back.*build .*changed-again"):
        Steerer.from_study(study)
    path.unlink()
    with pytest.raises(UserError, match=rf"{path} is not the file"):
        study.sae()
    path.write_bytes(original)
    assert torch.equal(study.sae().W_dec, Study.open(tiny_study).sae().W_dec)


def test_a_layer_that_the_model_has_not_ends_the_build_with_those_that_it_has(tiny_study, tmp_path):
    folder, config = tmp_path / "layer", preset("tiny")
    shutil.copytree(tiny_study, folder)
    with pytest.raises(UserError, match=r"no layer 7.*1 to 2 .*3 \(final norm\)"):
        build(folder, replace(config, sae=replace(config.sae, layer=7)))
    assert "no layer 7" in read_progress(folder)["error"]


def _power_cut(*_):
    raise RuntimeError("power cut")


def test_a_training_that_diverges_fails_with_its_reason_and_keeps_what_is_done(tmp_path):
    config = preset("tiny")
    diverging = replace(config, recommender=replace(config.recommender, learning_rate=1e38))
    with pytest.raises(UserError, match="diverged: the loss is"):
        build(tmp_path / "study", diverging)
    study = Study.open(tmp_path / "study")
    assert list(study.manifest["stages"]) == ["data"]
    assert "learning_rate" in read_progress(study.path)["error"]


def _has(folder, stage) -> bool:
    try:
        return Study.open(folder).has(stage)
    except UserError:
        return False


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["build", "--preset", "huge"], "no preset"),
        (["build", "--split", "random"], "no split"),
        (["build", "--time-budget", "-1"], "above 0"),
        (["build", "--min-interactions", "0"], "give a number from 1"),
        (["build", "--data", "nowhere.csv"], "No data at nowhere.csv"),
        (["metrics", "nowhere"], "No study at nowhere"),
        (["extras", "nowhere"], "No study at nowhere"),
    ],
)
def test_bad_input_ends_with_status_2_and_one_line(arguments, message, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert message in error and "Traceback" not in error
    assert not list(tmp_path.rglob("manifest.json"))


@pytest.mark.parametrize(
    ("least", "message"),
    [("9", "sparse.csv: no users and items"), ("1", "sparse.csv: user 7 has fewer than three events (1 such users)")],
)
def test_data_too_sparse_are_told_with_the_option_that_helps(least, message, tmp_path, capsys):
    rows = [f"{user},{item},{time}" for user in range(7) for time, item in enumerate(range(4))]
    (tmp_path / "sparse.csv").write_text("\n".join(["user_id,item_id,timestamp", *rows, "7,1,0", "7,2,1"]))
    words = ["build", "--data", str(tmp_path / "sparse.csv"), "--out", str(tmp_path / "study")]
    assert main([*words, "--min-interactions", least]) == 2
    error = capsys.readouterr().err
    assert message in error and "--min-interactions" in error and "Traceback" not in error


def test_metrics_prints_one_json_object(tiny_study, capsys):
    assert main(["metrics", str(tiny_study)]) == 0
    assert set(json.loads(capsys.readouterr().out)) == {
        "data",
        "recommender",
        "sae",
        "evidence",
        "difference",
        "steering",
        "timings",
    }


def test_export_writes_what_other_tools_read(tiny_study, tmp_path, capsys):
    for kind, name in (("csv", "latents.csv"), ("json", "metrics.json"), ("saelens", "cfg.json")):
        assert main(["export", str(tiny_study), "--format", kind, "--to", str(tmp_path / kind)]) == 0
        assert (tmp_path / kind / name).stat().st_size > 0
    assert main(["export", str(tiny_study), "--to", str(tmp_path / "csv")]) == 2
    assert "not empty" in capsys.readouterr().err


def test_a_study_split_in_time_goes_the_same_way(tmp_path):
    tiny = preset("tiny", split="global-temporal")
    study = build(tmp_path / "later", tiny)
    sequences, split = study.sequences(), study.split()
    owner = np.repeat(np.arange(len(sequences)), sequences.lengths)
    place = np.arange(len(owner)) - sequences.offsets[owner]
    trained = place < split.train_end[owner]
    last = sequences.times[trained].max()
    assert last < sequences.times[~trained].min()
    found = quoted(study)["recommender"]
    at = np.flatnonzero(split.test_at >= 1)
    targets = sequences.items[sequences.offsets[at] + split.test_at[at]]
    assert (found["split"], found["users"]) == ("global-temporal", len(at))
    assert found["unseen_targets"] == pytest.approx(1 - np.isin(targets, sequences.items[trained]).mean())
    assert found["unseen_targets"] > 0
    examples = study.examples(None, "latents", int(study.features("latents").query("alive")["feature"].iloc[0]))
    assert (sequences.times[sequences.offsets[examples["user"]] + examples["event"]] <= last).all()
    json.dumps(quoted(study), allow_nan=False)


def test_a_catalogue_shorter_than_a_list_and_repeated_rows_go_the_same_way(tmp_path, capsys):
    rng = np.random.default_rng(0)
    users = np.repeat(np.arange(100), rng.integers(5, 12, 100))
    items, times = rng.integers(0, 6, len(users)), np.arange(len(users))
    rows = pd.DataFrame({"user_id": users, "item_id": items, "timestamp": times})
    pd.concat([rows, rows[:7]]).to_csv(tmp_path / "events.csv", index=False)
    study = build(tmp_path / "short", preset("tiny", source=str(tmp_path / "events.csv")))
    assert "7 repeated rows were dropped" in capsys.readouterr().err
    assert study.manifest["sizes"]["repeated_rows"] == 7
    assert study.manifest["sizes"]["interactions"] == len(rows)
    found = json.loads(json.dumps(quoted(study), allow_nan=False))["recommender"]
    assert found["hr@10"] == 1.0 > found["ndcg@10"]
    assert (study.effects()["effect"] == 0).all()


def test_the_papers_protocol_goes_the_same_way(tmp_path):
    tiny, paper = preset("tiny"), preset("paper")
    config = replace(
        tiny,
        data=replace(tiny.data, split=paper.data.split),
        recommender=replace(tiny.recommender, warm_start=False, negatives=None),
        sae=replace(tiny.sae, variant="relu", k=0, l1=paper.sae.l1),
    )
    study = build(tmp_path / "paper", config)
    split = study.split()
    assert not ((split.train_end > 0) & (split.test_at >= 0)).any()
    figures = json.loads(json.dumps(quoted(study), allow_nan=False))
    assert figures["recommender"]["split"] == "user-disjoint"
    assert "relu" in next(iter(figures["sae"]))
