"""Seconds of the default build, stage by stage, and its peak memory: `python benchmarks/build.py [--preset NAME]`."""

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    """Build into a folder of its own and print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--preset", default="default")
    preset = parser.parse_args().preset
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "study"
        began = time.monotonic()
        command = [sys.executable, "-m", "seqsae_core", "build", "--preset", preset, "--out", str(out)]
        subprocess.run(command, cwd=ROOT, check=True, stdout=sys.stderr)
        seconds = time.monotonic() - began
        stages = json.loads((out / "manifest.json").read_text())["stages"]
        began = time.monotonic()
        subprocess.run(command, cwd=ROOT, check=True, stdout=sys.stderr)
        print(json.dumps(report(preset, seconds, time.monotonic() - began, stages), indent=1))


def report(preset: str, seconds: float, again: float, stages: dict) -> dict:
    """Wall seconds of the build, of each stage and of a second build; peak memory of the largest process; machine."""
    return {
        "preset": preset,
        "seconds": round(seconds, 1),
        "second_build_seconds": round(again, 1),
        "stages": {name: entry["seconds"] for name, entry in stages.items()},
        "peak_memory_gib": round(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20, 2),
        "machine": {
            "cores": os.cpu_count(),
            "architecture": platform.machine(),
            "python": platform.python_version(),
            "load_at_end": os.getloadavg()[0],
        },
    }


if __name__ == "__main__":
    main()
