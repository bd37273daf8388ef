"""Our recommender beside other libraries': `python benchmarks/recommender.py [--rivals NAME …] [--budget SECONDS]`.

Each contender trains SASRec of the same shape on the same events and threads, in a process and an environment of its
own, and keeps what ranks all items for all users at points of its training. From that, one and the same function here
takes validation NDCG@10; neither this nor the looking is on a contender's clock. Rivals need `make benchmark-rivals`.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from seqsae_core.data import interactions, readers  # noqa: E402
from seqsae_core.data.sequences import Sequences, Split, build_sequences, make_split  # noqa: E402
from seqsae_core.recommender import evaluation, ranking  # noqa: E402

CONTENDERS = Path(__file__).with_name("contenders")
RIVALS_PYTHON = ROOT / ".venv-benchmarks/bin/python"
SHAPE = {"width": 64, "blocks": 2, "heads": 2, "dropout": 0.3, "max_length": 64}
SMOKE = {"budget": 10.0, "every": 3.0, "asked": 5, "max_users": 400}
SHARES = (0.9, 0.95, 1.0)
BATCH = 512
K = 10


@dataclass(frozen=True)
class Contender:
    """A script of `contenders/`, the interpreter that runs it, and what it sets beside the shape."""

    script: str
    python: Path = RIVALS_PYTHON
    options: dict[str, str | int | float] = field(default_factory=dict)


OURS = Contender("ours", Path(sys.executable))
RIVALS = {
    "rectools": Contender("rectools_sasrec"),
    "rectools-sampled-softmax": Contender("rectools_sasrec", options={"loss": "sampled_softmax", "n_negatives": 256}),
    "rectools-gbce": Contender("rectools_sasrec", options={"loss": "gBCE", "n_negatives": 256, "gbce_t": 0.75}),
    "recbole": Contender("recbole_sasrec"),
}


def main() -> None:
    """Run everybody, one after the other, and print one JSON object."""
    options = parse()
    torch.set_num_threads(options.threads)
    sequences = read(options.max_users)
    split = make_split(sequences, "leave-one-out")
    with tempfile.TemporaryDirectory() as folder:
        data = write(sequences, split, Path(folder) / "data")
        job = {
            "data": str(data), "n_items": sequences.n_items, "budget": options.budget, "every": options.every,
            "threads": options.threads, "seed": options.seed, "k": K, "shape": SHAPE,
            "asked": draw(len(sequences), options.asked, options.seed),
        }  # fmt: skip
        ours = run("ours", OURS, job, Path(folder), sequences, split)
        rivals = {name: run(name, RIVALS[name], job, Path(folder), sequences, split) for name in options.rivals}
    compared = {name: compare(ours, rival) for name, rival in rivals.items()}
    print(json.dumps({"ours": ours, **rivals, "compared": compared, "setting": setting(options, sequences)}, indent=1))


def parse() -> argparse.Namespace:
    """The command line; `--smoke` is a run of seconds whose figures mean nothing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rivals", nargs="*", choices=RIVALS, default=list(RIVALS))
    parser.add_argument("--budget", type=float, default=600.0, help="seconds of training for each rival")
    parser.add_argument("--every", type=float, default=30.0, help="seconds between two looks at a rival")
    parser.add_argument("--asked", type=int, default=200, help="users to recommend to, one at a time")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--max-users", type=int)
    parser.add_argument("--smoke", action="store_true")
    options = parser.parse_args()
    if options.smoke:
        vars(options).update(SMOKE)
    if options.rivals and not (RIVALS_PYTHON.parents[1] / ".installed").exists():
        parser.error("The rivals are not installed: make benchmark-rivals. Without them: --rivals")
    return options


def read(max_users: int | None) -> Sequences:
    """The default study's events."""
    events, _ = readers.read("movietweetings")
    if max_users:
        events = interactions.sample_users(events, max_users)
    return build_sequences(interactions.k_core(events, 5))[0]


def write(sequences: Sequences, split: Split, folder: Path) -> Path:
    """What a `Job` reads."""
    folder.mkdir()
    arrays = {"items": sequences.items, "offsets": sequences.offsets, "train_end": split.train_end}
    for name, values in arrays.items():
        np.save(folder / f"{name}.npy", values)
    return folder


def draw(users: int, count: int, seed: int) -> list[int]:
    """Whom to recommend to."""
    return np.random.default_rng(seed).choice(users, min(count, users), replace=False).tolist()


def run(name: str, contender: Contender, job: dict, folder: Path, sequences: Sequences, split: Split) -> dict:
    """Train one contender and take its figures."""
    out = folder / name
    out.mkdir()
    (out / "job.json").write_text(json.dumps(job | {"out": str(out), "options": contender.options}))
    script = CONTENDERS / f"{contender.script}.py"
    threads = {f"{library}_NUM_THREADS": str(job["threads"]) for library in ("OMP", "MKL", "OPENBLAS")}
    without_gpu = {"CUDA_VISIBLE_DEVICES": ""}
    command = [contender.python, "-W", "ignore", script, out / "job.json"]
    subprocess.run(command, env=os.environ | threads | without_gpu, check=True, stdout=sys.stderr)
    return report(json.loads((out / "result.json").read_text()), out, job["asked"], sequences, split)


def report(result: dict, out: Path, asked: list[int], sequences: Sequences, split: Split) -> dict:
    """Figures of one contender; `lists_as_ranked`: share of its lists that its vectors lead to as well."""
    scores = [validation_ndcg(out / f"{number}.npz", sequences, split) for number in range(len(result["seconds"]))]
    expected = best_items(out / "final.npz", sequences, split, np.array(asked))
    lists = {way: [ours == theirs for ours, theirs in zip(expected, found, strict=True)]
             for way, found in result["lists"].items()}  # fmt: skip
    return {
        "curve": [[round(s, 1), round(n, 4)] for s, n in zip(result["seconds"], scores, strict=True)],
        "best_ndcg@10": round(max(scores), 4),
        "peak_mib": round(result["peak_mib"]),
        "peak_without_imports_mib": round(result["peak_mib"] - result["imports_mib"]),
        "recommend_ms": {way: summary(times) for way, times in result["milliseconds"].items()},
        "lists_as_ranked": {way: float(np.mean(same)) for way, same in lists.items()},
        "batch_size": result["batch_size"],
        "versions": result["versions"],
    }


def scored(path: Path, sequences: Sequences, users: np.ndarray) -> torch.Tensor:
    """Scores (users, n_items + 1) of kept vectors; -inf for padding and for what the contender does not know."""
    kept = np.load(path)
    scores = torch.from_numpy(kept["users"][users]) @ torch.from_numpy(kept["items"]).T
    if "bias" in kept:
        scores += torch.from_numpy(kept["bias"])
    scores[:, ~torch.from_numpy(kept["known"])] = -torch.inf
    scores[:, 0] = -torch.inf
    return scores


def validation_ndcg(path: Path, sequences: Sequences, split: Split) -> float:
    """Mean NDCG@10 of the validation targets, by the functions that the product uses."""
    ranks = []
    for users in np.array_split(np.arange(len(sequences)), max(1, len(sequences) // BATCH)):
        scores = scored(path, sequences, users)
        ranks.append(evaluation.rank_targets(scores, sequences, users, split.valid_at[users]).numpy())
    return float(ranking.ndcg(np.concatenate(ranks), K).mean())


def best_items(path: Path, sequences: Sequences, split: Split, users: np.ndarray) -> list[list[int]]:
    """The first K items of each user, those of the training history left out."""
    scores = scored(path, sequences, users)
    for row, user in enumerate(users):
        scores[row, torch.from_numpy(sequences.of(user)[: split.train_end[user]]).long()] = -torch.inf
    items, values = ranking.top_k(scores, K)
    return [row[finite].tolist() for row, finite in zip(items, values.isfinite(), strict=True)]


def summary(values: list[float]) -> dict[str, float]:
    """Number of values, median, 95th percentile."""
    p50, p95 = np.percentile(values, [50, 95])
    return {"n": len(values), "p50": round(p50, 3), "p95": round(p95, 3)}


def compare(ours: dict, rival: dict) -> dict:
    """How many times faster and smaller ours is; None where ours never gets as good as the rival.

    The times to a level are those of the first look that has it; for recommending, the rival's fastest way counts.
    """
    levels = {}
    for share in SHARES:
        level = share * max(score for _, score in rival["curve"])
        seconds = [seconds_to(one["curve"], level) for one in (ours, rival)]
        faster = round(seconds[1] / seconds[0], 2) if seconds[0] else None
        levels[f"{share:.0%} of its best"] = {
            "ndcg@10": round(level, 4), "ours_seconds": seconds[0], "its_seconds": seconds[1], "times_faster": faster,
        }  # fmt: skip
    quickest = [min(way["p50"] for way in one["recommend_ms"].values()) for one in (ours, rival)]
    return {
        "training": levels,
        "recommend_times_faster": round(quickest[1] / quickest[0], 1),
        "memory_share": round(ours["peak_mib"] / rival["peak_mib"], 2),
        "memory_share_without_imports": round(ours["peak_without_imports_mib"] / rival["peak_without_imports_mib"], 2),
    }


def seconds_to(curve: list[list[float]], level: float) -> float | None:
    """Training seconds of the first point that is at least as good as `level`."""
    return next((seconds for seconds, score in curve if score >= level), None)


def setting(options: argparse.Namespace, sequences: Sequences) -> dict:
    """What was run, and on what machine."""
    return {
        "shape": SHAPE,
        "budget": options.budget,
        "seed": options.seed,
        "threads": options.threads,
        "sizes": {"users": len(sequences), "items": sequences.n_items, "events": len(sequences.items)},
        "machine": {
            "cores": os.cpu_count(),
            "architecture": platform.machine(),
            "python": platform.python_version(),
            "load_at_end": os.getloadavg()[0],
        },
    }


if __name__ == "__main__":
    main()
