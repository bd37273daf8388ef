"""The example of docs/OWN_MODEL.md, as it stands there: saved, built, steered; and what is refused."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from seqsae_core.__main__ import main
from seqsae_core.adapters import loading, own
from seqsae_core.errors import UserError
from seqsae_core.steering.edits import Edit
from seqsae_core.steering.steerer import Steerer
from seqsae_core.study import Study

ROOT = Path(__file__).resolve().parents[2]
BLOCKS = re.findall(r"^```python\n# (\w+\.py)\n(.*?)^```", (ROOT / "docs/OWN_MODEL.md").read_text(), re.M | re.S)


@pytest.fixture(scope="module")
def saved(item_ids, tmp_path_factory) -> Path:
    """The folder that the document's script writes."""
    folder = tmp_path_factory.mktemp("own")
    (folder / "items.json").write_text(json.dumps(sorted(item_ids.tolist(), reverse=True)))
    for name, text in BLOCKS:
        (folder / name).write_text(text)
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "save.py"], cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder / "my-model"


@pytest.fixture
def trusted(monkeypatch):
    monkeypatch.setenv(own.TRUST, "1")


def test_the_user_writes_twenty_lines():
    assert [name for name, _ in BLOCKS] == ["own_model.py", "save.py"]
    assert len([line for line in BLOCKS[0][1].splitlines() if line.strip()]) <= 20


@torch.inference_mode()
def test_scores_are_those_of_the_users_function_in_the_studys_order(saved, item_ids, trusted):
    model, agreement = loading.load(saved, item_ids)
    assert agreement["histories"] == 128 and agreement["largest_difference"] < 1e-5
    history = torch.tensor([[3, 1, 60, 7]])
    order = model.order
    expected = model.score(model.module, order[history])[:, order]
    assert not torch.equal(order, torch.arange(61))
    assert torch.allclose(loading.scores(model, history)[:, 1:], expected[:, 1:], rtol=0, atol=1e-5)
    assert expected.std() > 0.05


def test_a_study_of_it_is_built_and_steered(saved, data, tmp_path, monkeypatch):
    monkeypatch.setenv(own.TRUST, "")  # what --trust sets is undone with it
    out = tmp_path / "study"
    files = ["--data", str(data / "events.csv"), "--items", str(data / "items.csv"), "--out", str(out)]
    command = ["build", "--preset", "tiny", *files, "--model", str(saved)]
    assert main(command) == 2
    assert not Study.open(out).has("recommender")
    assert main([*command, "--trust"]) == 0
    study = Study.open(out)
    steerer, history = Steerer.from_study(study), study.sequences().of(3)
    latent = int(study.features().nlargest(1, "sd_activation")["feature"].iloc[0])
    for position in ("last", "all"):
        at = steerer.at(position)
        before, after = at.compare(history, [Edit(latent, 0.0)], k=60)
        assert (before.items == after.items).all() and (before.scores == after.scores).all()
        plain, still = at.recommend(history, k=60), at.recommend(history, [Edit(latent, 0.0)], k=60)
        assert (plain.items == still.items).all() and (plain.scores == still.scores).all()
        assert (at.recommend(history, [Edit(latent, 8.0)], k=60).scores != plain.scores).any()
    monkeypatch.setenv(own.TRUST, "")
    with pytest.raises(UserError, match=r"recommender/model\.py, which runs when it is opened.*--trust"):
        study.model()


def edited(folder: Path, saved: Path, old: str, new: str) -> Path:
    code = folder / "code.py"
    code.write_text((saved / "model.py").read_text().replace(old, new))
    return code


def test_a_readout_that_is_not_affine_is_refused(saved, item_ids, tmp_path, trusted):
    code = edited(tmp_path, saved, "return module(items)[:, -1]", "return module(items)[:, -1] ** 2")
    module = own.empty(saved, json.loads((saved / "config.json").read_text())).module
    weights = load_file(saved / "weights.safetensors")
    module.load_state_dict({n.removeprefix("module."): t for n, t in weights.items() if n.startswith("module.")})
    own.save(tmp_path / "model", code, module, item_ids.tolist())
    with pytest.raises(UserError, match="name the layer last that the items are scored from"):
        loading.load(tmp_path / "model", item_ids)


REFUSED = {
    "LAYERS, MAX_LENGTH =": ("LAYERS, LONGEST =", "defines no MAX_LENGTH; it needs LAYERS, MAX_LENGTH, make, score"),
    '"norm"], 20': ('"last"], 20', "has no module “last”. It has: items, norm, first, second"),
    "[:, -1]\n": ("[:, -1, :9]\n", r"score gives \(17, 9\) for 17 histories and 60 items"),
}


@pytest.mark.parametrize("old", REFUSED)
def test_a_file_that_does_not_fit_is_refused(saved, item_ids, tmp_path, trusted, old):
    new, told = REFUSED[old]
    module = own.empty(saved, json.loads((saved / "config.json").read_text())).module
    with pytest.raises(UserError, match=told):
        own.save(tmp_path / "model", edited(tmp_path, saved, old, new), module, item_ids.tolist())
