"""Dictionaries on disk: written in the folder format of SAELens, read from that and from sparsify's."""

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from seqsae_core.errors import UserError
from seqsae_core.sae.autoencoders import Autoencoder, JumpReLU, ReLU, TopK

CONFIG, WEIGHTS, SPARSIFY_WEIGHTS = "cfg.json", "sae_weights.safetensors", "sae.safetensors"
READABLE = {
    "architecture": ("topk", "standard", "jumprelu"),
    "normalize_activations": (False, "none"),
    "reshape_activations": ("none",),
    "apply_b_dec_to_input": (False, True),
    "rescale_acts_by_decoder_norm": (True, False),
}  # the last one stands where a setting is left out
ACTIVATIONS = {"topk": ("relu", "topk"), "standard": ("relu",), "jumprelu": ("relu",)}
SPARSIFY = {"activation": ("topk",), "transcode": (False,), "skip_connection": (False,), "signed": (False,)}


def save(sae: Autoencoder, folder: Path, layer: int, model: str | None = None) -> None:
    """Write a dictionary whose normalisation is folded in; model: the fingerprint of the one that it was trained on."""
    config = {
        "architecture": sae.architecture,
        "d_in": sae.width,
        "d_sae": sae.latents,
        "dtype": "float32",
        "device": "cpu",
        "apply_b_dec_to_input": True,
        "normalize_activations": "none",
        "reshape_activations": "none",
        "metadata": {"hook_name": f"layer.{layer}"} | ({} if model is None else {"model": model}),
    }
    if isinstance(sae, TopK):
        config |= {"k": sae.k, "rescale_acts_by_decoder_norm": False}
    (folder / CONFIG).write_text(json.dumps(config, indent=1))
    save_file({k: v.contiguous() for k, v in sae.state_dict().items()}, folder / WEIGHTS)


def load(folder: Path) -> Autoencoder:
    """Read a dictionary: ours, or one that SAELens or sparsify saved; codes and reconstructions are the writer's.

    Raises UserError, with file, setting and remedy, for a broken folder, or one that cannot be read exactly.
    """
    read = _sparsify if (folder / SPARSIFY_WEIGHTS).exists() else _saelens
    try:
        sae = read(folder)
    except (KeyError, RuntimeError) as error:
        reason = " ".join(str(error).split())
        told = f"{folder}: {CONFIG} and its weights do not belong together ({reason}). Save it again."
        raise UserError(told) from None
    return sae.requires_grad_(False).eval()


def trained_on(folder: Path) -> str | None:
    """The fingerprint of the model that a dictionary was trained on; None where its writer kept none."""
    return (_config(folder).get("metadata") or {}).get("model")


def layer_of(folder: Path) -> int | None:
    """The layer that a dictionary of ours was trained on; None where others wrote it."""
    found = re.fullmatch(r"layer\.(\d+)", str((_config(folder).get("metadata") or {}).get("hook_name")))
    return int(found[1]) if found else None


def fingerprint(sae: Autoencoder) -> str:
    """Of a dictionary's weights: the first 16 hex digits of the SHA-256 over their names, shapes and values."""
    digest = hashlib.sha256()
    for name, weights in sorted(sae.state_dict().items()):
        digest.update(f"{name} {tuple(weights.shape)} ".encode())
        digest.update(weights.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:16]


def _saelens(folder: Path) -> Autoencoder:
    path, weights = folder / CONFIG, _weights(folder / WEIGHTS)
    config = _of_today(_config(folder))
    _check(path, config, READABLE)
    _check(path, config, {"activation_fn": ACTIVATIONS[config["architecture"]]})
    width, latents = (_whole(path, config, name) for name in ("d_in", "d_sae"))
    if weights["W_enc"].shape != (width, latents):
        raise RuntimeError(f"d_in × d_sae is {width} × {latents}, W_enc {tuple(weights['W_enc'].shape)}")
    makers = {
        "topk": lambda: TopK(width, latents, _whole(path, config, "k", latents)),
        "standard": lambda: ReLU(width, latents),
        "jumprelu": lambda: JumpReLU(width, latents),
    }
    sae = makers[config["architecture"]]()
    sae.load_state_dict(weights)
    _adopt(sae, config)
    return sae


def _of_today(config: dict[str, Any]) -> dict[str, Any]:
    """Settings of SAELens before 6 in later ones' terms: TopK was `standard` with another activation function."""
    activation = config.get("activation_fn_str", config.get("activation_fn", "relu"))
    config = {"architecture": "standard"} | config | {"activation_fn": activation}
    if config["architecture"] == "standard" and activation == "topk":
        config["architecture"] = "topk"
    arguments = config.get("activation_fn_kwargs")
    return {"k": arguments.get("k")} | config if isinstance(arguments, dict) else config


def _sparsify(folder: Path) -> Autoencoder:
    path, weights = folder / CONFIG, _weights(folder / SPARSIFY_WEIGHTS)
    config = _config(folder)
    _check(path, config, SPARSIFY)
    latents, width = weights["W_dec"].shape
    if _whole(path, config, "d_in") != width:
        raise RuntimeError(f"d_in is {config['d_in']}, W_dec {latents} × {width}")
    sae = TopK(width, latents, _whole(path, config, "k", latents))
    encoder = {"W_enc": weights["encoder.weight"].T, "b_enc": weights["encoder.bias"]}
    sae.load_state_dict(encoder | {name: weights[name] for name in ("W_dec", "b_dec")})
    return sae


def _config(folder: Path) -> dict[str, Any]:
    path = folder / CONFIG
    try:
        config = json.loads(path.read_text())
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"{folder} is no dictionary: {error}. It needs {CONFIG} and weights.") from None
    if not isinstance(config, dict):
        raise UserError(f"{path} holds no settings: it must be one JSON object. Save the dictionary again.")
    if not isinstance(config.get("metadata") or {}, dict):
        raise UserError(f"{path}: metadata must be a JSON object. Correct it, or leave it out.")
    return config


def _weights(path: Path) -> dict[str, Tensor]:
    try:
        weights = load_file(path)
    except (OSError, ValueError, SafetensorError) as error:
        raise UserError(f"{path.parent} is no dictionary: {error}. It needs {CONFIG} and {path.name}.") from None
    for name, values in weights.items():
        if not values.isfinite().all():
            raise UserError(f"{path}: {name} holds NaN or infinite values. Train the dictionary again.")
    return weights


def _check(path: Path, config: dict[str, Any], readable: dict[str, tuple]) -> None:
    for name, values in readable.items():
        if config.get(name, values[-1]) not in values:
            known = ", ".join(map(str, values))
            told = f"{name} “{config[name]}” cannot be read; known: {known}"
            raise UserError(f"{path}: {told}. Save the dictionary with one of these.")


def _whole(path: Path, config: dict[str, Any], name: str, most: int | None = None) -> int:
    value = config.get(name)
    if type(value) is not int or value < 1 or (most is not None and value > most):
        allowed = "of at least 1" if most is None else f"from 1 to {most} (the latents)"
        told = f"{name} is {json.dumps(value)}, but must be a whole number {allowed}"
        raise UserError(f"{path}: {told}. Correct it, or save the dictionary again.")
    return value


@torch.no_grad()
def _adopt(sae: Autoencoder, config: dict[str, Any]) -> None:
    """Turn the writer's conventions into ours, with equal codes and reconstructions.

    Without `apply_b_dec_to_input` the encoder sees x, not x − b_dec; with `rescale_acts_by_decoder_norm` the codes are
    those of a decoder whose rows have unit norm.
    """
    if not config.get("apply_b_dec_to_input", True):
        sae.b_enc += sae.b_dec @ sae.W_enc
    if config.get("rescale_acts_by_decoder_norm", False):
        sae.fold(torch.zeros(sae.width), 1.0)
