"""RecBole's SASRec or GRU4Rec: `from_recbole.py CHECKPOINT FOLDER --trust`, where RecBole is installed.

CHECKPOINT: the .pth that RecBole's trainer saved. The items' own ids are in the data set that it was trained on, which
must still be where the checkpoint's settings say; start it in the folder in which it was trained.
"""

import sys
import warnings
from pathlib import Path

import numpy as np
import recbole
import torch
import writing
from recbole.data import create_dataset
from recbole.data.interaction import Interaction
from recbole.model.abstract_recommender import SequentialRecommender
from recbole.model.sequential_recommender import GRU4Rec, SASRec

BLOCK = {
    "attention.out": "multi_head_attention.dense", "norm1": "multi_head_attention.LayerNorm",
    "mlp.0": "feed_forward.dense_1", "mlp.2": "feed_forward.dense_2", "norm2": "feed_forward.LayerNorm",
}  # fmt: skip
PARTS = ("weight", "bias")


def read(checkpoint: Path) -> tuple[SequentialRecommender, np.ndarray]:
    """The model and its items' own ids, item 1 first."""
    saved = torch.load(checkpoint, map_location="cpu", weights_only=False)
    config = saved["config"]
    kinds = {kind.__name__: kind for kind in (SASRec, GRU4Rec)}
    if config["model"] not in kinds:
        sys.exit(f"{checkpoint}: {config['model']} is neither SASRec nor GRU4Rec, so it cannot be converted.")
    config["device"] = torch.device("cpu")
    dataset = create_dataset(config)
    model = kinds[config["model"]](config, dataset)
    model.load_state_dict(saved["state_dict"])
    return model.eval(), np.asarray(dataset.field2id_token[model.ITEM_ID][1:], str)


def shape(model: SequentialRecommender) -> dict:
    """Family and sizes."""
    found = {"library": f"recbole {recbole.__version__}", "n_items": model.n_items - 1,
             "max_length": model.max_seq_length, "width": model.hidden_size}  # fmt: skip
    if isinstance(model, GRU4Rec):
        more = {"blocks": model.num_layers, "embedding": model.embedding_size}
        return {"architecture": "recbole-gru4rec"} | found | more
    more = {"blocks": model.n_layers, "heads": model.n_heads, "inner": model.inner_size,
            "activation": model.hidden_act, "eps": model.layer_norm_eps}  # fmt: skip
    return {"architecture": "recbole-sasrec"} | found | more


@torch.no_grad()
def weights(model: SequentialRecommender) -> dict[str, torch.Tensor]:
    """Tensors by the names of `seqsae_core.adapters.recbole`."""
    items = model.item_embedding.weight
    if isinstance(model, GRU4Rec):
        found = {"items.weight": items, "outputs": items @ model.dense.weight, "bias": items @ model.dense.bias}
        for number in range(model.num_layers):
            for part in ("weight_ih", "weight_hh"):
                found[f"blocks.{number}.gru.{part}_l0"] = getattr(model.gru_layers, f"{part}_l{number}")
        return found
    found = {"items.weight": items, "bias": torch.zeros(len(items))}
    found["positions.weight"] = model.position_embedding.weight
    found |= {f"first_norm.{part}": getattr(model.LayerNorm, part) for part in PARTS}
    for number, layer in enumerate(model.trm_encoder.layer):
        attention = layer.multi_head_attention
        for part in PARTS:
            three = [getattr(one, part) for one in (attention.query, attention.key, attention.value)]
            found[f"blocks.{number}.attention.qkv.{part}"] = torch.cat(three)
            theirs = layer.state_dict()
            found |= {f"blocks.{number}.{ours}.{part}": theirs[f"{name}.{part}"] for ours, name in BLOCK.items()}
    return found


@torch.no_grad()
def scores(model: SequentialRecommender, histories: list[np.ndarray]) -> np.ndarray:
    """Of all items after each history, by RecBole's own `full_sort_predict`; it pads on the right."""
    table = torch.zeros(len(histories), model.max_seq_length, dtype=torch.int64)
    last = [items[-model.max_seq_length :] for items in histories]
    for row, items in zip(table, last, strict=True):
        row[: len(items)] = torch.from_numpy(items)
    lengths = torch.tensor([len(items) for items in last])
    found = model.full_sort_predict(Interaction({model.ITEM_SEQ: table, model.ITEM_SEQ_LEN: lengths}))
    return found[:, 1:].numpy()


def convert(checkpoint: Path, folder: Path) -> None:
    """Read, write."""
    model, item_ids = read(checkpoint)
    writing.write(folder, shape(model), weights(model), item_ids, lambda some: scores(model, some))


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    convert(*writing.arguments("RecBole"))
