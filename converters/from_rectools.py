"""RecTools' SASRecModel or BERT4RecModel: `from_rectools.py CHECKPOINT FOLDER --trust`, where RecTools is installed.

CHECKPOINT: what the trainer of a fitted model saved, `model.fit_trainer.save_checkpoint(path)`. Models with parts of
their own, cosine similarity or padding that BERT4Rec attends to are refused.
"""

import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import rectools
import torch
import writing
from rectools import Columns
from rectools.dataset import Dataset
from rectools.models import BERT4RecModel, SASRecModel
from rectools.models.nn.transformers.base import TransformerModelBase
from rectools.models.nn.transformers.net_blocks import PreLNTransformerLayers
from rectools.models.nn.transformers.sasrec import SASRecTransformerLayers
from rectools.models.nn.transformers.similarity import DistanceSimilarityModule
from rectools.models.rank import Distance

LAYERS = {SASRecTransformerLayers: SASRecModel, PreLNTransformerLayers: BERT4RecModel}
BLOCK = {
    "attention.qkv.weight": "multi_head_attn.in_proj_weight", "attention.qkv.bias": "multi_head_attn.in_proj_bias",
    "attention.out.weight": "multi_head_attn.out_proj.weight", "attention.out.bias": "multi_head_attn.out_proj.bias",
    "mlp.0.weight": "feed_forward.ff_linear_1.weight", "mlp.0.bias": "feed_forward.ff_linear_1.bias",
    "mlp.2.weight": "feed_forward.ff_linear_2.weight", "mlp.2.bias": "feed_forward.ff_linear_2.bias",
}  # fmt: skip
NORMS = {SASRecModel: ("q_layer_norm", "ff_layer_norm"), BERT4RecModel: ("layer_norm_1", "layer_norm_2")}


def read(checkpoint: Path) -> TransformerModelBase:
    """The model, of whichever of the two classes the checkpoint names."""
    saved = torch.load(checkpoint, map_location="cpu", weights_only=False)
    name = saved["hyper_parameters"]["model_config"]["cls"]
    kind = name if isinstance(name, type) else {"SASRecModel": SASRecModel, "BERT4RecModel": BERT4RecModel}.get(
        str(name).rsplit(".", 1)[-1]
    )  # fmt: skip
    if kind not in (SASRecModel, BERT4RecModel):
        sys.exit(f"{checkpoint}: {name} is neither SASRecModel nor BERT4RecModel, so it cannot be converted.")
    without = dict.fromkeys(("get_trainer_func", "get_val_mask_func"))  # functions of the script that trained it
    return kind.load_from_checkpoint(checkpoint, map_location="cpu", model_params_update=without)


def check(model: TransformerModelBase) -> None:
    """End with a sentence where a part of the model is not one of those that can be carried over."""
    torch_model, kind = model.torch_model, type(model)
    similarity, layers = torch_model.similarity_module, torch_model.transformer_layers
    padding = torch_model.use_key_padding_mask
    wrong = {
        f"transformer layers {type(layers).__name__}": LAYERS.get(type(layers)) is not kind,
        f"similarity {type(similarity).__name__}": type(similarity) is not DistanceSimilarityModule,
        "cosine similarity": getattr(similarity, "distance", None) is not Distance.DOT,
        f"use_causal_attn={torch_model.use_causal_attn}": torch_model.use_causal_attn is not (kind is SASRecModel),
        f"use_key_padding_mask={padding}": kind is BERT4RecModel and not padding,
    }
    for what in (name for name, is_wrong in wrong.items() if is_wrong):
        sys.exit(f"{kind.__name__} with {what} cannot be converted.")


def shape(model: TransformerModelBase) -> dict:
    """Family and sizes."""
    places, blocks = model.torch_model.pos_encoding_layer, model.torch_model.transformer_layers.transformer_blocks
    causal = isinstance(model, SASRecModel)
    found = {
        "architecture": "rectools-sasrec" if causal else "rectools-bert4rec",
        "library": f"rectools {rectools.VERSION}",
        "n_items": len(model.data_preparator.get_known_item_ids()), "width": model.n_factors, "blocks": len(blocks),
        "heads": model.n_heads, "max_length": model.session_max_len - (not causal),
        "scale": model.n_factors**0.5 if places.use_scale_factor else 1.0,
    }  # fmt: skip
    if causal:
        return found | {"sees_padding": not model.torch_model.use_key_padding_mask}
    return found | {"widening": blocks[0].feed_forward.ff_linear_1.out_features // model.n_factors}


@torch.no_grad()
def weights(model: TransformerModelBase) -> dict[str, torch.Tensor]:
    """Tensors by the names of `seqsae_core.adapters.rectools`; items without padding and mask in front."""
    own, extra = model.torch_model, model.data_preparator.n_item_extra_tokens
    vectors = own.item_model.get_all_embeddings()
    places = own.pos_encoding_layer.pos_emb
    found = {
        "items.weight": torch.cat([vectors[:1], vectors[extra:]]),
        "bias": torch.zeros(len(vectors) - extra + 1),
        "positions.weight": torch.zeros(model.session_max_len, model.n_factors) if places is None else places.weight,
    }
    for number, block in enumerate(own.transformer_layers.transformer_blocks):
        theirs = block.state_dict()
        names = BLOCK | {
            f"norm{n}.{part}": f"{norm}.{part}" for n, norm in enumerate(NORMS[type(model)], 1)
            for part in ("weight", "bias")
        }  # fmt: skip
        found |= {f"blocks.{number}.{ours}": theirs[name] for ours, name in names.items()}
    if isinstance(model, SASRecModel):
        norm = own.transformer_layers.last_layernorm
        return found | {"norm.weight": norm.weight, "norm.bias": norm.bias}
    return found | {"mask_token": vectors[1]}


def scores(model: TransformerModelBase, item_ids: np.ndarray, histories: list[np.ndarray]) -> np.ndarray:
    """Of all items after each history, by RecTools' own `recommend`."""
    user = np.repeat(np.arange(len(histories)), [len(items) for items in histories])
    place = np.concatenate([np.arange(len(items)) for items in histories])
    rows = {Columns.User: user, Columns.Item: item_ids[np.concatenate(histories) - 1],
            Columns.Datetime: pd.to_datetime(place, unit="D"), Columns.Weight: 1.0}  # fmt: skip
    dataset = Dataset.construct(pd.DataFrame(rows))
    found = model.recommend(range(len(histories)), dataset, k=len(item_ids), filter_viewed=False)
    number = pd.Series(np.arange(len(item_ids)), index=item_ids)
    table = np.full((len(histories), len(item_ids)), -np.inf, np.float32)
    table[found[Columns.User].to_numpy(), number[found[Columns.Item]].to_numpy()] = found[Columns.Score]
    return table


def convert(checkpoint: Path, folder: Path) -> None:
    """Read, check, write."""
    model = read(checkpoint)
    check(model)
    item_ids = np.asarray(model.data_preparator.get_known_item_ids())
    writing.write(folder, shape(model), weights(model), item_ids, lambda some: scores(model, item_ids, some))


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    convert(*writing.arguments("RecTools"))
