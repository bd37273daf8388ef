"""RecBole's SASRec; run by the Python of .venv-benchmarks."""

import os
from collections.abc import Iterator
from pathlib import Path

import contender
import numpy as np
import pandas as pd
import recbole
import torch
from recbole.config import Config
from recbole.data import create_dataset, data_preparation
from recbole.data.dataloader import FullSortEvalDataLoader
from recbole.data.dataset import SequentialDataset
from recbole.data.interaction import Interaction
from recbole.model.sequential_recommender import SASRec
from recbole.trainer import Trainer
from recbole.utils import init_seed
from recbole.utils.case_study import full_sort_topk

NAME, USER, ITEM, TIME = "events", "user_id", "item_id", "timestamp"
BATCH = 256


class BudgetSpent(Exception):
    """Training is over."""


class Watched(SASRec):
    """SASRec that ticks the watch before every step."""

    watch: contender.Watch

    def calculate_loss(self, interaction: Interaction) -> torch.Tensor:
        """RecBole's own loss. Raises BudgetSpent: the trainer knows no other end than its last epoch."""
        if self.watch.tick():
            raise BudgetSpent
        return super().calculate_loss(interaction)


def main() -> None:
    """Train, and answer for single users."""
    imported = contender.memory()
    job = contender.Job.read()
    torch.set_num_threads(job.threads)
    config = configure(job)
    init_seed(job.seed, reproducibility=False)
    dataset = create_dataset(config)
    watch = contender.Watch(job, lambda: vectors(model, valid, job))
    watch.start()
    train, valid, _ = data_preparation(config, dataset)
    model = Watched(config, train.dataset)
    model.watch = watch
    try:
        Trainer(config, model).fit(train, saved=False, verbose=False)
    except BudgetSpent:
        watch.look()
    users = ids(valid.dataset, USER)
    seen = {user: set(items.tolist()) for user, items in histories(job)}
    ways = {"full_sort_topk": lambda user: recommend(model, valid, users[user], seen[user], job.k)}
    versions = {"recbole": recbole.__version__, "torch": torch.__version__}
    contender.finish(job, watch, imported, ways, batch_size=config["train_batch_size"], versions=versions)


def configure(job: contender.Job) -> Config:
    """The job's shape; all else is RecBole's default for SASRec. Writes the events, two beyond training, as its file.

    RecBole holds out the last two events of each user, as leave-one-out does.
    """
    os.chdir(job.out)
    folder = Path(NAME)
    folder.mkdir()
    user, item, place = job.events(beyond=2)
    columns = {f"{USER}:token": user, f"{ITEM}:token": item, f"{TIME}:float": place}
    pd.DataFrame(columns).to_csv(folder / f"{NAME}.inter", sep="\t", index=False)
    shape = job.shape
    settings = {
        "data_path": ".", "load_col": {"inter": [USER, ITEM, TIME]}, "use_gpu": False, "epochs": 10**6,
        "seed": job.seed, "train_neg_sample_args": None, "MAX_ITEM_LIST_LENGTH": shape["max_length"],
        "hidden_size": shape["width"], "n_layers": shape["blocks"], "n_heads": shape["heads"],
        "hidden_dropout_prob": shape["dropout"], "attn_dropout_prob": shape["dropout"],
        "eval_args": {"split": {"LS": "valid_and_test"}, "order": "TO", "group_by": "user", "mode": "full"},
    }  # fmt: skip
    return Config(model=SASRec.__name__, dataset=NAME, config_dict=settings | job.options)


def ids(dataset: SequentialDataset, field: str) -> dict[int, int]:
    """RecBole's number of each of our numbers."""
    tokens = dataset.field2id_token[field][1:]
    return {int(token): number for number, token in enumerate(tokens, 1)}


def histories(job: contender.Job) -> Iterator[tuple[int, np.ndarray]]:
    """Each user to be asked for and the training events, in our numbers."""
    items, offsets, end = (job.array(name) for name in ("items", "offsets", "train_end"))
    return ((user, items[offsets[user] : offsets[user] + end[user]]) for user in job.asked)


@torch.no_grad()
def vectors(model: SASRec, valid: FullSortEvalDataLoader, job: contender.Job) -> dict[str, np.ndarray]:
    """See `contender.Watch`. The rows of `valid` are the users' histories up to the validation event."""
    model.eval()
    rows = valid.dataset.inter_feat
    parts = zip(rows[model.ITEM_SEQ].split(BATCH), rows[model.ITEM_SEQ_LEN].split(BATCH), strict=True)
    states = torch.cat([model.forward(*part) for part in parts])
    model.train()
    users, items = ids(valid.dataset, USER), ids(valid.dataset, ITEM)
    found = {
        "users": np.zeros((len(job.array("train_end")), states.shape[1]), np.float32),
        "items": np.zeros((job.n_items + 1, states.shape[1]), np.float32),
    }
    row_of = {int(user): row for row, user in enumerate(rows[USER])}
    found["users"][list(users)] = states[[row_of[number] for number in users.values()]]
    found["items"][list(items)] = model.item_embedding.weight[list(items.values())]
    return found | {"known": np.isin(np.arange(job.n_items + 1), list(items))}


def recommend(model: SASRec, valid: FullSortEvalDataLoader, user: int, seen: set[int], k: int) -> list[int]:
    """The k best items not seen, our numbers. RecBole's function leaves seen ones in for models of sequences."""
    _, found = full_sort_topk([user], model, valid, k + len(seen))
    tokens = valid.dataset.field2id_token[ITEM][found[0].numpy()]
    return [int(token) for token in tokens if int(token) not in seen][:k]


if __name__ == "__main__":
    main()
