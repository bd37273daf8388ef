"""Run where RecTools is installed: `rectools_model.py FOLDER`.

FOLDER/events.csv: user_id, item_id, timestamp. Fits small models on it, gives them weights that matter and saves a
checkpoint of each, `NAME.ckpt`; converts it to the folder `NAME`, or writes why not to `NAME.txt`; and keeps what
RecTools recommends to 100 users in `NAME.npz`: users, items and scores, (100, items).
"""

import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from pytorch_lightning import Trainer
from rectools import Columns
from rectools.dataset import Dataset
from rectools.models import BERT4RecModel, SASRecModel

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "converters"))
import from_rectools

USERS = 100
SIZE = {"n_blocks": 2, "n_heads": 2, "n_factors": 16, "session_max_len": 12, "lr": 0.0}
MODELS = {
    "sasrec": lambda **more: SASRecModel(**SIZE, **more),
    "sasrec-scaled": lambda **more: SASRecModel(
        **SIZE, use_key_padding_mask=True, pos_encoding_kwargs={"use_scale_factor": True}, **more
    ),
    "sasrec-placeless": lambda **more: SASRecModel(**SIZE, use_pos_emb=False, **more),
    "bert4rec": lambda **more: BERT4RecModel(**SIZE, **more),
    "cosine": lambda **more: SASRecModel(**SIZE, similarity_module_kwargs={"distance": "cosine"}, **more),
    "padded": lambda **more: BERT4RecModel(**SIZE, use_key_padding_mask=False, **more),
}


def trainer() -> Trainer:
    """One step that changes nothing: a model must be fitted to be saved."""
    quiet = ("enable_progress_bar", "enable_model_summary", "logger", "enable_checkpointing")
    return Trainer(max_steps=1, **dict.fromkeys(quiet, False))


def keep(folder: Path, name: str, rows: pd.DataFrame, dataset: Dataset) -> None:
    """One model and its three files."""
    torch.manual_seed(1)
    model = MODELS[name](get_trainer_func=trainer).fit(dataset)
    for parameter in model.torch_model.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    model.fit_trainer.save_checkpoint(folder / f"{name}.ckpt")
    users, items = np.unique(rows[Columns.User])[:USERS], np.unique(rows[Columns.Item])
    found = model.recommend(users, dataset, k=len(items), filter_viewed=False)
    table = found.pivot(index=Columns.User, columns=Columns.Item, values=Columns.Score).loc[users, items]
    np.savez(folder / f"{name}.npz", users=users, items=items.astype(str), scores=table.to_numpy(np.float32))
    try:
        from_rectools.convert(folder / f"{name}.ckpt", folder / name)
    except SystemExit as refused:
        (folder / f"{name}.txt").write_text(str(refused))


def main(folder: Path) -> None:
    """All models, fitted to the same events."""
    rows = pd.read_csv(folder / "events.csv")
    rows = rows.assign(**{Columns.Datetime: pd.to_datetime(rows["timestamp"], unit="s"), Columns.Weight: 1.0})
    dataset = Dataset.construct(rows)
    for name in MODELS:
        keep(folder, name, rows, dataset)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main(Path(sys.argv[1]))
