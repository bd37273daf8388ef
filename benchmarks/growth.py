"""How the recommender's costs grow with items and with users: `python benchmarks/growth.py [--users N] [--passes N]`.

Made-up histories, items in Zipf order, the default preset's recipe. Each case runs in a process of its own.
"""

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from seqsae_core.config import StudyConfig  # noqa: E402
from seqsae_core.data.sequences import Sequences, make_split  # noqa: E402
from seqsae_core.device import use_threads  # noqa: E402
from seqsae_core.recommender import baselines, evaluation, recipe, training  # noqa: E402

ITEMS, TESTED = 7_800, 200
CASES = {"one": (1, 1), "items x 10": (10, 1), "items x 100": (100, 1), "users x 10": (1, 10)}


def main() -> None:
    """Run every case, or the one that is named, and print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=1000, help="users of the smallest case, 20 events each")
    parser.add_argument("--passes", type=int, default=1)
    parser.add_argument("--case", choices=CASES, help="this one only, in this process")
    options = parser.parse_args()
    if options.case:
        print(json.dumps(measure(options.case, options.users, options.passes), indent=1))
        return
    cases = {name: in_a_process(name, options.users, options.passes) for name in CASES}
    machine = {
        "cores": os.cpu_count(),
        "architecture": platform.machine(),
        "python": platform.python_version(),
        "load_at_end": os.getloadavg()[0],
    }
    print(json.dumps({"cases": cases, "machine": machine}, indent=1))


def in_a_process(case: str, users: int, passes: int) -> dict:
    """What `measure` returns, measured where nothing has been in memory before."""
    command = [sys.executable, __file__, "--case", case, "--users", str(users), "--passes", str(passes)]
    done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout)


def measure(case: str, users: int, passes: int) -> dict:
    """Seconds of each part, and the largest resident memory up to the end of training and to the very end.

    A pass is the training alone; validation, test and baselines are per 1,000 users, each over the whole catalogue.
    """
    times_items, times_users = CASES[case]
    sequences = zipf_histories(users * times_users, ITEMS * times_items, seed=0)
    split = make_split(sequences, "leave-one-out")
    threads = use_threads()
    warm_start = timed(recipe, "spectral_embeddings")
    validation = timed(training, "validate")
    config = replace(StudyConfig(), recommender=replace(StudyConfig().recommender, passes=passes))
    trained = training.train(sequences, split, config.recommender, config.data.max_length, seed=0)
    training_peak, passes_done = peak_memory(), len(trained.log)
    training_seconds = trained.log[-1]["seconds"] - sum(validation) - sum(warm_start)
    some = np.arange(min(TESTED, len(sequences)))
    table = timed(baselines, "item_knn")
    test = seconds(lambda: evaluation.rank_users(trained.model, sequences, some, split.test_at[some]))
    others = seconds(lambda: baselines.rank_baselines(sequences, split, some, split.test_at[some]))
    validated = min(len(sequences), training.VALIDATED)
    return {
        "users": len(sequences),
        "items": sequences.n_items,
        "events": len(sequences.items),
        "threads": threads,
        "seconds_per_pass": round(training_seconds / passes_done, 2),
        "validation_seconds_per_1000_users": round(1000 * sum(validation) / passes_done / validated, 2),
        "warm_start_seconds": round(sum(warm_start), 2),
        "test_seconds_per_1000_users": round(1000 * test / len(some), 2),
        "item_knn_seconds": round(sum(table), 2),
        "baselines_seconds_per_1000_users": round(1000 * (others - sum(table)) / len(some), 2),
        "training_peak_gib": training_peak,
        "peak_gib": peak_memory(),
    }


def zipf_histories(users: int, n_items: int, seed: int) -> Sequences:
    """5 to 35 events a user, 20 on average; item i with a chance proportional to 1 / i."""
    rng = np.random.default_rng(seed)
    offsets = np.concatenate([[0], np.cumsum(rng.integers(5, 36, users))])
    chances = np.cumsum(1 / np.arange(1, n_items + 1))
    items = 1 + np.searchsorted(chances, rng.random(offsets[-1]) * chances[-1])
    return Sequences(np.arange(users), items.astype(np.int32), offsets, np.arange(offsets[-1]), n_items)


def timed(module: ModuleType, name: str) -> list[float]:
    """Let every call of a module's function add its seconds to the list that is returned."""
    inner, spent = getattr(module, name), []

    def outer(*given):
        began = time.monotonic()
        result = inner(*given)
        spent.append(time.monotonic() - began)
        return result

    setattr(module, name, outer)
    return spent


def seconds(work: Callable[[], object]) -> float:
    """Wall seconds of a piece of work."""
    began = time.monotonic()
    work()
    return time.monotonic() - began


def peak_memory() -> float:
    """Largest resident memory of this process so far, GiB."""
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, 2)


if __name__ == "__main__":
    main()
