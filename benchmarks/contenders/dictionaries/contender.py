"""What every contender of benchmarks/dictionaries.py does alike: read its job, draw batches, keep the clock, answer.

Contenders run in environments that differ; this file needs NumPy and torch alone.
"""

import json
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

WARM_UP_STEPS = 20
Reconstruct = Callable[[Tensor], tuple[Tensor, Tensor]]


@dataclass(frozen=True)
class Job:
    """Train a TopK dictionary on train.npy, float32 (n, width); `rate_factor` multiplies the library's own rate."""

    data: str
    out: str
    latents: int
    k: int
    batch_size: int
    steps: int
    threads: int
    seed: int
    rate_factor: float

    def rows(self, name: str) -> np.ndarray:
        """`train` or `held_out` activations."""
        return np.load(Path(self.data) / f"{name}.npy")

    def batches(self, steps: int) -> Iterator[Tensor]:
        """Random rows (batch, width), the same for everyone who asks."""
        rows = torch.from_numpy(self.rows("train"))
        generator = torch.Generator().manual_seed(self.seed)
        for _ in range(steps):
            yield rows[torch.randint(len(rows), (self.batch_size,), generator=generator)]


def run(train: Callable[[Job, int], Reconstruct]) -> None:
    """Train once to warm up and once on the clock; write reconstructions of the held-out rows, and the seconds.

    `train(job, steps)` gives a function from rows (n, width) to reconstructions and codes (n, latents).
    """
    job = Job(**json.loads(Path(sys.argv.pop(1)).read_text()))
    torch.set_num_threads(job.threads)
    torch.manual_seed(job.seed)
    train(job, WARM_UP_STEPS)
    torch.manual_seed(job.seed)
    began = time.perf_counter()
    reconstruct = train(job, job.steps)
    seconds = time.perf_counter() - began
    rebuilt, fires, active = [], 0, 0
    with torch.no_grad():
        for rows in torch.from_numpy(job.rows("held_out")).split(4096):
            found, codes = reconstruct(rows)
            rebuilt.append(found.numpy())
            fires, active = fires + (codes > 0).sum(0), active + int((codes > 0).sum())
    np.save(Path(job.out) / "rebuilt.npy", np.concatenate(rebuilt))
    told = {"seconds": seconds, "l0": active / sum(map(len, rebuilt)), "dead": float((fires == 0).float().mean())}
    (Path(job.out) / "result.json").write_text(json.dumps(told))
