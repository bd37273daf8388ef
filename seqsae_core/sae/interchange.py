"""Dictionaries on disk, in the folder format of SAELens: cfg.json and sae_weights.safetensors."""

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from seqsae_core.errors import UserError
from seqsae_core.sae.autoencoders import Autoencoder, JumpReLU, ReLU, TopK

CONFIG, WEIGHTS = "cfg.json", "sae_weights.safetensors"
PLAIN = {"normalize_activations": ("none",), "reshape_activations": ("none",)}


def save(sae: Autoencoder, folder: Path, layer: int) -> None:
    """Write a dictionary whose normalisation is folded in."""
    config = {
        "architecture": sae.architecture,
        "d_in": sae.width,
        "d_sae": sae.latents,
        "dtype": "float32",
        "device": "cpu",
        "apply_b_dec_to_input": True,
        "normalize_activations": "none",
        "reshape_activations": "none",
        "metadata": {"hook_name": f"layer.{layer}"},
    }
    if isinstance(sae, TopK):
        config |= {"k": sae.k, "rescale_acts_by_decoder_norm": False}
    (folder / CONFIG).write_text(json.dumps(config, indent=1))
    save_file({k: v.contiguous() for k, v in sae.state_dict().items()}, folder / WEIGHTS)


def load(folder: Path) -> Autoencoder:
    """Read a dictionary, ours or one that SAELens saved; codes and reconstructions are those of the writer.

    Raises UserError for a broken folder, or one whose architecture or activation handling is not known here.
    """
    config, weights = _read(folder)
    makers = {
        "topk": lambda: TopK(config["d_in"], config["d_sae"], config["k"]),
        "standard": lambda: ReLU(config["d_in"], config["d_sae"]),
        "jumprelu": lambda: JumpReLU(config["d_in"], config["d_sae"]),
    }
    _check(folder / CONFIG, config, {"architecture": tuple(makers)} | PLAIN)
    try:
        sae = makers[config["architecture"]]()
        sae.load_state_dict(weights)
    except (KeyError, RuntimeError) as error:
        raise UserError(f"{folder}: {CONFIG} and {WEIGHTS} do not belong together ({error}). Save it again.") from None
    _adopt(sae, config)
    return sae.requires_grad_(False).eval()


def _read(folder: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    try:
        return json.loads((folder / CONFIG).read_text()), load_file(folder / WEIGHTS)
    except (OSError, ValueError, SafetensorError) as error:
        raise UserError(f"{folder} is no dictionary: {error}. It needs {CONFIG} and {WEIGHTS}.") from None


def _check(path: Path, config: dict[str, Any], known: dict[str, tuple[str, ...]]) -> None:
    for name, values in known.items():
        if config.get(name, values[-1]) not in values:
            raise UserError(f"{path}: {name} “{config[name]}” cannot be read; known: {', '.join(values)}.")


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
