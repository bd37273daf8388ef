"""Dictionaries that others wrote, against SAELens's own formulas."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from seqsae_core.errors import UserError
from seqsae_core.sae import interchange

WIDTH, LATENTS, K = 6, 20, 3


def write_foreign(folder: Path, **changes) -> tuple[dict, dict[str, torch.Tensor]]:
    """A folder as SAELens writes it, decoder rows of any length; settings that are None are left out."""
    torch.manual_seed(0)
    shapes = {"W_enc": (WIDTH, LATENTS), "W_dec": (LATENTS, WIDTH), "b_enc": (LATENTS,), "b_dec": (WIDTH,)}
    weights = {name: torch.randn(shape) for name, shape in shapes.items()}
    config = {
        "architecture": "topk", "d_in": WIDTH, "d_sae": LATENTS, "k": K, "dtype": "float32", "device": "cpu",
        "apply_b_dec_to_input": True, "rescale_acts_by_decoder_norm": False, "normalize_activations": "none",
        "reshape_activations": "none", "metadata": {"hook_name": "layer.1"},
    } | changes  # fmt: skip
    config = {name: value for name, value in config.items() if value is not None}
    save_file(weights, folder / interchange.WEIGHTS)
    (folder / interchange.CONFIG).write_text(json.dumps(config))
    return config, weights


def their_codes(config: dict, w: dict[str, torch.Tensor], x: torch.Tensor) -> torch.Tensor:
    pre = (x - w["b_dec"] * config.get("apply_b_dec_to_input", True)) @ w["W_enc"] + w["b_enc"]
    if config["architecture"] == "standard":
        return pre.relu()
    if config.get("rescale_acts_by_decoder_norm"):
        pre = pre * w["W_dec"].norm(dim=-1)
    values, latents = pre.topk(config["k"], dim=-1)
    return torch.zeros_like(pre).scatter(-1, latents, values.relu())


@pytest.mark.parametrize("rescaled", [True, False, None])
@pytest.mark.parametrize("centred", [True, False, None])
@pytest.mark.parametrize("architecture", ["topk", "standard"])
def test_codes_and_reconstructions_are_the_writers(tmp_path, architecture, centred, rescaled):
    rescaled = rescaled if architecture == "topk" else None
    changes = {"apply_b_dec_to_input": centred, "rescale_acts_by_decoder_norm": rescaled}
    config, w = write_foreign(tmp_path, architecture=architecture, **changes)
    x, sae = torch.randn(50, WIDTH), interchange.load(tmp_path)
    codes = their_codes(config, w, x)
    scale = w["W_dec"].norm(dim=-1) if rescaled else 1.0
    assert torch.allclose(sae.encode(x), codes, atol=1e-4)
    assert torch.allclose(sae(x), (codes / scale) @ w["W_dec"] + w["b_dec"], atol=1e-4)


@pytest.mark.parametrize(
    "changes",
    [
        {"architecture": "jumprelu"},
        {"architecture": None},
        {"normalize_activations": "layer_norm"},
        {"reshape_activations": "hook_z"},
        {"d_sae": LATENTS + 1},
        {"k": None},
    ],
    ids=str,
)
def test_what_cannot_be_read_exactly_is_refused(tmp_path, changes):
    write_foreign(tmp_path, **changes)
    with pytest.raises(UserError, match=r"cfg\.json"):
        interchange.load(tmp_path)


@pytest.mark.parametrize("name", [interchange.CONFIG, interchange.WEIGHTS])
@pytest.mark.parametrize("content", [None, b"", b"not what it says"])
def test_a_missing_or_broken_file_is_named(tmp_path, name, content):
    write_foreign(tmp_path)
    (tmp_path / name).unlink()
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match="is no dictionary"):
        interchange.load(tmp_path)


@pytest.mark.parametrize(
    "changes", [{"activation": "groupmax"}, {"transcode": True}, {"skip_connection": True}], ids=str
)
def test_what_else_sparsify_saves_is_refused(tmp_path, changes):
    save_file({"W_dec": torch.randn(LATENTS, WIDTH)}, tmp_path / interchange.SPARSIFY_WEIGHTS)
    (tmp_path / interchange.CONFIG).write_text(json.dumps({"d_in": WIDTH, "k": K} | changes))
    with pytest.raises(UserError, match=next(iter(changes))):
        interchange.load(tmp_path)


def test_the_model_that_a_dictionary_was_trained_on_is_kept_where_it_is_given(tmp_path):
    write_foreign(tmp_path)
    sae = interchange.load(tmp_path)
    assert interchange.trained_on(tmp_path) is None
    interchange.save(sae, tmp_path, layer=1)
    assert interchange.trained_on(tmp_path) is None
    interchange.save(sae, tmp_path, layer=1, model="0123456789abcdef")
    assert interchange.trained_on(tmp_path) == "0123456789abcdef"
    x = torch.randn(9, WIDTH)
    assert torch.equal(interchange.load(tmp_path).encode(x), sae.encode(x))
