"""Quality on the SASRec paper's ML-1M file, for comparison with published figures; nothing trained is kept.

`python benchmarks/published.py sasrec_ml-1m.txt.gz --passes 100 --dropout 0.2`: every setting of the recommender is an
option. The file has one "user item" line an event, in order; leave-one-out, all items ranked, seen ones removed.
"""

import argparse
import json
import os
import platform
import sys
import time
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from seqsae_core.config import RecommenderConfig
from seqsae_core.data.sequences import Sequences, make_split
from seqsae_core.device import use_threads
from seqsae_core.recommender import batching, evaluation, training

TYPES = {"int": int, "float": float, "str": str, "int | None": int, "float | None": float}


def main() -> None:
    """Train once with the given settings, read the test targets once, print one JSON object."""
    options = parse()
    config = replace(RecommenderConfig(), **settings(options))
    threads, sequences = use_threads(), read(options.file)
    split = make_split(sequences, "leave-one-out")
    began = time.monotonic()
    trained = training.train(sequences, split, config, options.max_length, options.seed, Lines())
    seconds = time.monotonic() - began
    users = np.flatnonzero(split.test_at >= 1)
    found = evaluation.rank_users(trained.model, sequences, users, split.test_at[users])
    figures = evaluation.summarise(found, batching.item_counts(sequences, split))
    print(json.dumps({
        "test": figures, "train_seconds": round(seconds, 1), "seed": options.seed,
        "passes": len(trained.log), "log": [{k: v for k, v in row.items() if k != "losses"} for row in trained.log],
        "settings": asdict(config) | {"max_length": options.max_length},
        "machine": {"threads": threads, "cores": os.cpu_count(), "architecture": platform.machine()},
    }, indent=1))  # fmt: skip


def parse() -> argparse.Namespace:
    """The file, the seed and one option a setting."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--max-length", type=int, default=200)
    add_settings(parser)
    return parser.parse_args()


def add_settings(parser: argparse.ArgumentParser) -> None:
    """One option a setting of the recommender; these train one, so that none is imported."""
    for field in (field for field in fields(RecommenderConfig) if field.name not in ("imported", "fingerprint")):
        option, kind = "--" + field.name.replace("_", "-"), getattr(field.type, "__name__", str(field.type))
        how = {"action": argparse.BooleanOptionalAction} if kind == "bool" else {"type": TYPES[kind]}
        parser.add_argument(option, default=argparse.SUPPRESS, **how)


def settings(options: argparse.Namespace) -> dict[str, Any]:
    """The settings of the recommender that were given."""
    return {f.name: getattr(options, f.name) for f in fields(RecommenderConfig) if f.name in options}


def read(path: Path) -> Sequences:
    """Sequences of the file, in its order."""
    users, items = np.loadtxt(path, dtype=np.int64, unpack=True)
    order = np.argsort(users, kind="stable")
    names, counts = np.unique(users, return_counts=True)
    codes = np.unique(items, return_inverse=True)[1][order] + 1
    offsets = np.concatenate([[0], np.cumsum(counts)])
    return Sequences(names, codes.astype(np.int32), offsets, None, int(codes.max()))


class Lines:
    """A line to stderr every half minute."""

    def __init__(self) -> None:
        self.told = 0.0

    def __call__(self, done: float, text: str, **facts: object) -> None:
        """Called by training at every few steps."""
        if time.monotonic() - self.told > 30:
            self.told = time.monotonic()
            print(f"{done:6.1%} {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
