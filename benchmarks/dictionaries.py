"""Our TopK dictionary beside other libraries': `python benchmarks/dictionaries.py [--rivals NAME …] [--seconds S]`.

Each contender trains on the same rows, batch size and threads, in a process and an environment of its own, one after
the other; its reconstruction of held-out rows is judged here. First everyone makes the same number of steps; then as
many as `--seconds` pay for at the pace just seen, so that every schedule ends with the time. Rivals train at several
multiples of their own learning rate, and the best counts. They need `make benchmark-rivals`.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from seqsae_core.config import StudyConfig  # noqa: E402
from seqsae_core.data import interactions, readers  # noqa: E402
from seqsae_core.data import sequences as seq  # noqa: E402
from seqsae_core.recommender import training  # noqa: E402
from seqsae_core.sae.activations import collect  # noqa: E402

CONTENDERS = Path(__file__).with_name("contenders") / "dictionaries"
HELD_OUT = 10
SMOKE = {"steps": 30, "seconds": 0.0, "latents": [64], "k": 4, "max_users": 400, "rates": [1.0]}


@dataclass(frozen=True)
class Contender:
    """A script of `contenders/dictionaries/`, the environment that runs it, and what it sets beside the shape."""

    script: str
    environment: str = ".venv-dictionaries"
    options: dict[str, str] = field(default_factory=dict)

    @property
    def python(self) -> Path:
        """The interpreter of the environment."""
        return ROOT / self.environment / "bin/python"


OURS = Contender("ours", ".venv")
RIVALS = {
    "sparsify": Contender("sparsify_topk"),
    "saelens": Contender("saelens_topk"),
    "dictionary_learning": Contender("dictionary_learning_topk", ".venv-overcomplete"),
    "overcomplete": Contender("overcomplete_topk", ".venv-overcomplete"),
    "overcomplete-auxiliary": Contender("overcomplete_topk", ".venv-overcomplete", {"loss": "top_k_auxiliary_loss"}),
}


def main() -> None:
    """Run everybody at every number of latents and print one JSON object."""
    options = parse()
    torch.set_num_threads(options.threads)
    with tempfile.TemporaryDirectory() as folder:
        shape = write(np.load(options.activations) if options.activations else activations(options), Path(folder))
        found = {latents: bench(options, latents, Path(folder)) for latents in options.latents}
    machine = {
        "cores": os.cpu_count(), "architecture": platform.machine(), "python": platform.python_version(),
        "load_at_end": os.getloadavg()[0],
    }  # fmt: skip
    setting = {name: value for name, value in vars(options).items() if name != "activations"}
    print(json.dumps({"setting": setting, "rows": shape, "machine": machine, "latents": found}, indent=1))


def parse() -> argparse.Namespace:
    """The command line; `--smoke` is a run of seconds whose figures mean nothing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rivals", nargs="*", choices=RIVALS, default=list(RIVALS))
    parser.add_argument("--activations", help="a .npy file of rows to train on, instead of those of MovieTweetings")
    parser.add_argument("--width", type=int, default=128, help="of the recommender whose activations are taken")
    parser.add_argument("--latents", nargs="*", type=int, default=[1024, 4096])
    parser.add_argument("--k", type=int, default=32)
    parser.add_argument("--batch-size", type=int, default=1024)
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--seconds", type=float, default=20.0, help="of training, for the second comparison; 0: none")
    parser.add_argument("--rates", nargs="*", type=float, default=[1.0, 4.0, 16.0], help="multiples of rivals' rates")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--max-users", type=int)
    parser.add_argument("--smoke", action="store_true")
    options = parser.parse_args()
    if options.smoke:
        vars(options).update(SMOKE)
    for name in options.rivals:
        if not (ROOT / RIVALS[name].environment / ".installed").exists():
            parser.error(f"{name} is not installed: make benchmark-rivals. Without rivals: --rivals")
    return options


def activations(options: argparse.Namespace) -> np.ndarray:
    """Rows after the first block of a recommender of the default recipe, two passes, at the events of all users."""
    events, _ = readers.read("movietweetings")
    if options.max_users:
        events = interactions.sample_users(events, options.max_users)
    sequences, _ = seq.build_sequences(interactions.k_core(events, 5))
    split, config = seq.make_split(sequences, "leave-one-out"), StudyConfig()
    recipe = replace(config.recommender, width=options.width, passes=2)
    model = training.train(sequences, split, recipe, config.data.max_length, options.seed).model
    return collect(model, sequences, split, split.users(seq.FIT, seq.SELECT), layer=1).values


def write(rows: np.ndarray, folder: Path) -> dict[str, int]:
    """Every tenth row held out, the others to train on."""
    held_out = np.arange(len(rows)) % HELD_OUT == 0
    np.save(folder / "held_out.npy", rows[held_out])
    np.save(folder / "train.npy", rows[~held_out])
    return {"train": int((~held_out).sum()), "held_out": int(held_out.sum()), "width": rows.shape[1]}


def bench(options: argparse.Namespace, latents: int, folder: Path) -> dict:
    """Everyone after equal steps and after equal seconds, and how ours compares."""
    found = {}
    for name, contender in {"ours": OURS, **{n: RIVALS[n] for n in options.rivals}}.items():
        rates = [1.0] if name == "ours" else options.rates
        steps = best(contender, options, latents, folder, rates, options.steps)
        found[name] = {"equal_steps": steps}
        if options.seconds:
            count = max(1, int(options.seconds / steps["seconds"] * options.steps))
            rates = [steps["rate_factor"]]
            found[name]["equal_seconds"] = best(contender, options, latents, folder, rates, count)
        print(latents, name, found[name], file=sys.stderr, flush=True)
    return found | {"compared": compare(found)}


def best(
    contender: Contender, options: argparse.Namespace, latents: int, folder: Path, rates: list[float], steps: int
) -> dict:  # fmt: skip
    """The run of the rate that explains most; its seconds and pace are medians over all rates."""
    runs = [run(contender, options, latents, folder, rate, steps) for rate in rates]
    chosen = max(runs, key=lambda found: found["explained_variance"])
    own = next((found["explained_variance"] for found in runs if found["rate_factor"] == 1.0), None)
    seconds, pace = (float(np.median([found.pop(name) for found in runs])) for name in ("seconds", "steps_per_second"))
    return chosen | {
        "at_own_rate": own,
        "seconds": round(seconds, 2),
        "activations_per_second": round(pace * options.batch_size),
    }


def run(contender: Contender, options: argparse.Namespace, latents: int, folder: Path, rate: float, steps: int) -> dict:
    """Train one contender once and judge it."""
    job = {
        "data": str(folder), "out": str(folder), "latents": latents, "k": options.k, "batch_size": options.batch_size,
        "steps": steps, "threads": options.threads, "seed": options.seed, "rate_factor": rate,
        "options": contender.options,
    }  # fmt: skip
    (folder / "job.json").write_text(json.dumps(job))
    threads = {f"{library}_NUM_THREADS": str(options.threads) for library in ("OMP", "MKL", "OPENBLAS")}
    python = sys.executable if contender is OURS else contender.python
    command = [python, "-W", "ignore", CONTENDERS / f"{contender.script}.py", folder / "job.json"]
    quiet = {"CUDA_VISIBLE_DEVICES": "", "TQDM_DISABLE": "1"}
    subprocess.run(command, env=os.environ | threads | quiet, check=True, stdout=sys.stderr)
    rebuilt, rows = np.load(folder / "rebuilt.npy"), np.load(folder / "held_out.npy")
    found = json.loads((folder / "result.json").read_text())
    return found | {"explained_variance": explained_variance(rows, rebuilt), "rate_factor": rate, "steps": steps}


def explained_variance(rows: np.ndarray, rebuilt: np.ndarray) -> float:
    """1 − Σ‖x − x̂‖² / Σ‖x − x̄‖², rounded to four digits; both (n, width)."""
    rows, rebuilt = rows.astype(np.float64), rebuilt.astype(np.float64)
    return round(float(1 - ((rows - rebuilt) ** 2).sum() / ((rows - rows.mean(0)) ** 2).sum()), 4)


def compare(found: dict) -> dict:
    """Ours against the fastest and against the best of the rivals; empty where there are none."""
    rivals = {name: result for name, result in found.items() if name != "ours"}
    if not rivals:
        return {}
    ours, told = found["ours"], {}
    paces = {name: result["equal_steps"]["activations_per_second"] for name, result in rivals.items()}
    fastest = max(paces, key=paces.get)
    told["fastest_rival"] = fastest
    told["times_faster"] = round(ours["equal_steps"]["activations_per_second"] / paces[fastest], 2)
    for part in ours:
        explained = {name: result[part]["explained_variance"] for name, result in rivals.items()}
        winner = max(explained, key=explained.get)
        told[part] = {"best_rival": winner, "its": explained[winner], "ours": ours[part]["explained_variance"]}
    return told


if __name__ == "__main__":
    main()
