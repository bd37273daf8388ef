"""Ours: the training of the default study, looked at after each pass."""

import sys
from collections.abc import Callable
from pathlib import Path
from unittest import mock

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import contender
import numpy as np
import pandas as pd
import torch

from seqsae_core.config import RecommenderConfig
from seqsae_core.data.sequences import Sequences, Split, make_split, windows
from seqsae_core.device import use_threads
from seqsae_core.recommender import training
from seqsae_core.recommender.batching import item_counts
from seqsae_core.recommender.protocol import SequenceModel
from seqsae_core.recommender.recommend import Recommender


def main() -> None:
    """Train, and answer for single users."""
    imported = contender.memory()
    job = contender.Job.read()
    torch.set_num_threads(job.threads)
    sequences, split = read(job)
    seen: list[SequenceModel] = []
    watch = contender.Watch(job, lambda: vectors(seen[0], sequences, split))
    shape = {key: value for key, value in job.shape.items() if key != "max_length"}
    config = RecommenderConfig(**shape, **job.options)
    with mock.patch.object(training, "validate", watched(watch, seen)):
        watch.start()
        training.train(sequences, split, config, job.shape["max_length"], job.seed)
    ours = recommender(seen[0], sequences, split)
    ways = {"recommend": lambda user: ours.recommend(sequences.of(user)[: split.train_end[user]], job.k).item_ids}
    contender.finish(job, watch, imported, ways, batch_size=config.batch_size, versions={"torch": torch.__version__})


def read(job: contender.Job) -> tuple[Sequences, Split]:
    """The job's data as our own types."""
    items, offsets = job.array("items"), job.array("offsets")
    sequences = Sequences(np.arange(len(offsets) - 1), items, offsets, None, job.n_items)
    return sequences, make_split(sequences, "leave-one-out")


def watched(watch: contender.Watch, seen: list[SequenceModel]) -> Callable[..., float]:
    """`training.validate` off the clock; what it is asked to validate is what is looked at."""
    validate = training.validate

    def look(model: SequenceModel, sequences: Sequences, split: Split, **options) -> float:
        seen[:] = [model]
        watch.look()
        with watch.pause():
            return validate(model, sequences, split, **options)

    return look


@torch.inference_mode()
def vectors(model: SequenceModel, sequences: Sequences, split: Split) -> dict[str, np.ndarray]:
    """See `contender.Watch`."""
    found = []
    for rows in np.array_split(np.arange(len(sequences)), max(1, len(sequences) // 256)):
        items = torch.from_numpy(windows(sequences, rows, split.train_end[rows], model.max_length))
        hidden = model.hidden(items, model.n_layers)
        found.append(model.resume(hidden.activations, hidden.item_at, model.n_layers).numpy())
    output = {"items": model.item_vectors().detach().numpy(), "bias": model.item_bias().detach().numpy()}
    return {"users": np.concatenate(found), "known": np.ones(sequences.n_items + 1, bool), **output}


def recommender(model: SequenceModel, sequences: Sequences, split: Split) -> Recommender:
    """The product's own, on one thread as `from_study` makes it; titles and ids are the item numbers."""
    use_threads(1)
    numbers = np.arange(1, sequences.n_items + 1)
    counts = item_counts(sequences, split)[1:]
    years = pd.array([pd.NA] * len(numbers), "Int16")
    titles = numbers.astype(str)
    names = {"item": numbers, "item_id": numbers, "title": titles, "year": years, "count": counts}
    return Recommender(model, pd.DataFrame(names))


if __name__ == "__main__":
    main()
