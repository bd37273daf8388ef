"""Run where transformers are installed: `gpt2_model.py FOLDER`; fills it as `rectools_model.py` does."""

import json
import sys
import warnings
from pathlib import Path

import numpy as np
import torch
from transformers import GPT2Config, GPT2LMHeadModel

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "converters"))
import from_gpt2

USERS = 100
SIZE = {"n_embd": 16, "n_layer": 2, "n_head": 2, "n_positions": 12, "n_inner": 40}
MODELS = {"gpt2": {}, "untied": {"tie_word_embeddings": False}, "scaled": {"scale_attn_by_inverse_layer_idx": True}}


@torch.no_grad()
def keep(folder: Path, name: str, histories: dict[int, list[str]]) -> None:
    """One model and its files."""
    items = np.unique(np.concatenate(list(histories.values())))
    torch.manual_seed(1)
    model = GPT2LMHeadModel(GPT2Config(vocab_size=len(items) + 1, **SIZE, **MODELS[name])).eval()
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    model.save_pretrained(folder / f"{name}.ckpt")
    (folder / f"{name}.ckpt/items.json").write_text(json.dumps(items[::-1].tolist()))
    try:
        from_gpt2.convert(folder / f"{name}.ckpt", folder / name)
    except SystemExit as refused:
        (folder / f"{name}.txt").write_text(str(refused))
        return
    numbers = {item: number for number, item in enumerate(items[::-1], 1)}
    users = sorted(histories)[:USERS]
    read = [torch.tensor([[numbers[item] for item in histories[user][-12:]]]) for user in users]
    found = torch.cat([model(input_ids=tokens).logits[:, -1] for tokens in read])
    np.savez(folder / f"{name}.npz", users=users, items=items, scores=found[:, [numbers[item] for item in items]])


def main(folder: Path) -> None:
    """All models of the same events."""
    histories: dict[int, list[str]] = {}
    for line in (folder / "events.csv").read_text().splitlines()[1:]:
        user, item, _ = line.split(",")
        histories.setdefault(int(user), []).append(item)
    for name in MODELS:
        keep(folder, name, histories)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main(Path(sys.argv[1]))
