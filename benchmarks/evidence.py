"""How the costs of evidence grow with latents and concepts: `python benchmarks/evidence.py [--positions N]`.

Made-up codes, sixteen a position, items in Zipf order, concepts of a tenth of the items each. Each case runs in a
process of its own; seconds are wall time of: sums over items, r and significance (1,000 permutations), and the table of
every latent × concept with its direct effect on scores.
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
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import csr_array

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from seqsae_core.interpret import alignment  # noqa: E402
from seqsae_core.interpret.detection import detect, promoted  # noqa: E402
from seqsae_core.interpret.rivals import Features  # noqa: E402
from seqsae_core.interpret.significance import permutation_test  # noqa: E402
from seqsae_core.sae.activations import Activations  # noqa: E402

ITEMS, WIDTH, ACTIVE, PERMUTATIONS = 7_800, 64, 16, 1000
CASES = ((256, 80), (1024, 20), (1024, 80), (1024, 320), (4096, 80))


def main() -> None:
    """Run every case, or the one that is asked for, and print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--positions", type=int, default=200_000)
    parser.add_argument("--case", nargs=2, type=int, metavar=("LATENTS", "CONCEPTS"), help="this one, in this process")
    options = parser.parse_args()
    if options.case:
        print(json.dumps(measure(*options.case, options.positions), indent=1))
        return
    cases = [in_a_process(*case, options.positions) for case in CASES]
    machine = {
        "cores": os.cpu_count(), "architecture": platform.machine(), "python": platform.python_version(),
        "load_at_end": os.getloadavg()[0],
    }  # fmt: skip
    print(json.dumps({"positions": options.positions, "cases": cases, "machine": machine}, indent=1))


def in_a_process(latents: int, concepts: int, positions: int) -> dict[str, Any]:
    """What `measure` returns, measured where nothing has been in memory before."""
    command = [sys.executable, __file__, "--positions", str(positions), "--case", str(latents), str(concepts)]
    done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout)


def measure(latents: int, concepts: int, positions: int) -> dict[str, Any]:
    """Seconds of each part, and MiB at most resident beside what was there before."""
    codes, at, values, rng = world(latents, concepts, positions)
    kind = Features("latents", tuple(map(str, range(latents))), lambda rows: codes[rows[:, 0].astype(np.int64)])
    directions, outputs = rng.normal(size=(latents, WIDTH)), rng.normal(size=(ITEMS, WIDTH))
    strata, free = np.r_[0, np.arange(ITEMS) * 10 // ITEMS], np.zeros(concepts, bool)
    before, seconds = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, {}

    def timed(name: str, work: Callable[[], Any]) -> Any:
        start = time.perf_counter()
        result = work()
        seconds[name] = round(time.perf_counter() - start, 2)
        return result

    sums = timed("sums", lambda: alignment.item_sums(kind, at, ITEMS))
    timed("correlation", lambda: alignment.correlation(sums, values))
    timed("significance", lambda: permutation_test(sums.per_item(), values, strata, free, PERMUTATIONS, 0))
    timed("every_pair", lambda: detect(codes.tocsc(), values[at.item_at] > 0))
    timed("direct_effect", lambda: promoted(directions @ outputs.T, values[1:] > 0))
    mib = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) >> 10
    return {"latents": latents, "concepts": concepts, "seconds": seconds, "mib_more": mib}


def world(
    latents: int, concepts: int, positions: int
) -> tuple[csr_array, Activations, np.ndarray, np.random.Generator]:
    """Codes (n, latents), their positions, and item values (n_items + 1, concepts)."""
    rng = np.random.default_rng(0)
    item = 1 + np.minimum(rng.zipf(1.2, positions) - 1, ITEMS - 1).astype(np.int32)
    favourite = rng.integers(0, latents, (ITEMS + 1, ACTIVE))[item]
    chosen = np.where(rng.random(favourite.shape) < 0.7, favourite, rng.integers(0, latents, favourite.shape))
    rows = np.repeat(np.arange(positions), ACTIVE)
    strength = rng.exponential(size=rows.size).astype(np.float32)
    codes = csr_array((strength, (rows, chosen.ravel())), (positions, latents))
    values = (rng.random((ITEMS + 1, concepts)) < 0.1).astype(np.float64)
    values[0] = 0
    index = np.arange(positions, dtype=np.float64)[:, None]
    return codes, Activations(index, item, np.arange(positions) // 15, np.arange(positions) % 15), values, rng


if __name__ == "__main__":
    main()
