"""What every contender of benchmarks/dictionaries.py does alike: read its job, draw batches, keep the clock, answer.

Contenders run in environments that differ; this file needs NumPy and torch alone.
"""

import json
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

WARM_UP_STEPS = 50
CHUNK = 25
Reconstruct = Callable[[Tensor], tuple[Tensor, Tensor]]


@dataclass(frozen=True)
class Job:
    """Train a TopK dictionary on train.npy, float32 (n, width); `rate_factor` multiplies the library's own rate.

    options: what this contender sets beside the shape. marks: steps done, and the time, at points of the training.
    """

    data: str
    out: str
    latents: int
    k: int
    batch_size: int
    steps: int
    threads: int
    seed: int
    rate_factor: float
    options: dict[str, str]
    marks: list[tuple[int, float]] = field(default_factory=list)

    def rows(self, name: str) -> np.ndarray:
        """`train` or `held_out` activations."""
        return np.load(Path(self.data) / f"{name}.npy")

    def batches(self, steps: int) -> Iterator[Tensor]:
        """Random rows (batch, width), the same for everyone who asks."""
        rows = torch.from_numpy(self.rows("train"))
        generator = torch.Generator().manual_seed(self.seed)
        for step in range(steps):
            self.mark(step)
            yield rows[torch.randint(len(rows), (self.batch_size,), generator=generator)]


    def mark(self, step: int) -> None:
        """To be called when so many steps are done; those of whole chunks count. Who takes `batches` need not."""
        if step % CHUNK == 0:
            self.marks.append((step, time.perf_counter()))


def pace(marks: list[tuple[int, float]]) -> float | None:
    """Median steps a second between two marks after the warm-up; None where there are no two."""
    after = [mark for mark in marks if mark[0] >= WARM_UP_STEPS]
    rates = [(step - before) / (now - then) for (before, then), (step, now) in pairwise(after)]
    return statistics.median(rates) if rates else None


def run(train: Callable[[Job, int], Reconstruct], *packages: str) -> None:
    """Train once to warm up and once on the clock; write reconstructions of the held-out rows, and the pace.

    `train(job, steps)` gives a function from rows (n, width) to reconstructions and codes (n, latents); `packages` are
    those whose versions are told.
    """
    job = Job(**json.loads(Path(sys.argv.pop(1)).read_text()))
    torch.set_num_threads(job.threads)
    torch.manual_seed(job.seed)
    train(job, WARM_UP_STEPS)
    job.marks.clear()
    torch.manual_seed(job.seed)
    began = time.perf_counter()
    reconstruct = train(job, job.steps)
    ended = time.perf_counter()
    if job.steps >= 4 * CHUNK and ended - job.marks[-1][1] > (ended - began) / 2:
        raise RuntimeError("The contender takes its batches ahead of its steps, so the marks do not tell its pace.")
    seconds = ended - began
    told = {"seconds": seconds, "steps_per_second": pace(job.marks) or job.steps / seconds, **judge(job, reconstruct)}
    told["versions"] = {name: version(name) for name in ("torch", *packages)}
    (Path(job.out) / "result.json").write_text(json.dumps(told))


@torch.no_grad()
def judge(job: Job, reconstruct: Reconstruct) -> dict[str, float]:
    """Write the reconstructions of the held-out rows; L0 and the share of latents that fire on none of them."""
    rebuilt, fires = [], torch.zeros(job.latents, dtype=torch.long)
    for rows in torch.from_numpy(job.rows("held_out")).split(4096):
        found, codes = reconstruct(rows)
        rebuilt.append(found.numpy())
        fires += (codes > 0).sum(0)
    rebuilt = np.concatenate(rebuilt)
    np.save(Path(job.out) / "rebuilt.npy", rebuilt)
    return {"l0": float(fires.sum() / len(rebuilt)), "dead": float((fires == 0).float().mean())}
