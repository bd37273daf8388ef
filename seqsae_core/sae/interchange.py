"""Dictionaries on disk, in the folder format of SAELens: cfg.json and sae_weights.safetensors."""

import json
from pathlib import Path

from safetensors.torch import load_file, save_file

from seqsae_core.errors import UserError
from seqsae_core.sae.autoencoders import Autoencoder, ReLU, TopK

CONFIG, WEIGHTS = "cfg.json", "sae_weights.safetensors"


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
    """Read a dictionary. Raises UserError for an architecture that this version does not know."""
    config = json.loads((folder / CONFIG).read_text())
    makers = {
        "topk": lambda: TopK(config["d_in"], config["d_sae"], config["k"]),
        "standard": lambda: ReLU(config["d_in"], config["d_sae"]),
    }
    if config.get("architecture") not in makers:
        raise UserError(f"{folder / CONFIG}: architecture “{config.get('architecture')}”; known: {', '.join(makers)}.")
    sae = makers[config["architecture"]]()
    sae.load_state_dict(load_file(folder / WEIGHTS))
    return sae.requires_grad_(False).eval()
