"""What every contender of benchmarks/recommender.py does alike: read its job, keep the clock, tell what it found.

Contenders run in environments that differ; this file needs NumPy alone.
"""

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

WARM_UP = 5
Vectors = Callable[[], dict[str, np.ndarray]]


@dataclass(frozen=True)
class Job:
    """What to train on, for how long, and whom to recommend to; `shape` and `options` are the contender's settings.

    data: folder with items.npy, int32 (events,), values 1..n_items; offsets.npy, int64 (users + 1,); train_end.npy,
    int64 (users,), the events of each user that may train a model; after them comes the validation event.
    """

    data: Path
    out: Path
    n_items: int
    budget: float
    every: float
    threads: int
    seed: int
    k: int
    asked: list[int]
    shape: dict[str, float]
    options: dict[str, str | int]

    @classmethod
    def read(cls) -> "Job":
        """The job whose file the command line names."""
        values = json.loads(Path(sys.argv.pop(1)).read_text())
        return cls(**values | {"data": Path(values["data"]), "out": Path(values["out"])})

    def array(self, name: str) -> np.ndarray:
        """One of the arrays of the data."""
        return np.load(self.data / f"{name}.npy")

    def events(self, beyond: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """User index, item and place in the user's history of each training event, and of `beyond` events after."""
        offsets, end = self.array("offsets"), self.array("train_end")
        user = np.repeat(np.arange(len(end)), np.diff(offsets))
        place = np.arange(len(user)) - offsets[user]
        keep = place < end[user] + beyond
        return user[keep], self.array("items")[keep], place[keep]


class Watch:
    """A clock of training seconds that stands still while it looks at the model.

    `vectors` gives what ranks every item for every user: `users` (users, width), `items` (n_items + 1, width), and
    `known` (n_items + 1,), False for items that the model cannot score; optionally `bias` (n_items + 1,).
    """

    def __init__(self, job: Job, vectors: Vectors):
        self.job, self.vectors = job, vectors
        self.seconds: list[float] = []
        self.start()

    def start(self) -> None:
        """Set the clock to 0."""
        self.spent, self.last, self.since = 0.0, 0.0, time.perf_counter()

    def now(self) -> float:
        """Seconds of training so far."""
        return self.spent + time.perf_counter() - self.since

    def tick(self) -> bool:
        """To be called at every step: True when the budget is spent; before that, looks each `every` seconds."""
        spent = self.now() >= self.job.budget
        if not spent and self.now() - self.last >= self.job.every:
            self.look()
        return spent

    @contextmanager
    def pause(self) -> Iterator[None]:
        """The clock stands still within."""
        self.spent = self.now()
        yield
        self.since = time.perf_counter()

    def look(self) -> None:
        """Keep the vectors of the model as it is."""
        with self.pause():
            np.savez(self.job.out / f"{len(self.seconds)}.npz", **self.vectors())
            self.seconds.append(self.spent)
            self.last = self.spent
            print(f"{self.job.out.name}: {self.spent:.0f} s of training", file=sys.stderr, flush=True)


def memory(kind: str = "VmRSS") -> float:
    """MiB that this process holds now, or with `VmHWM` the most that it ever held.

    Of the process alone: `ru_maxrss` would count what the parent held when it started this one.
    """
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(kind)).split()[1]) / 1024


def milliseconds(job: Job, recommend: Callable[[int], list[int]]) -> tuple[list[float], list[list[int]]]:
    """Of each call for one user, and the lists, after a warm-up."""
    for user in job.asked[:WARM_UP]:
        recommend(user)
    times, lists = [], []
    for user in job.asked:
        began = time.perf_counter()
        found = recommend(user)
        times.append(1000 * (time.perf_counter() - began))
        lists.append([int(item) for item in found])
    return times, lists


def finish(job: Job, watch: Watch, imported: float, ways: dict[str, Callable[[int], list[int]]], **more) -> None:
    """Write the result: the last state, training seconds, memory, and each way of recommending to a single user.

    `imported`: memory before the data were read.
    """
    peak = memory("VmHWM")
    np.savez(job.out / "final.npz", **watch.vectors())
    found = {name: milliseconds(job, way) for name, way in ways.items()}
    result = {
        "seconds": watch.seconds,
        "imports_mib": imported,
        "peak_mib": peak,
        "milliseconds": {name: times for name, (times, _) in found.items()},
        "lists": {name: lists for name, (_, lists) in found.items()},
        **more,
    }
    (job.out / "result.json").write_text(json.dumps(result))
