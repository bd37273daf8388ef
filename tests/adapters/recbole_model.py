"""Run where RecBole is installed: `recbole_model.py FOLDER`; fills it as `rectools_model.py` does."""

import os
import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from recbole.config import Config
from recbole.data import create_dataset
from recbole.data.interaction import Interaction
from recbole.utils import get_model

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "converters"))
import from_recbole

USERS = 100
MODELS = {
    "sasrec": ("SASRec", {"hidden_size": 16, "inner_size": 40, "n_layers": 2, "n_heads": 2}),
    "gru4rec": ("GRU4Rec", {"hidden_size": 16, "embedding_size": 16, "num_layers": 2}),
    "gru4rec-wide": ("GRU4Rec", {"hidden_size": 16, "embedding_size": 12, "num_layers": 1}),
    "narm": ("NARM", {"hidden_size": 16, "embedding_size": 12}),
}


def configure(name: str) -> Config:
    """Settings of one model on the events, which are RecBole's own file by now."""
    kind, shape = MODELS[name]
    settings = {
        "data_path": ".", "load_col": {"inter": ["user_id", "item_id", "timestamp"]}, "use_gpu": False,
        "MAX_ITEM_LIST_LENGTH": 12, "train_neg_sample_args": None, "show_progress": False, "state": "ERROR",
    }  # fmt: skip
    return Config(model=kind, dataset="events", config_dict=settings | shape)


@torch.no_grad()
def scores(model, numbers: dict[str, int], histories: list[list[str]]) -> np.ndarray:
    """RecBole's own, of its items in its own order."""
    last = [[numbers[item] for item in items[-model.max_seq_length :]] for items in histories]
    table = torch.tensor([items + [0] * (model.max_seq_length - len(items)) for items in last])
    lengths = torch.tensor([len(items) for items in last])
    return model.full_sort_predict(Interaction({model.ITEM_SEQ: table, model.ITEM_SEQ_LEN: lengths})).numpy()


def keep(name: str, rows: pd.DataFrame) -> None:
    """One model and its three files."""
    config = configure(name)
    dataset = create_dataset(config)
    torch.manual_seed(1)
    model = get_model(config["model"])(config, dataset).eval()
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    torch.save({"config": config, "state_dict": model.state_dict(), "other_parameter": None}, f"{name}.ckpt")
    try:
        from_recbole.convert(Path(f"{name}.ckpt"), Path(name))
    except SystemExit as refused:
        Path(f"{name}.txt").write_text(str(refused))
        return
    users, items = np.unique(rows["user_id"])[:USERS], np.unique(rows["item_id"]).astype(str)
    numbers = dataset.field2token_id["item_id"]
    histories = [rows.loc[rows["user_id"] == user, "item_id"].tolist() for user in users]
    found = scores(model, numbers, histories)[:, [numbers[item] for item in items]]
    np.savez(f"{name}.npz", users=users, items=items, scores=found)


def main(folder: Path) -> None:
    """All models of the same events."""
    os.chdir(folder)
    rows = pd.read_csv("events.csv")
    Path("events").mkdir()
    typed = {"user_id": "user_id:token", "item_id": "item_id:token", "timestamp": "timestamp:float"}
    rows.rename(columns=typed).to_csv("events/events.inter", sep="\t", index=False)
    for name in MODELS:
        keep(name, rows)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    folder = Path(sys.argv.pop(1))
    main(folder)
