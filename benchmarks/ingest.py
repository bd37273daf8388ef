"""Seconds and peak memory of ingest beside a plain group-by-sort: `python benchmarks/ingest.py [--events N …]`.

Made-up interactions, items in Zipf order, as CSV and Parquet. Each case runs in a process of its own. Ours is what the
stage `data` does up to the split: read, check, drop repeated rows, 5-core, sequences. The limit only reads the file,
sorts by user and time and gathers each user's items: in pyarrow, and in polars where it is installed.
"""

import argparse
import importlib.util
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

ITEMS, EVENTS_A_USER = 100_000, 50
FORMATS = ("csv", "parquet")


def main() -> None:
    """Run every case, or the one that is named, and print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, nargs="+", default=[1_000_000, 10_000_000])
    parser.add_argument("--case", nargs=2, metavar=("WAY", "FILE"), help="this one only, in this process")
    options = parser.parse_args()
    if options.case:
        print(json.dumps(measure(options.case[0], Path(options.case[1]))))
        return
    with tempfile.TemporaryDirectory() as folder:
        cases = [case for events in options.events for case in compare(events, Path(folder))]
    machine = {"cores": os.cpu_count(), "python": platform.python_version(), "load_at_end": os.getloadavg()[0]}
    print(json.dumps({"cases": cases, "machine": machine}, indent=1))


def compare(events: int, folder: Path) -> list[dict]:
    """Every way over every format of one size."""
    ways = [way for way in WAYS if way != "polars" or importlib.util.find_spec("polars")]
    rows = []
    for kind in FORMATS:
        path = folder / f"{events}.{kind}"
        in_a_process("write", path)
        rows += [{"events": events, "format": kind, "way": way, **in_a_process(way, path)} for way in ways]
        path.unlink()
    return rows


def in_a_process(way: str, path: Path) -> dict:
    """What `measure` returns, measured where nothing has been in memory before."""
    command = [sys.executable, __file__, "--case", way, str(path)]
    done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout)


def measure(way: str, path: Path) -> dict:
    """Wall and processor seconds of one way without its imports, and the process' peak memory in GiB."""
    run = (WAYS | {"write": write})[way]
    prepare = {"ours": "seqsae_core.data.readers", "polars": "polars"}.get(way, "pyarrow.csv")
    importlib.import_module(prepare)
    wall, processor = time.perf_counter(), time.process_time()
    users = run(path)
    wall, processor = time.perf_counter() - wall, time.process_time() - processor
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return {"users": users, "seconds": round(wall, 2), "cpu_seconds": round(processor, 2), "peak_gib": round(peak, 3)}


def write(path: Path) -> int:
    """A file of as many made-up events as its name says, rows in random order."""
    import pyarrow as pa
    from pyarrow import csv, parquet

    events, rng = int(path.stem), np.random.default_rng(0)
    users = rng.integers(0, events // EVENTS_A_USER, events)
    weights = np.cumsum(1 / np.arange(1, ITEMS + 1))
    items = np.searchsorted(weights, rng.random(events) * weights[-1])
    times = rng.integers(1_500_000_000, 1_600_000_000, events)
    table = pa.table({"user_id": users, "item_id": items, "timestamp": times})
    (csv.write_csv if path.suffix == ".csv" else parquet.write_table)(table, path)
    return events // EVENTS_A_USER


def ours(path: Path) -> int:
    """Ingest as the stage `data` does it; returns the number of users."""
    from seqsae_core.data import interactions, readers, sequences

    rows, _ = readers.read(str(path))
    events = interactions.k_core(interactions.drop_repeats(rows), 5)
    return len(sequences.build_sequences(events)[0])


def plain_pyarrow(path: Path) -> int:
    """Read, sort, gather in pyarrow; returns the number of users."""
    from pyarrow import csv, parquet

    table = csv.read_csv(path) if path.suffix == ".csv" else parquet.read_table(path)
    ordered = table.sort_by([("user_id", "ascending"), ("timestamp", "ascending")])
    return len(ordered.group_by("user_id", use_threads=False).aggregate([("item_id", "list")]))


def plain_polars(path: Path) -> int:
    """Read, sort, gather in polars; returns the number of users."""
    import polars

    table = polars.read_csv(path) if path.suffix == ".csv" else polars.read_parquet(path)
    return len(table.sort(["user_id", "timestamp"]).group_by("user_id", maintain_order=True).agg("item_id"))


WAYS = {"ours": ours, "pyarrow": plain_pyarrow, "polars": plain_polars}

if __name__ == "__main__":
    main()
