"""Steering by few labels or none: `python benchmarks/few_labels.py STUDY [--users N] [--threads N]`, one JSON object.

The extras' curves where a tenth of a concept's items are labelled, where five are, and where none is (a region of the
map), without the rest of the extras: figures of each method, and on how many concepts latents are ahead of each.
"""

import argparse
import json
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from seqsae_core import stages  # noqa: E402
from seqsae_core.device import use_threads  # noqa: E402
from seqsae_core.metrics import STEERING_FIGURES  # noqa: E402
from seqsae_core.study import Study  # noqa: E402


def main() -> None:
    """Measure and print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("study", type=Path)
    parser.add_argument("--users", type=int, default=None, help="held-out users of each role; the study's if absent")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    study = Study.open(options.study)
    steering = replace(study.config.steering, users=options.users or study.config.steering.users)
    use_threads(options.threads)
    with tempfile.TemporaryDirectory() as folder:
        spill = stages.spill_of(study, study.config, "few-labels")
        found = stages.few_label_curves(study, study.config, Path(folder), steering, spill, told)
    print(json.dumps({name: {m: shown(f) for m, f in methods.items()} for name, methods in found.items()}, indent=1))


def told(_: float, text: str) -> None:
    """Where it is, on the standard error stream."""
    print(text, file=sys.stderr)


def shown(figures: dict) -> dict:
    """The quoted figures of one method, with intervals, and who is ahead of whom."""
    names = [name for figure in STEERING_FIGURES for name in (figure, f"{figure}_ci95")]
    areas = {concept: one["frontier_area"] for concept, one in figures["by_concept"].items()}
    return {name: figures[name] for name in names} | {"area_by_concept": areas, "against": figures["against"]}


if __name__ == "__main__":
    main()
