"""Whatever lies in a file that somebody gives: it is read, or refused in plain words; what was written comes back."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save

from seqsae_core import checkpoint, progress
from seqsae_core.config import StudyConfig, from_dict, preset, to_dict
from seqsae_core.data import readers
from seqsae_core.errors import UserError
from seqsae_core.reviews import exchange
from seqsae_core.reviews.store import Reviews
from seqsae_core.sae import autoencoders, interchange
from seqsae_core.study import Study
from tests.fuzz import strategies as some

SUFFIXES = (".csv", ".tsv", ".jsonl", ".txt", ".dat", ".data", ".inter", ".parquet", ".csv.gz")
STAGES = {key: {"stamp": "0" * 16, "seconds": 1.0, "sha256": {"x": "0"}}
          for key in ("data", "recommender", "dictionaries/layer1/sae", "dictionaries/layer1/evidence")}  # fmt: skip
MANIFEST = {
    "format": 1, "config": to_dict(preset("tiny")), "stages": STAGES, "fingerprint": "0" * 64, "sizes": {"users": 3},
    "default_dictionary": "layer1", "versions": {"torch": "2"}, "seed": 0,
}  # fmt: skip
PROGRESS = {"stages": [{"name": "data", "label": "Reading", "state": "running", "fraction": 0.5, "seconds": 1.0,
            "budget_seconds": 2.0, "detail": ""}], "eta_seconds": 3.0, "state": "running", "error": None,
            "updated": 1.0, "pid": 1, "job": "build"}  # fmt: skip
CELLS = st.integers(-2, 10**10).map(str) | some.TEXT.map(lambda text: text.replace("\ud800", ""))
VERDICT = {
    "reviewer": "Ada", "fingerprint": "f" * 16, "latent": 1, "kind": "verdict", "verdict": "confirm", "tags": ["a"],
    "uid": "u1", "at": "2024-01-01T00:00:00.000+00:00", "confidence": 2, "seconds": 1.5, "cosine": 0.5, "blind": True,
    "note": "n", "detail": "d", "name": "a name", "target": None,
}  # fmt: skip
EXPORT = {
    "format": exchange.FORMAT, "version": exchange.VERSION, "dictionaries": {"f" * 16: "layer1"},
    "events": [VERDICT, {**VERDICT, "kind": "undo", "verdict": None, "target": "u1", "uid": "u2"}],
    "directions": [{"fingerprint": "f" * 16, "latent": 1, "float32": "AACAPw=="}],
}  # fmt: skip
NOTES = st.dictionaries(st.sampled_from(["notes", "other"]), st.sampled_from(["{}", "{", "[]", "null", some.DEEP]))
NAMES = st.sampled_from(["weights/a", "a", "/", "a/b/c", "é/ü"])
CHECKPOINTS = st.builds(
    lambda name, notes: save({name: torch.zeros(2)}, metadata=notes), NAMES, st.none() | NOTES
)
ROWS = st.lists(st.tuples(CELLS, CELLS, CELLS), max_size=6)


@pytest.fixture
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One file that every case overwrites."""
    return tmp_path_factory.mktemp("fuzz") / "file"


def read_table(path: Path) -> None:
    """A reader's tables are checked, or the file is refused with its name."""
    try:
        interactions, items = readers.read(str(path))
    except UserError as error:
        if path.name not in str(error):
            pytest.fail(f"which file is not said: {error}")
        return
    assert list(interactions.columns) == ["user_id", "item_id", "timestamp"] and len(interactions)
    assert not interactions.isna().any().any() and interactions["timestamp"].dtype == np.int64
    assert set(interactions["item_id"]) <= set(items["item_id"])


@given(st.binary(max_size=200) | some.TEXT.map(lambda text: text.encode(errors="surrogatepass")),
       st.sampled_from(SUFFIXES))  # fmt: skip
def test_any_bytes_as_a_table(case, path, data, suffix):
    case()
    path = path.with_suffix(suffix)
    path.write_bytes(data)
    read_table(path)


@given(ROWS, st.sampled_from([",", "\t", ";", "::", " "]), st.sampled_from(SUFFIXES[:7]), st.booleans())
def test_odd_rows_as_a_table(case, path, rows, separator, suffix, heading):
    case()
    lines = ([("user_id", "item_id", "timestamp")] if heading else []) + rows
    path = path.with_suffix(suffix)
    path.write_bytes("\n".join(separator.join(line) for line in lines).encode(errors="surrogatepass"))
    read_table(path)


@given(st.lists(some.reviews(), max_size=4))
def test_reviews_come_back_exactly(case, tmp_path_factory, events):
    case()
    folder = tmp_path_factory.getbasetemp()
    nothing = Reviews(folder / "none.sqlite")
    found = exchange.read(exchange.to_csv(events), nothing, "f" * 16, range(64))
    assert list(found.events) == events
    cells = [cell for line in exchange.to_csv(events).split('","') for cell in [line.lstrip('"')]]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "@"))]


@given(some.damaged(EXPORT) | some.TEXT)
def test_any_text_as_an_import_of_reviews(case, path, text):
    case()
    path = path.with_name("r.sqlite")
    for left in path.parent.glob(f"{path.name}*"):
        left.unlink()
    try:
        found = exchange.read(text, Reviews(path), "f" * 16, range(64))
        exchange.apply(found, Reviews(path), True)
    except UserError:
        assert not path.exists() or not Reviews(path).events()
        return
    assert {e.uid for e in Reviews(path).events()} == {e.uid for e in found.events}
    json.loads(exchange.to_json(Reviews(path)))


@given(st.binary(max_size=60))
def test_any_bytes_as_an_import_of_reviews(case, tmp_path_factory, data):
    case()
    try:
        exchange.read(exchange.decoded(data), Reviews(tmp_path_factory.getbasetemp() / "none.sqlite"), "f", range(4))
    except UserError:
        return
    pytest.fail("no such bytes are an export")


@given(some.damaged(MANIFEST) | some.TEXT)
def test_any_text_as_a_manifest(case, path, text):
    case()
    folder = path.with_name("study")
    folder.mkdir(exist_ok=True)
    (folder / "manifest.json").write_text(text, encoding="utf-8", errors="surrogatepass")
    try:
        study = Study.open(folder)
        for stage in ("data", "sae", "evidence", "extras"):
            for name in (None, *study.dictionaries):
                if study.has(stage, name):
                    assert study.folder(stage, name).resolve().is_relative_to(folder.resolve())
        assert isinstance(study.config, StudyConfig)
        study.build_command()
    except UserError:
        return


@given(some.JSON)
def test_any_value_as_settings(case, value):
    case()
    for part in ("data", "recommender", "sae", "seed", "memory_gib"):
        try:
            assert isinstance(from_dict({**to_dict(preset("tiny")), part: value}), StudyConfig)
        except UserError:
            continue


@given(some.damaged(PROGRESS) | some.TEXT)
def test_any_text_as_a_progress(case, path, text):
    case()
    path.write_text(text, encoding="utf-8", errors="surrogatepass")
    found = progress.read(path)
    assert found is None or (isinstance(found["stages"], list) and isinstance(found["state"], str))


@given(st.binary(max_size=120) | CHECKPOINTS)
def test_any_bytes_as_a_checkpoint(case, path, data):
    case()
    folder = path.parent
    (folder / checkpoint.FILE).write_bytes(data)
    found = checkpoint.load(folder)
    assert found is None or isinstance(found[0], dict)


@given(some.damaged({"architecture": "topk", "d_in": 4, "d_sae": 8, "k": 2, "dtype": "float32", "device": "cpu",
       "apply_b_dec_to_input": True, "normalize_activations": "none", "reshape_activations": "none",
       "metadata": {"hook_name": "layer.1", "model": "0" * 16}}) | some.TEXT)  # fmt: skip
def test_any_settings_as_those_of_a_dictionary(case, path, text):
    case()
    folder = path.parent
    interchange.save(autoencoders.TopK(4, 8, 2), folder, layer=1)
    (folder / interchange.CONFIG).write_text(text, encoding="utf-8", errors="surrogatepass")
    try:
        assert interchange.load(folder).latents == 8
        interchange.trained_on(folder)
        interchange.layer_of(folder)
    except UserError as error:
        if folder.name not in str(error):
            pytest.fail(f"which file is not said: {error}")


@given(st.binary(max_size=200))
def test_any_bytes_as_the_weights_of_a_dictionary(case, path, data):
    case()
    folder = path.parent
    interchange.save(autoencoders.TopK(4, 8, 2), folder, layer=1)
    (folder / interchange.WEIGHTS).write_bytes(data)
    with pytest.raises(UserError):
        interchange.load(folder)
