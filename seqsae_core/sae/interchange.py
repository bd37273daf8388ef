"""Dictionaries on disk: written in the folder format of SAELens, read from that and from sparsify's."""

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from seqsae_core.errors import UserError
from seqsae_core.sae.autoencoders import Autoencoder, JumpReLU, ReLU, TopK

CONFIG, WEIGHTS, SPARSIFY_WEIGHTS = "cfg.json", "sae_weights.safetensors", "sae.safetensors"
SAELENS = {
    "architecture": ("topk", "standard", "jumprelu"),
    "normalize_activations": ("none",),
    "reshape_activations": ("none",),
}
SPARSIFY = {"activation": ("topk",), "transcode": (False,), "skip_connection": (False,)}


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

    Raises UserError for a broken folder, or one whose architecture or activation handling is not known here.
    """
    read = _sparsify if (folder / SPARSIFY_WEIGHTS).exists() else _saelens
    try:
        sae = read(folder)
    except (KeyError, RuntimeError) as error:
        told = f"{folder}: {CONFIG} and its weights do not belong together ({error}). Save it again."
        raise UserError(told) from None
    return sae.requires_grad_(False).eval()


def trained_on(folder: Path) -> str | None:
    """The fingerprint of the model that a dictionary was trained on; None where its writer kept none."""
    metadata = json.loads((folder / CONFIG).read_text()).get("metadata") or {}
    return metadata.get("model")


def _saelens(folder: Path) -> Autoencoder:
    config, weights = _read(folder, WEIGHTS)
    _check(folder / CONFIG, config, SAELENS)
    width, latents = config["d_in"], config["d_sae"]
    makers = {
        "topk": lambda: TopK(width, latents, config["k"]),
        "standard": lambda: ReLU(width, latents),
        "jumprelu": lambda: JumpReLU(width, latents),
    }
    sae = makers[config["architecture"]]()
    sae.load_state_dict(weights)
    _adopt(sae, config)
    return sae


def _sparsify(folder: Path) -> Autoencoder:
    config, weights = _read(folder, SPARSIFY_WEIGHTS)
    _check(folder / CONFIG, config, SPARSIFY)
    sae = TopK(config["d_in"], len(weights["W_dec"]), config["k"])
    encoder = {"W_enc": weights["encoder.weight"].T, "b_enc": weights["encoder.bias"]}
    sae.load_state_dict(encoder | {name: weights[name] for name in ("W_dec", "b_dec")})
    return sae


def _read(folder: Path, weights: str) -> tuple[dict[str, Any], dict[str, Tensor]]:
    try:
        return json.loads((folder / CONFIG).read_text()), load_file(folder / weights)
    except (OSError, ValueError, SafetensorError) as error:
        raise UserError(f"{folder} is no dictionary: {error}. It needs {CONFIG} and {weights}.") from None


def _check(path: Path, config: dict[str, Any], known: dict[str, tuple]) -> None:
    for name, values in known.items():
        if config.get(name, values[-1]) not in values:
            readable = ", ".join(map(str, values))
            raise UserError(f"{path}: {name} “{config[name]}” cannot be read; known: {readable}.")


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
