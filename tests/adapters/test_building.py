"""A study of a model that was trained elsewhere: checked, measured and steered as one of ours."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import streamlit as st
import torch
from safetensors.torch import load_file, save_file
from streamlit.testing.v1 import AppTest

from seqsae_core.__main__ import main
from seqsae_core.adapters import folder as folders
from seqsae_core.adapters import loading
from seqsae_core.adapters.converting import convert
from seqsae_core.build import PIPELINE, build_extras, make_stamps
from seqsae_core.config import preset
from seqsae_core.dashboard.dictionaries import quality
from seqsae_core.errors import UserError
from seqsae_core.recommender.recommend import Recommender
from seqsae_core.sae import interchange
from seqsae_core.steering.edits import Edit
from seqsae_core.steering.steerer import Steerer
from seqsae_core.study import Study

ROOT = Path(__file__).resolve().parents[2]
STAGES = [stage.name for stage in PIPELINE]


def built(model: Path, data: Path, out: Path) -> Study:
    """By the command line."""
    files = ["--data", str(data / "events.csv"), "--items", str(data / "items.csv")]
    assert main(["build", "--preset", "tiny", *files, "--model", str(model), "--out", str(out)]) == 0
    return Study.open(out)


MODELS = [("rectools", "sasrec"), ("rectools", "bert4rec"), ("recbole", "sasrec"), ("recbole", "gru4rec-wide"),
          ("gpt2", "gpt2")]  # fmt: skip


@pytest.fixture(scope="module", params=MODELS, ids="-".join)
def model(request) -> Path:
    """A converted model; `FOLDER.npz` beside it holds the library's own scores."""
    library, name = request.param
    return request.getfixturevalue(library) / name


@pytest.fixture(scope="module")
def study(model, data, tmp_path_factory) -> Study:
    """Of a converted model."""
    return built(model, data, tmp_path_factory.mktemp("built") / "study")


@pytest.fixture(scope="module")
def sasrec(rectools, data, tmp_path_factory) -> Study:
    """Of one model."""
    return built(rectools / "sasrec", data, tmp_path_factory.mktemp("built") / "sasrec")


def test_every_stage_is_made_of_the_model(study):
    assert all(study.has(stage) for stage in STAGES)
    metrics, recommender = study.recommender_metrics(), study.config.recommender
    assert metrics["golden"]["histories"] >= 100 and metrics["golden"]["largest_difference"] <= 1e-4
    assert "log" not in metrics and metrics["baselines"]["popularity"]["users"] == metrics["users"]
    assert (recommender.width, recommender.blocks) == (16, study.model().n_layers)
    assert study.config.data.max_length == study.model().max_length
    assert "128 histories" in quality.how_imported(metrics["golden"])
    assert f"--model {recommender.imported}" in study.build_command() and "--architecture" not in study.build_command()


def test_the_studys_model_ranks_as_the_library_does(study, model, rows):
    theirs = np.load(model.with_suffix(".npz"))
    recommender = Recommender.from_study(study)
    for user, scores in zip(theirs["users"][:10], theirs["scores"][:10], strict=True):
        history = rows.loc[rows["user_id"] == user, "item_id"]
        found = recommender.recommend(history.tolist(), k=60, by="id", exclude_seen=False)
        expected = pd.Series(scores, theirs["items"]).loc[found.item_ids.astype(str)]
        assert len(found.items) == 60 and np.allclose(found.scores, expected, rtol=0, atol=1e-4)


def test_steering_at_zero_is_the_plain_model_bit_for_bit_and_beyond_it_moves(study):
    steerer, sequences = Steerer.from_study(study), study.sequences()
    latent = int(study.features().nlargest(1, "sd_activation")["feature"].iloc[0])
    for user in range(10):
        history = sequences.of(user)
        plain = steerer.recommend(history, k=60)
        for position in ("last", "all"):
            at = steerer.at(position)
            still = at.recommend(history, [Edit(latent, 0.0)], k=60)
            before, after = at.compare(history, [Edit(latent, 0.0)], k=60)
            for one in (still, after):
                reference = plain if one is still else before
                assert (one.items == reference.items).all() and (one.scores == reference.scores).all()
            assert (at.recommend(history, [Edit(latent, 8.0)], k=60).scores != plain.scores).any()


def test_the_same_files_elsewhere_are_the_same_study_and_others_are_not(sasrec, rectools, tmp_path):
    study, config, stamp = sasrec, sasrec.config, sasrec.stamp("recommender")
    moved = folders.applied(config, shutil.copytree(config.recommender.imported, tmp_path / "elsewhere"))
    assert moved != config and make_stamps(moved, study.manifest["fingerprint"])["recommender"] == stamp
    other = folders.applied(config, rectools / "sasrec-scaled")
    assert make_stamps(other, study.manifest["fingerprint"])["recommender"] != stamp


def test_settings_of_our_own_training_keep_their_stamps():
    """Studies are older than imported models."""
    stamps = make_stamps(preset("default"), "0" * 16)
    assert (stamps["data"], stamps["recommender"]) == ("bb1aea6eb8aeb2eb", "4ad9c5cbc87240d5")


def test_the_overview_says_where_the_model_comes_from(sasrec, monkeypatch):
    monkeypatch.setenv("SEQSAE_STUDIES", str(sasrec.path.parent))
    monkeypatch.setenv("SEQSAE_STUDY", sasrec.name)
    st.cache_resource.clear()
    page = AppTest.from_file(str(ROOT / "pages/overview.py"), default_timeout=180).run()
    assert not page.exception
    told = "\n".join(element.value for kind in (page.markdown, page.caption) for element in kind)
    assert "RecTools’ SASRec of 2 blocks and width 16" in told and "trained elsewhere" in told


def test_the_extras_need_training_and_say_so(sasrec):
    with pytest.raises(UserError, match="the model was trained elsewhere"):
        build_extras(sasrec.path)


def theirs(folder: Path, library: str, width: int) -> Path:
    """A dictionary of 32 latents as a library saves it."""
    torch.manual_seed(0)
    encoder, decoder = torch.randn(width, 32), torch.nn.functional.normalize(torch.randn(32, width), dim=1)
    if library == "sparsify":
        config, name = {"d_in": width, "k": 4, "activation": "topk"}, "sae.safetensors"
        weights = {"encoder.weight": encoder.T.contiguous(), "encoder.bias": torch.zeros(32)}
    else:
        config, name = {"architecture": "topk", "d_in": width, "d_sae": 32, "k": 4}, "sae_weights.safetensors"
        weights = {"W_enc": encoder, "b_enc": torch.zeros(32)}
    folder.mkdir()
    save_file(weights | {"W_dec": decoder, "b_dec": torch.zeros(width)}, folder / name)
    (folder / "cfg.json").write_text(json.dumps(config))
    return folder


@pytest.mark.parametrize("library", ["saelens", "sparsify"])
def test_dictionaries_of_other_libraries_are_attached_to_it(sasrec, library, tmp_path):
    out = Path(shutil.copytree(sasrec.path, tmp_path / "study"))
    source = theirs(tmp_path / library, library, 16)
    assert main(["import-dictionary", str(out), str(source), "--layer", "2"]) == 0
    assert main(["use", str(out), f"imported-{library}"]) == 0
    study = Study.open(out)
    assert study.default_dictionary == f"imported-{library}" and study.layer() == 2
    steerer, history = Steerer.from_study(study), study.sequences().of(0)
    assert torch.equal(steerer.sae.W_dec, interchange.load(source).W_dec)
    plain = steerer.recommend(history, k=60)
    still = steerer.recommend(history, [Edit(0, 0.0)], k=60)
    latent = int(study.features().nlargest(1, "sd_activation")["feature"].iloc[0])
    assert (plain.items == still.items).all() and (plain.scores == still.scores).all()
    assert (steerer.recommend(history, [Edit(latent, 8.0)], k=60).scores != plain.scores).any()
    narrow = theirs(tmp_path / "narrow", library, 8)
    assert main(["import-dictionary", str(out), str(narrow), "--layer", "2"]) == 2


@pytest.fixture
def own(rectools: Path, tmp_path: Path) -> Path:
    """A converted model that a test may spoil."""
    return Path(shutil.copytree(rectools / "sasrec", tmp_path / "model"))


def test_other_items_than_the_datas_are_refused_and_counted(own, data, rows, tmp_path, capsys):
    names = json.loads((own / "items.json").read_text())
    (own / "items.json").write_text(json.dumps([f"X{n}" if n < 2 else name for n, name in enumerate(names)]))
    out = tmp_path / "study"
    options = ["--preset", "tiny", "--data", str(data / "events.csv"), "--out", str(out), "--model", str(own)]
    assert main(["build", *options]) == 2
    told = capsys.readouterr().err
    gone = ", ".join(sorted(names[:2]))
    assert f"58 are in both, 2 ({gone}) only in the data, 2 (X0, X1) only in the model" in told
    assert Study.open(out).has("data") and not Study.open(out).has("recommender")


def test_shared_items_are_those_of_both_and_keep_their_scores(rectools, rows, tmp_path, capsys):
    names = np.unique(rows["item_id"])
    some = rows[~rows["item_id"].isin(names[:3])].replace({"item_id": {names[3]: "unknown"}})
    some.to_csv(tmp_path / "events.csv", index=False)
    options = ["build", "--preset", "tiny", "--data", str(tmp_path / "events.csv"), "--out", str(tmp_path / "study")]
    assert main([*options, "--shared-items"]) == 2
    assert "name the model with --model" in capsys.readouterr().err
    options += ["--model", str(rectools / "sasrec")]
    assert main(options) == 2
    assert "56 are in both, 1 (unknown) only in the data, 4 " in capsys.readouterr().err
    assert main([*options, "--shared-items"]) == 0
    assert "interactions with items that the model does not know were left out" in capsys.readouterr().err
    study, whole = Study.open(tmp_path / "study"), loading.load(rectools / "sasrec", names)[0]
    assert study.catalogue()["item_id"].tolist() == names[4:].tolist() and "--shared-items" in study.build_command()
    history = torch.tensor([[1, 2, 56, 9]])
    with torch.inference_mode():
        expected = loading.scores(whole, history + 4)[:, 5:]
        assert torch.allclose(loading.scores(study.model(), history)[:, 1:], expected, rtol=0, atol=1e-6)


def test_items_that_are_numbers_in_the_model_are_those_of_the_data(tmp_path):
    (tmp_path / "items.json").write_text(json.dumps([30, 10, 20]))
    assert folders.item_numbers(tmp_path, np.array(["10", "20", "30"])).tolist() == [2, 3, 1]
    with pytest.raises(UserError, match=r"2 are in both, 0 only in the data, 1 \(30\) only in the model"):
        folders.item_numbers(tmp_path, np.array([10, 20]))


def spoil(folder: Path, file: str, **changes: torch.Tensor) -> None:
    save_file(load_file(folder / file) | changes, folder / file)


def test_scores_that_are_not_the_librarys_are_refused(own, item_ids):
    weights = load_file(own / "weights.safetensors")
    spoil(own, "weights.safetensors", **{"norm.weight": weights["norm.weight"] * 1.01})
    with pytest.raises(UserError, match=r"scores of 128 histories differ by up to 0\.\d+ from .*0\.0001 is allowed"):
        loading.load(own, item_ids)


BROKEN = {
    "no folder": (lambda f: shutil.rmtree(f), "is no converted model"),
    "no golden scores": (lambda f: (f / "golden.safetensors").unlink(), "is no converted model"),
    "half a file": (lambda f: (f / "weights.safetensors").write_bytes(b"x"), "is no converted model"),
    "no JSON": (lambda f: (f / "config.json").write_text("{"), "is no converted model"),
    "a list": (lambda f: (f / "config.json").write_text("[]"), "must hold a JSON object"),
    "unknown": (lambda f: settings(f, architecture="x"), "no family “x”. Known: rectools-sasrec"),
    "no width": (lambda f: settings(f, width=0), "width must be a whole number from 1"),
    "another width": (lambda f: settings(f, width=8), "do not belong together"),
    "more items": (lambda f: settings(f, n_items=61), "items.json has 60 items, config.json 61"),
    "more settings": (lambda f: settings(f, colour=1), "do not belong together"),
    "other heads": (lambda f: settings(f, heads=3), "do not belong together"),
    "no scores": (lambda f: save_file({"items": torch.ones(1)}, f / "golden.safetensors"), "do not belong together"),
    "NaN": (lambda f: spoil(f, "weights.safetensors", bias=torch.full((61,), torch.nan)), "bias holds NaN"),
    "few": (lambda f: spoil(f, "golden.safetensors", histories=torch.ones(3, 4)), "has 3 histories; 100 are needed"),
}


def settings(folder: Path, **changes: object) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_folder_is_refused_with_what_is_wrong(own, item_ids, name):
    spoiled, told = BROKEN[name]
    spoiled(own)

    def opened() -> None:
        folders.applied(preset("tiny"), own)
        loading.load(own, item_ids)

    with pytest.raises(UserError, match=told):
        opened()


def test_convert_runs_in_the_librarys_environment(rectools, item_ids, tmp_path, capsys):
    python, checkpoint = str(ROOT / ".venv-libraries/bin/python"), str(rectools / "sasrec.ckpt")
    command = ["convert", "rectools", checkpoint, str(tmp_path / "model"), "--python", python]
    assert main(command) == 2
    assert "holds a pickle" in capsys.readouterr().err and not (tmp_path / "model").exists()
    assert main([*command, "--trust"]) == 0
    assert "rectools-sasrec of 60 items, golden scores of 128 histories" in capsys.readouterr().out
    assert loading.load(tmp_path / "model", item_ids)[1] == loading.load(rectools / "sasrec", item_ids)[1]
    for spoiled, told in ({1: "x"}, "no converter for “x”"), ({2: "x"}, "no checkpoint at x"), ({5: "x"}, "no Python"):
        words = [spoiled.get(n, word) for n, word in enumerate(command)]
        assert main([*words, "--trust"]) == 2
        assert told in capsys.readouterr().err


def test_what_the_converter_complains_of_is_passed_on(rectools, tmp_path):
    with pytest.raises(UserError, match="could not be converted: SASRecModel with cosine similarity cannot be"):
        convert("rectools", rectools / "cosine.ckpt", tmp_path, ROOT / ".venv-libraries/bin/python", trust=True)


def test_choices_of_training_are_refused_beside_a_model(own, capsys):
    assert main(["build", "--model", str(own), "--architecture", "sasrec"]) == 2
    assert "leave out --architecture" in capsys.readouterr().err
