"""How long one recommendation takes: `python benchmarks/recommend.py [--calls N]`.

Random weights of the default size, one torch thread, one history a call, ten items back. `wall` is what a caller waits;
`cpu` is the thread's own time, which says less of who else uses the machine.
"""

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import torch

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from seqsae_core.recommender.recommend import Recommender  # noqa: E402
from seqsae_core.recommender.transformer import ARCHITECTURES  # noqa: E402

ITEMS, WIDTH, BLOCKS, HEADS, WINDOW = 7787, 64, 2, 2, 64
SHORTEST, WARM_UP = 5, 50


def main() -> None:
    """Measure and print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=2000)
    options = parser.parse_args()
    torch.set_num_threads(1)
    found = {name: measure(make(name), options.calls) for name in ARCHITECTURES}
    shape = {"items": ITEMS, "width": WIDTH, "blocks": BLOCKS, "heads": HEADS, "max_length": WINDOW}
    machine = {
        "cores": os.cpu_count(), "architecture": platform.machine(), "python": platform.python_version(),
        "torch": torch.__version__, "load_at_end": os.getloadavg()[0],
    }  # fmt: skip
    print(json.dumps({"model": shape, "ms_per_call": found, "machine": machine}, indent=1))


def make(architecture: str) -> Recommender:
    """A recommender of random weights over a made-up catalogue."""
    torch.manual_seed(0)
    numbers = np.arange(1, ITEMS + 1)
    years = pd.array(1950 + numbers % 70, "Int16")
    titles = [f"Title {n}" for n in numbers]
    catalogue = {"item": numbers, "item_id": numbers + 100, "title": titles, "year": years, "count": numbers}
    model = ARCHITECTURES[architecture](ITEMS, WIDTH, BLOCKS, HEADS, WINDOW).eval()
    return Recommender(model, pd.DataFrame(catalogue))


def measure(recommender: Recommender, calls: int) -> dict[str, dict]:
    """Times of calls by item number (mixed lengths, the shortest, full windows) and of calls by title."""
    rng = np.random.default_rng(0)
    mixed = [rng.integers(1, ITEMS + 1, rng.integers(SHORTEST, WINDOW + 1)) for _ in range(calls)]
    names = [recommender.lookup.titles[items - 1] for items in mixed]
    return {
        "5 to 64 items": timed(recommender.recommend, mixed),
        "5 items": timed(recommender.recommend, [items[:SHORTEST] for items in mixed]),
        "64 items": timed(recommender.recommend, [np.resize(items, WINDOW) for items in mixed]),
        "5 to 64 titles": timed(lambda titles: recommender.recommend(titles, by="title"), names),
    }


def timed(call: Callable[[np.ndarray], object], histories: list[np.ndarray]) -> dict[str, dict[str, float]]:
    """Median and 95th percentile in milliseconds, of waiting and of the thread's own time, after a warm-up."""
    for history in histories[:WARM_UP]:
        call(history)
    times = []
    for history in histories:
        wall, cpu = time.perf_counter(), time.thread_time()
        call(history)
        times.append((time.perf_counter() - wall, time.thread_time() - cpu))
    p50, p95 = np.percentile(1000 * np.array(times), [50, 95], axis=0).round(3).tolist()
    return {kind: {"p50": p50[i], "p95": p95[i]} for i, kind in enumerate(("wall", "cpu"))}


if __name__ == "__main__":
    main()
