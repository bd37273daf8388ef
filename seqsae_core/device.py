"""Where tensors live and how many threads work on them."""

import os
import time
from collections.abc import Mapping
from functools import cache

import torch
from torch.nn import functional as F

MEASURED_SECONDS = 0.08


def best_device() -> torch.device:
    """`cuda` when there is one, else `mps`, else `cpu`."""
    if torch.cuda.is_available():
        return torch.device("cuda")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


def use_threads(kept: int | None = None) -> int:
    """Set the number of torch threads and return it.

    `OMP_NUM_THREADS` wins. Then `kept`, the number that a study was begun with: another one sums in another order, and
    so gives other bits. Then what is fastest here.
    """
    count = int(os.environ.get("OMP_NUM_THREADS") or 0) or min(kept or 0, cores()) or fastest_threads()
    torch.set_num_threads(count)
    return count


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@cache
def fastest_threads() -> int:
    """The fewest threads that are about as fast as any; measured once a process, in about half a second.

    Small matrices do not gain from many cores, and often lose. Up to two cores: all of them, without measuring.
    """
    if cores() <= 2:
        return cores()
    return fewest_within({n: _step_seconds(n) for n in (2**i for i in range(cores().bit_length()))})


def fewest_within(seconds: Mapping[int, float], slack: float = 0.05) -> int:
    """The fewest threads within `slack` of the best time; seconds: of each number of threads."""
    return min(n for n, taken in seconds.items() if taken <= (1 + slack) * min(seconds.values()))


def _step_seconds(threads: int) -> float:
    """Least seconds of something like a training step: an MLP of width 64, and a softmax over 1,024 items."""
    torch.set_num_threads(threads)
    draw = torch.Generator().manual_seed(0)
    shapes = ((2048, 64), (64, 256), (256, 64), (64, 1024))
    states, up, down, items = (torch.randn(shape, generator=draw).mul_(0.1).requires_grad_() for shape in shapes)
    taken: list[float] = []
    while len(taken) < 2 or sum(taken) < MEASURED_SECONDS:
        began = time.perf_counter()
        mixed = states + F.gelu(states @ up) @ down
        (mixed @ items).logsumexp(1).mean().backward()
        taken.append(time.perf_counter() - began)
    return min(taken[1:])
