"""What one concept costs and what covers reach: `python benchmarks/concept.py studies/movietweetings`.

Reads all users' activations once, then measures every genre of the study that its evidence compares features on, as the
page Concept does. `wall` is what a reader waits for one concept, `cpu` the process's own time. `covers` are means over
these genres of r on score users: of the best latent, of covers of 2, 5 and 10 latents, and of every kind's best.
"""

import argparse
import json
import os
import platform
import resource
import sys
import time
from pathlib import Path

import numpy as np
import torch

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from seqsae_core.interpret.probing import Bench, Measured, measure  # noqa: E402
from seqsae_core.study import Study  # noqa: E402

SIZES = (1, 2, 5, 10)


def main() -> None:
    """Measure and print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("study", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    study, before = Study.open(options.study), time.perf_counter()
    bench = Bench.from_study(study)
    reading = time.perf_counter() - before
    best = study.best()
    names = best.loc[(best["kind"] == "latents") & (best["group"] == "genre"), "concept"].tolist()
    found, wall, cpu = [], [], []
    for name in names:
        walls, cpus = time.perf_counter(), time.process_time()
        found.append(measure(bench, study.concepts().column(name) > 0))
        wall.append(time.perf_counter() - walls)
        cpu.append(time.process_time() - cpus)
    print(json.dumps({
        "latents": bench.kinds[0].features.count, "score_positions": len(bench.values), "concepts": len(names),
        "reading_seconds": round(reading, 2), "seconds_per_concept": {"wall": spread(wall), "cpu": spread(cpu)},
        "covers": covers(found), "kinds": kinds(found), "mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10,
        "cores": os.cpu_count(), "architecture": platform.machine(), "load_at_end": os.getloadavg()[0],
    }, indent=1))  # fmt: skip


def spread(seconds: list[float]) -> dict[str, float]:
    """Median and largest."""
    return {"median": round(float(np.median(seconds)), 3), "largest": round(max(seconds), 3)}


def covers(found: list[Measured]) -> dict[str, dict[str, float]]:
    """Mean r of the first latents of each cover, on the same items and on new ones; a shorter cover stays as it is."""
    both = {"same_items": [m.cover.same for m in found], "new_items": [m.cover.new for m in found if m.halves]}
    return {
        name: {str(size): round(float(np.mean([r[min(size, len(r)) - 1] for r in rows])), 4) for size in SIZES}
        for name, rows in both.items()
    }


def kinds(found: list[Measured]) -> dict[str, dict[str, float]]:
    """Mean r of every kind's best feature."""
    tables = [m.kinds.set_index("kind")[["r", "r_new"]] for m in found]
    mean = sum(tables) / len(tables)
    names = {"r": "same_items", "r_new": "new_items"}
    return mean.rename(columns=names).round(4).to_dict("index")


if __name__ == "__main__":
    main()
