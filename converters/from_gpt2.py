"""Hugging Face's GPT2LMHeadModel over items: `from_gpt2.py CHECKPOINT FOLDER`, where transformers are installed.

CHECKPOINT: the folder of `model.save_pretrained(path)`, with the items' own ids beside it, `items.json`: token 1 first,
token 0 is padding. The folder holds safetensors, so it needs no --trust. Histories are scored without padding.
"""

import json
import sys
import warnings
from pathlib import Path

import numpy as np
import torch
import transformers
import writing
from transformers import GPT2LMHeadModel

ACTIVATIONS = ("gelu_new", "gelu", "relu")
BLOCK = {"norm1": "ln_1", "norm2": "ln_2", "attention.qkv": "attn.c_attn", "attention.out": "attn.c_proj",
         "mlp.0": "mlp.c_fc", "mlp.2": "mlp.c_proj"}  # fmt: skip


def check(model: GPT2LMHeadModel) -> None:
    """End with a sentence where a setting is not one of those that can be carried over."""
    config, tied = model.config, model.lm_head.weight.data_ptr() == model.transformer.wte.weight.data_ptr()
    wrong = {
        "an output layer that is not tied to the embeddings": not tied,
        f"activation_function={config.activation_function}": config.activation_function not in ACTIVATIONS,
        "scale_attn_weights=False": not config.scale_attn_weights,
        "scale_attn_by_inverse_layer_idx=True": config.scale_attn_by_inverse_layer_idx,
        "add_cross_attention=True": config.add_cross_attention,
    }
    for what in (name for name, is_wrong in wrong.items() if is_wrong):
        sys.exit(f"GPT2LMHeadModel with {what} cannot be converted.")


def shape(model: GPT2LMHeadModel) -> dict:
    """Family and sizes."""
    config = model.config
    return {
        "architecture": "gpt2", "library": f"transformers {transformers.__version__}",
        "n_items": config.vocab_size - 1, "width": config.n_embd, "blocks": config.n_layer, "heads": config.n_head,
        "max_length": config.n_positions, "inner": config.n_inner or 4 * config.n_embd,
        "activation": config.activation_function, "eps": config.layer_norm_epsilon,
    }  # fmt: skip


def weights(model: GPT2LMHeadModel) -> dict[str, torch.Tensor]:
    """Tensors by the names of `seqsae_core.adapters.gpt2`; GPT-2 keeps its matrices transposed."""
    own = model.transformer
    found = {
        "items.weight": own.wte.weight, "positions.weight": own.wpe.weight, "bias": torch.zeros(len(own.wte.weight)),
        "norm.weight": own.ln_f.weight, "norm.bias": own.ln_f.bias,
    }  # fmt: skip
    for number, block in enumerate(own.h):
        theirs = block.state_dict()
        for ours, name in BLOCK.items():
            matrix = theirs[f"{name}.weight"]
            found[f"blocks.{number}.{ours}.weight"] = matrix.T if matrix.ndim == 2 else matrix
            found[f"blocks.{number}.{ours}.bias"] = theirs[f"{name}.bias"]
    return found


@torch.no_grad()
def scores(model: GPT2LMHeadModel, histories: list[np.ndarray]) -> np.ndarray:
    """Of all items after each history, the model's own logits."""
    last = [torch.from_numpy(items[-model.config.n_positions :])[None] for items in histories]
    return torch.cat([model(input_ids=items).logits[:, -1, 1:] for items in last]).numpy()


def convert(checkpoint: Path, folder: Path) -> None:
    """Read, check, write."""
    model = GPT2LMHeadModel.from_pretrained(checkpoint, use_safetensors=True, local_files_only=True).eval()
    check(model)
    item_ids = json.loads((checkpoint / "items.json").read_text())
    if len(item_ids) != model.config.vocab_size - 1:
        sys.exit(f"{checkpoint / 'items.json'} has {len(item_ids)} ids for {model.config.vocab_size} tokens: give one "
                 f"less, token 0 is padding.")  # fmt: skip
    writing.write(folder, shape(model), weights(model), item_ids, lambda some: scores(model, some))


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    convert(*writing.arguments("Hugging Face transformers", pickled=False))
