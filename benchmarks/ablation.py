"""Each part of the recommender's recipe on and off, at equal processor seconds: `python benchmarks/ablation.py`.

Validation NDCG@10 on the embedded data, one thread. The number of passes is what the budget, less the model's start,
pays for at the cost of the first pass (the learning rate decays over as many); validation after each pass is part of
the cost for all.
"""

import argparse
import json
import os
import platform
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from seqsae_core.config import ARCHITECTURES, RecommenderConfig, StudyConfig
from seqsae_core.data import interactions, readers
from seqsae_core.data.sequences import Sequences, Split, build_sequences, make_split
from seqsae_core.device import use_threads
from seqsae_core.recommender import recipe, training

VARIANTS = {
    "default": {},
    "no warm start": {"warm_start": False},
    "no popularity bias": {"popularity_bias": False},
    "neither": {"warm_start": False, "popularity_bias": False},
    "half of the negatives by popularity": {"popular_negatives": 0.5},
    "gBCE": {"objective": "gbce"},
    "full softmax": {"negatives": None},
    "no attention dropout": {"attention_dropout": False},
    "moving average of the weights": {"averaging": 0.995},
    "BERT4Rec": asdict(ARCHITECTURES["bert4rec"](RecommenderConfig())),
}


def main() -> None:
    """Train every variant with every seed; print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=100.0, help="processor seconds of one training")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--max-users", type=int, help="so many users, drawn by stable hash, instead of all")
    parser.add_argument("--only", nargs="*", choices=VARIANTS, default=list(VARIANTS))
    options = parser.parse_args()
    use_threads(1)
    events, _ = readers.read("movietweetings")
    if options.max_users:
        events = interactions.sample_users(events, options.max_users)
    sequences, _ = build_sequences(interactions.k_core(events, 5))
    split = make_split(sequences, "leave-one-out")
    found = {name: measure(sequences, split, name, options.seconds, options.seeds) for name in options.only}
    machine = {"cores": os.cpu_count(), "architecture": platform.machine(), "python": platform.python_version()}
    setting = {"seconds": options.seconds, "users": len(sequences), "machine": machine}
    print(json.dumps(setting | {"variants": found}, indent=1))


def measure(sequences: Sequences, split: Split, name: str, seconds: float, seeds: int) -> dict:
    """Best validation NDCG@10 of each seed, their mean and standard deviation, and what they cost."""
    config = replace(StudyConfig().recommender, **VARIANTS[name])
    start, cost = _start(sequences, split, config), _run(sequences, split, replace(config, passes=1), 0)[1]
    passes = max(1, int((seconds - start) / (cost - start)))
    runs = [_run(sequences, split, replace(config, passes=passes, patience=passes), seed) for seed in range(seeds)]
    scores = [score for score, _ in runs]
    row = {
        "ndcg@10": float(np.mean(scores)),
        "sd": float(np.std(scores, ddof=1)) if seeds > 1 else None,
        "by_seed": scores,
        "passes": passes,
        "processor_seconds": [round(spent, 1) for _, spent in runs],
    }
    print(name, row, file=sys.stderr, flush=True)
    return row


def _start(sequences: Sequences, split: Split, config: RecommenderConfig) -> float:
    """Processor seconds before the first pass, which are spent once however many there are."""
    began = time.process_time()
    recipe.make_model(sequences, split, config, StudyConfig().data.max_length, 0)
    return time.process_time() - began


def _run(sequences: Sequences, split: Split, config: RecommenderConfig, seed: int) -> tuple[float, float]:
    began = time.process_time()
    log = training.train(sequences, split, config, StudyConfig().data.max_length, seed).log
    return max(row["ndcg@10"] for row in log), time.process_time() - began


if __name__ == "__main__":
    main()
