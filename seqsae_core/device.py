"""Where tensors live and how many threads work on them."""

import os

import torch


def best_device() -> torch.device:
    """`cuda` when there is one, else `mps`, else `cpu`."""
    if torch.cuda.is_available():
        return torch.device("cuda")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


def use_threads(count: int | None = None) -> int:
    """Set the number of torch threads (all cores when None, `OMP_NUM_THREADS` respected) and return it."""
    if count is None:
        count = int(os.environ.get("OMP_NUM_THREADS", 0)) or os.cpu_count() or 1
    torch.set_num_threads(count)
    return count
