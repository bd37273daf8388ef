"""RecTools' SASRecModel; run by the Python of .venv-benchmarks."""

import contender
import numpy as np
import pandas as pd
import rectools
import torch
from pytorch_lightning import Callback, Trainer, seed_everything
from rectools import Columns
from rectools.dataset import Dataset
from rectools.models import SASRecModel


class Look(Callback):
    """Ticks the watch after every step, and ends the training when the budget is spent."""

    def __init__(self, watch: contender.Watch):
        self.watch = watch

    def __deepcopy__(self, memo: dict) -> "Look":
        """RecTools copies its trainer with all callbacks; there is one clock."""
        return self

    def on_train_batch_end(self, trainer: Trainer, *_) -> None:
        """See `contender.Watch.tick`."""
        trainer.should_stop |= self.watch.tick()


def main() -> None:
    """Train, and answer for single users."""
    imported = contender.memory()
    job = contender.Job.read()
    torch.set_num_threads(job.threads)
    seed_everything(job.seed)
    events = table(job)
    dataset = Dataset.construct(events)
    watch = contender.Watch(job, lambda: vectors(model, dataset, job))
    model = make(job, watch)
    watch.start()
    model.fit(dataset)
    watch.look()
    mine = dict(zip(job.asked, alone(events, job.asked), strict=True))
    ways = {
        "recommend": lambda user: recommend(model, dataset, user, job.k),
        "recommend, only the user's own events as dataset": lambda user: recommend(model, mine[user], user, job.k),
    }
    versions = {"rectools": rectools.__version__, "torch": torch.__version__}
    contender.finish(job, watch, imported, ways, batch_size=model.batch_size, versions=versions)


def table(job: contender.Job) -> pd.DataFrame:
    """The training events as RecTools wants them; the place in the history is the time."""
    user, item, place = job.events()
    times = pd.to_datetime(place, unit="s")
    return pd.DataFrame({Columns.User: user, Columns.Item: item, Columns.Datetime: times, Columns.Weight: 1.0})


def make(job: contender.Job, watch: contender.Watch) -> SASRecModel:
    """A model of the job's shape and loss; all else is RecTools' default, its trainer included."""
    shape = job.shape
    return SASRecModel(
        n_blocks=shape["blocks"], n_heads=shape["heads"], n_factors=shape["width"], dropout_rate=shape["dropout"],
        session_max_len=shape["max_length"], get_trainer_func=lambda: trainer(watch), **job.options,
    )  # fmt: skip


def trainer(watch: contender.Watch) -> Trainer:
    """RecTools' own trainer (`TransformerModelBase._init_trainer`) with the watch, and no last epoch."""
    return Trainer(
        max_epochs=-1, enable_progress_bar=False, enable_model_summary=False, logger=False,
        enable_checkpointing=False, devices=1, callbacks=[Look(watch)],
    )  # fmt: skip


def vectors(model: SASRecModel, dataset: Dataset, job: contender.Job) -> dict[str, np.ndarray]:
    """See `contender.Watch`. The steps are those of RecTools' own `recommend`, up to the scores."""
    preparator = model.data_preparator
    everybody = preparator.transform_dataset_u2i(dataset, dataset.user_id_map.external_ids)
    loader = preparator.get_dataloader_recommend(everybody, model.recommend_batch_size)
    states, embedded = model.lightning_model._get_user_item_embeddings(loader, None)
    model.torch_model.train()
    users = np.zeros((len(job.array("train_end")), states.shape[1]), np.float32)
    users[everybody.user_id_map.external_ids.astype(int)] = states.numpy()
    place = preparator.get_known_item_ids().astype(int)
    items = np.zeros((job.n_items + 1, states.shape[1]), np.float32)
    items[place] = embedded[preparator.get_known_items_sorted_internal_ids()].numpy()
    return {"users": users, "items": items, "known": np.isin(np.arange(job.n_items + 1), place)}


def alone(events: pd.DataFrame, users: list[int]) -> list[Dataset]:
    """A data set for each user that holds no one else's events."""
    groups = events[events[Columns.User].isin(users)].groupby(Columns.User)
    return [Dataset.construct(groups.get_group(user)) for user in users]


def recommend(model: SASRecModel, dataset: Dataset, user: int, k: int) -> list[int]:
    """The k best items that the user has not seen."""
    return model.recommend(users=[user], dataset=dataset, k=k, filter_viewed=True)[Columns.Item].tolist()


if __name__ == "__main__":
    main()
