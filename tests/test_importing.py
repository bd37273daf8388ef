"""Dictionaries that were trained elsewhere: measured as our own are, under names of their own, and never mistaken."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from seqsae_core.__main__ import main
from seqsae_core.build import build, build_extras, in_use, out_of_date, use
from seqsae_core.config import preset
from seqsae_core.dashboard.dictionaries import dictionaries
from seqsae_core.errors import UserError
from seqsae_core.importing import import_dictionary
from seqsae_core.sae import interchange
from seqsae_core.sae.autoencoders import TopK
from seqsae_core.study import Study, read_progress
from seqsae_core.sweep import sweep
from tests.conftest import GRID

DEFAULT, TOPK = "layer1-topk-64-k4", "layer2-topk-64-k2"
PARTS = ("sae", "screen", "evidence", "map", "steering")


@pytest.fixture
def study(swept_study, tmp_path) -> Study:
    """A swept study of this test's own."""
    return Study.open(shutil.copytree(swept_study, tmp_path / "swept"))


@pytest.fixture
def foreign(swept_study, tmp_path) -> Path:
    """The study's own dictionary of layer 2 as sparsify would have saved it."""
    sae, folder = Study.open(swept_study).sae(TOPK), tmp_path / "their SAE"
    folder.mkdir()
    weights = {"encoder.weight": sae.W_enc.T, "encoder.bias": sae.b_enc, "W_dec": sae.W_dec, "b_dec": sae.b_dec}
    save_file({name: values.contiguous() for name, values in weights.items()}, folder / "sae.safetensors")
    (folder / "cfg.json").write_text(json.dumps({"d_in": 16, "k": 2, "activation": "topk"}))
    return folder


def test_an_imported_dictionary_is_measured_as_the_same_trained_here(study, foreign, capsys):
    assert main(["import-dictionary", str(study.path), str(foreign), "--layer", "2"]) == 0
    assert "4 dictionaries" in capsys.readouterr().out
    name, after = "imported-their-SAE", Study.open(study.path)
    assert after.dictionaries[0] == after.default_dictionary == DEFAULT and name in after.dictionaries
    assert after.config == study.config and not out_of_date(after, name)
    for figure in ("explained_variance", "l0", "ce_recovered", "ndcg_change", "rbo@10"):
        assert after.sae_metrics(name)[figure] == pytest.approx(study.sae_metrics(TOPK)[figure], abs=1e-3)
    for kind in ("latents", "neurons"):
        assert after.screen(name)[kind] == pytest.approx(study.screen(TOPK)[kind], abs=1e-3)
    settings = after.sae_config(name)
    assert (settings.variant, settings.layer, settings.latents, settings.k) == ("topk", 2, 64, 2)
    assert (settings.imported, settings.steps, settings.learning_rate) == (name, 0, 0.0)
    assert {line["name"]: line["state"] for line in read_progress(study.path)["stages"]} == {name: "done"}
    row = dictionaries.rows(after).set_index("name").loc[name]
    assert (row["variant_name"], row["layer"], row["k"], row["imported"]) == ("imported TopK", 2, 2, name)


def test_use_opens_it_and_later_builds_keep_it_while_the_model_is_the_same(study, foreign):
    import_dictionary(study.path, foreign, 2, "theirs")
    assert main(["use", str(study.path), "theirs"]) == 0
    used, config = Study.open(study.path), preset("tiny")
    assert used.default_dictionary == used.config.dictionary == "theirs"
    assert all(used.has(stage) for stage in PARTS)
    assert len(used.features()) == len(used.effects()) == 64
    assert in_use(study.path, config) == used.config
    with pytest.raises(UserError, match=rf"“theirs” was imported.*use {study.path} NAME"):
        build_extras(study.path)
    again = sweep(study.path, GRID | {"layers": [0], "variants": ["topk"]})
    assert again.sae_config("layer0-topk-64-k2") == replace(config.sae, layer=0, k=2)
    assert again.default_dictionary == "theirs"
    stages = again.manifest["stages"]
    again.update_manifest(stages=stages | {"recommender": stages["recommender"] | {"stamp": "older"}})
    assert in_use(study.path, config) == config


def test_it_is_made_anew_without_the_folder_that_it_came_from(study, foreign):
    before = import_dictionary(study.path, foreign, 2, "theirs")
    shutil.rmtree(foreign)
    key = "dictionaries/theirs/sae"
    before.update_manifest(stages=before.manifest["stages"] | {key: before.manifest["stages"][key] | {"stamp": "x"}})
    assert out_of_date(before, "theirs") == ["sae"]
    weights = before.sae("theirs").W_dec
    after = use(study.path, "theirs")
    assert not out_of_date(after, "theirs") and torch.equal(after.sae("theirs").W_dec, weights)


def test_it_is_not_put_on_another_model(study, foreign):
    import_dictionary(study.path, foreign, 2, "theirs")
    other = replace(study.config, sae=Study.open(study.path).sae_config("theirs"), seed=1)
    with pytest.raises(UserError, match=r"imported/theirs was trained on the model .*Build without it.*build --preset"):
        build(study.path, other)
    assert Study.open(study.path).dictionaries == []


def test_dictionaries_of_saelens_come_in_too(study, tmp_path):
    torch.manual_seed(0)
    sae = study.sae(TOPK)
    weights = {name: values.contiguous() for name, values in sae.state_dict().items()}
    folder = tmp_path / "jump"
    folder.mkdir()
    save_file(weights | {"threshold": torch.full((64,), 0.05)}, folder / "sae_weights.safetensors")
    config = {"architecture": "jumprelu", "d_in": 16, "d_sae": 64, "apply_b_dec_to_input": True}
    (folder / "cfg.json").write_text(json.dumps(config))
    settings = import_dictionary(study.path, folder, 2).sae_config("imported-jump")
    assert (settings.variant, settings.k) == ("jumprelu", 0)
    sentence = dictionaries.sentence(settings, study.config.recommender)
    assert sentence == "read after block 2 by an imported JumpReLU sparse autoencoder with 64 latents"


BAD = [
    ({"source": "nowhere"}, "nowhere is no dictionary"),
    ({"source": "narrow"}, "reads activations of width 8, the model's have 16. Name a folder"),
    ({"source": "of another"}, "was trained on the model 0123, the study's is"),
    ({"source": "of layer 1"}, "was trained on layer 1, not 2. Say --layer 1."),
    ({"layer": "9"}, "The model has no layer 9"),
    ({"name": TOPK}, "is no name for an imported dictionary"),
    ({"name": "../x"}, "is no name for an imported dictionary"),
    ({"name": "theirs"}, "has a dictionary “theirs” already. Choose another with --name"),
]


@pytest.mark.parametrize(("changes", "told"), BAD, ids=[str(changes) for changes, _ in BAD])
def test_what_cannot_come_in_is_refused_and_changes_nothing(study, foreign, tmp_path, capsys, changes, told):
    folders = {"narrow": (TopK(8, 64, 4), 2, None), "of another": (TopK(16, 64, 4), 2, "0123"),
               "of layer 1": (TopK(16, 64, 4), 1, None)}  # fmt: skip
    for name, (sae, layer, model) in folders.items():
        (tmp_path / name).mkdir()
        interchange.save(sae, tmp_path / name, layer, model)
    stages = study.manifest["stages"]
    study.update_manifest(stages=stages | {"dictionaries/theirs/sae": stages[f"dictionaries/{TOPK}/sae"]})
    asked = {"source": foreign.name, "layer": "2", "name": "new"} | changes
    options = ["--layer", asked["layer"], "--name", asked["name"]]
    assert main(["import-dictionary", str(study.path), str(tmp_path / asked["source"]), *options]) == 2
    assert told in capsys.readouterr().err
    assert Study.open(study.path).manifest == study.manifest and not (study.path / "imported").exists()


def test_a_study_that_is_not_there_or_not_built_is_refused(study, foreign, tmp_path, capsys):
    assert main(["import-dictionary", str(tmp_path / "none"), str(foreign), "--layer", "2"]) == 2
    assert "No study at" in capsys.readouterr().err
    study.drop("recommender")
    assert main(["import-dictionary", str(study.path), str(foreign), "--layer", "2"]) == 2
    assert "the stage “recommender” is missing" in capsys.readouterr().err
