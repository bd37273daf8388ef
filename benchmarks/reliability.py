"""What the program survives: `python benchmarks/reliability.py PART [options]`; each part prints one JSON object.

changes: `tiny` builds killed before every change that they make to names; random: at random moments; reviews: writers
of reviews; fuzz: tests/fuzz with many cases; crowd: sessions that steer at once; soak: a browser and some sessions that
pause as people do, for an hour; disks: builds on disks that are too small. What is counted is in benchmarks/faults/.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
os.environ.setdefault("OMP_NUM_THREADS", "1")


def main() -> None:
    """Runs one part and prints its figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("part", choices=PARTS)
    parser.add_argument("--tries", type=int, default=60, help="kills, or fuzz cases of each test")
    parser.add_argument("--minutes", type=float, default=600.0, help="no further try begins after so many")
    parser.add_argument("--stages", nargs="+", help="changes: of these stages only")
    parser.add_argument("--step", type=int, default=1, help="changes: every n-th of them")
    parser.add_argument("--kib", type=int, nargs="+", default=[8, 300, 700, 1000, 4000], help="disks: their sizes")
    parser.add_argument("--study", type=Path, help="crowd, soak: a finished study, which is copied")
    parser.add_argument("--sessions", type=int, help="crowd, soak: scripted sessions beside the browser (20, 4)")
    parser.add_argument("--each", type=float, default=300.0, help="soak: seconds of each part that is told")
    parser.add_argument("--out", type=Path, help="soak: the file that is kept while it goes on")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="reliability-") as folder:
        found = PARTS[options.part](Path(folder), options)
    machine = {"cores": os.cpu_count(), "machine": platform.machine(), "python": platform.python_version()}
    seconds = round(time.monotonic() - began)
    print(json.dumps({"part": options.part, **found, "seconds": seconds, "machine": machine}, indent=1))


def changes(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Kills before every change of names."""
    kills, reference, config = _uninterrupted(folder)
    stages = tuple(options.stages or kills.STAGES)
    until = time.monotonic() + 60 * options.minutes
    return asdict(kills.at_every_change(reference, folder / "killed" / "study", config, stages, options.step, until))


def at_random(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Kills at random moments of a build from its beginning."""
    began = time.monotonic()
    kills, reference, config = _uninterrupted(folder)
    seconds, until = time.monotonic() - began, time.monotonic() + 60 * options.minutes
    killed = folder / "killed" / "study"
    found = kills.at_random(reference, killed, config, options.tries, seconds, options.seed, until)
    return asdict(found)


def reviews(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Writers of reviews that are killed; every review that they had confirmed is looked for."""
    from benchmarks.reviews import kills

    return kills(folder / "kills.sqlite", options.tries)


def fuzz(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """The cases of tests/fuzz, `--tries` of each test: how many ran, and what failed."""
    counts = folder / "counts.json"
    environment = os.environ | {"SEQSAE_FUZZ": str(options.tries), "SEQSAE_FUZZ_COUNTS": str(counts)}
    command = [sys.executable, "-m", "pytest", "-q", "--no-header", "tests/fuzz"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    cases = json.loads(counts.read_text())
    failed = [line for line in done.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
    return {"cases": sum(cases.values()), "by_test": cases, "failed": failed, "status": done.returncode}


def disks(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Builds on disks of too few KiB."""
    _, reference, config = _uninterrupted(folder)
    from benchmarks.faults.disks import full

    return full(reference, folder, config, options.kib)


def crowd(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """`--sessions` that steer at once for `--minutes`: p95 of first and last fifths, memory, errors in logs.

    A copy of `--study` is steered; while that goes on, its scenarios and reviews are written, and another study beside
    it is opened and deleted.
    """
    from benchmarks.faults import crowd

    return crowd.crowd(options.study, folder, options.sessions or 20, 60 * options.minutes)


def soak(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """A browser and `--sessions` on a copy of `--study` for `--minutes`, by parts; `--out` has it all the time."""
    from benchmarks.faults import soaking

    out = (options.out or Path("soak.json")).resolve()
    return soaking.soak(options.study, folder, options.sessions or 4, 60 * options.minutes, options.each, out)


def _uninterrupted(folder: Path) -> tuple[Any, Path, Any]:
    """The module of kills, a build that ran through, and its settings."""
    from benchmarks.faults import kills
    from seqsae_core import stages  # noqa: F401 - imported once, before forking
    from seqsae_core.config import preset

    reference, config = folder / "whole" / "study", preset("tiny")
    (folder / "killed").mkdir()
    if os.waitpid(kills.forked(reference, config), 0)[1]:
        raise RuntimeError("the build that nobody kills has failed")
    return kills, reference, config


PARTS = {
    "changes": changes, "random": at_random, "reviews": reviews, "fuzz": fuzz, "disks": disks,
    "crowd": crowd, "soak": soak,
}  # fmt: skip

if __name__ == "__main__":
    main()
