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


@pytest.mark.parametrize("name", ["activation_fn_str", "activation_fn"])
@pytest.mark.parametrize("architecture", ["standard", "topk", None])
def test_topk_of_saelens_before_6_is_read_as_topk(tmp_path, architecture, name):
    old = {name: "topk", "activation_fn_kwargs": {"k": K}, "k": None, "normalize_activations": False}
    config, w = write_foreign(tmp_path, architecture=architecture, **old)
    x = torch.randn(50, WIDTH)
    expected = their_codes(config | {"architecture": "topk", "k": K}, w, x)
    assert torch.allclose(interchange.load(tmp_path).encode(x), expected, atol=1e-4)


def test_relu_of_saelens_before_6_is_read_as_relu(tmp_path):
    old = {"architecture": None, "activation_fn_str": "relu", "activation_fn_kwargs": {}, "k": None}
    config, w = write_foreign(tmp_path, **old)
    x = torch.randn(50, WIDTH)
    expected = their_codes(config | {"architecture": "standard"}, w, x)
    assert torch.allclose(interchange.load(tmp_path).encode(x), expected, atol=1e-4)


WRONG = [
    ({"architecture": "jumprelu"}, "threshold"),
    ({"architecture": "gated"}, "architecture “gated”.*known: topk"),
    ({"architecture": ["topk"]}, "architecture"),
    ({"normalize_activations": "layer_norm"}, "normalize_activations “layer_norm”"),
    ({"normalize_activations": True}, "normalize_activations “True”"),
    ({"reshape_activations": "hook_z"}, "reshape_activations “hook_z”"),
    ({"apply_b_dec_to_input": "false"}, "apply_b_dec_to_input “false”"),
    ({"rescale_acts_by_decoder_norm": "no"}, "rescale_acts_by_decoder_norm “no”"),
    ({"architecture": "standard", "activation_fn_str": "tanh-relu"}, "activation_fn “tanh-relu”"),
    ({"architecture": "jumprelu", "activation_fn": "topk"}, "activation_fn “topk”"),
    ({"d_sae": LATENTS + 1}, "d_sae is 6 × 21"),
    ({"d_in": WIDTH + 1}, "d_sae is 7 × 20"),
    ({"d_in": "6"}, 'd_in is "6"'),
    ({"d_sae": 10**15}, "d_sae"),
    ({"d_in": None}, "d_in is null"),
    ({"k": None}, "k is null"),
    ({"k": "3"}, 'k is "3"'),
    ({"k": 3.0}, "k is 3.0"),
    ({"k": True}, "k is true"),
    ({"k": 0}, "k is 0"),
    ({"k": LATENTS + 1}, r"k is 21.*from 1 to 20"),
    ({"k": None, "activation_fn_str": "topk", "activation_fn_kwargs": [K]}, "k is null"),
    ({"metadata": "layer.1"}, "metadata must be a JSON object"),
]


@pytest.mark.parametrize(("changes", "told"), WRONG, ids=[str(changes) for changes, _ in WRONG])
def test_what_cannot_be_read_exactly_is_refused(tmp_path, changes, told):
    write_foreign(tmp_path, **changes)
    with pytest.raises(UserError, match=rf"cfg\.json.*{told}.*\. (Save|Correct)"):
        interchange.load(tmp_path)


@pytest.mark.parametrize("content", ["[]", "null", '"topk"', "3"])
def test_settings_that_are_no_object_are_refused(tmp_path, content):
    write_foreign(tmp_path)
    (tmp_path / interchange.CONFIG).write_text(content)
    for read in (interchange.load, interchange.trained_on):
        with pytest.raises(UserError, match=r"cfg\.json holds no settings.*Save"):
            read(tmp_path)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_not_finite_are_refused(tmp_path, value):
    _, weights = write_foreign(tmp_path)
    weights["b_enc"][2] = value
    save_file(weights, tmp_path / interchange.WEIGHTS)
    with pytest.raises(UserError, match=r"sae_weights\.safetensors: b_enc holds NaN.*Train"):
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
    ("changes", "told"),
    [
        ({"activation": "groupmax"}, "activation “groupmax”"),
        ({"transcode": True}, "transcode"),
        ({"skip_connection": True}, "skip_connection"),
        ({"signed": True}, "signed"),
        ({"k": LATENTS + 1}, "k is 21"),
        ({"k": 0}, "k is 0"),
        ({"k": None}, "k is null"),
        ({"d_in": WIDTH + 1}, "d_in is 7"),
        ({"d_in": 6.0}, "d_in is 6.0"),
    ],
    ids=str,
)
def test_what_else_sparsify_saves_is_refused(tmp_path, changes, told):
    weights = {"W_dec": (LATENTS, WIDTH), "b_dec": (WIDTH,), "encoder.weight": (LATENTS, WIDTH)}
    drawn = {name: torch.randn(shape) for name, shape in (weights | {"encoder.bias": (LATENTS,)}).items()}
    save_file(drawn, tmp_path / interchange.SPARSIFY_WEIGHTS)
    (tmp_path / interchange.CONFIG).write_text(json.dumps({"d_in": WIDTH, "k": K}))
    assert interchange.load(tmp_path).k == K
    (tmp_path / interchange.CONFIG).write_text(json.dumps({"d_in": WIDTH, "k": K} | changes))
    with pytest.raises(UserError, match=rf"cfg\.json.*{told}"):
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
