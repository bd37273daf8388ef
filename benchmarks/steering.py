"""How long steering takes: `python benchmarks/steering.py STUDY [--calls N] [--users N]`; prints one JSON object.

One history at a time, one torch thread: an edited list, and 41 strengths of one edit, beside one plain forward pass of
the same history through the same model (`pass`: batch of one, whole window, all scores, no list) and beside the plain
recommendation (`plain`: the quick way for one history, with its list). `wall` is what a caller waits, `cpu` the
thread's own time, which says less of who else uses the machine; `of_a_pass` is the median over histories of a call's
cpu time over that of the pass of the same history. Then held-out users a second when the curves are measured: lists and
ranks under 1 and 17 strengths, on all threads given; and those of a whole `curve_of` of 17 strengths, hidden states,
looks and intervals included, users a second and users × strengths a second. Last, over all test users (or as many as
asked), how many lists at strength 0 of every kind of edit are the unsteered one; and, over the timed histories and all
positions, how far encoding, editing and decoding in 32-bit floats is from the same with 64-bit arithmetic.
"""

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from seqsae_core.recommender.recommend import hidden_of  # noqa: E402
from seqsae_core.steering.algebra import changes  # noqa: E402
from seqsae_core.steering.edits import Edit, ablate, clamp, set_to  # noqa: E402
from seqsae_core.steering.evaluation import collect_contexts, held_out_users, lists_under, workers  # noqa: E402
from seqsae_core.steering.reasons import what_would_raise, why  # noqa: E402
from seqsae_core.steering.steerer import Steerer  # noqa: E402
from seqsae_core.steering.tradeoff import curve_of  # noqa: E402
from seqsae_core.study import Study  # noqa: E402

WARM_UP, STRENGTHS = 20, 41


def main() -> None:
    """Measure and print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("study", type=Path)
    parser.add_argument("--calls", type=int, default=500)
    parser.add_argument("--users", type=int, default=2000)
    parser.add_argument("--identity", type=int, default=None, help="test users to compare at strength 0; all if absent")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    options = parser.parse_args()
    study = Study.open(options.study)
    steerer = Steerer.from_study(study)
    sequences = study.sequences()
    split = study.split(sequences)
    users = held_out_users(sequences, split, options.users // 2)
    histories = [sequences.of(user)[: split.test_at[user]] for user in users[: options.calls]]
    latent = int(study.features()["density"].idxmax())
    found = {position: latencies(steerer.at(position), histories, latent) for position in ("last", "all")}
    edits = {"add": Edit(latent, 1.0), "mass": Edit(latent, 1.0, "mass")}
    batch = {kind: throughput(steerer, sequences, split, users, e, options.threads) for kind, e in edits.items()}
    whole = curves(steerer, study, sequences, split, options.users, options.threads)
    error = exactness(steerer.at("all"), histories, latent)
    same = identity(steerer, sequences, split, latent, options.identity)
    machine = {
        "cores": os.cpu_count(), "architecture": platform.machine(), "python": platform.python_version(),
        "torch": torch.__version__, "load_at_end": os.getloadavg()[0],
    }  # fmt: skip
    shape = {"items": sequences.n_items, "width": steerer.model.width, "latents": steerer.sae.latents}
    told = {"ms_per_call": found, "users_per_second": batch, "curve_of": whole, "error": error, "identity": same}
    print(json.dumps({"model": shape, **told, "machine": machine}, indent=1))


def latencies(steerer: Steerer, histories: list[np.ndarray], latent: int) -> dict[str, dict]:
    """Milliseconds of each kind of call, and their ratio to a plain forward pass; reasons for the first list's best."""
    grid = np.linspace(-16, 16, STRENGTHS)
    every_kind = [Edit(latent, 2.0), set_to(latent + 1, 2.0), ablate(latent + 2), Edit(latent, 1.0, "mass")]
    calls: dict[str, Callable[[np.ndarray], object]] = {
        "pass": lambda history: forward(steerer, history),
        "plain": steerer.recommend,
        "add": lambda history: steerer.recommend(history, [Edit(latent, 2.0)]),
        "set": lambda history: steerer.recommend(history, [set_to(latent, 2.0)]),
        "mass": lambda history: steerer.recommend(history, [Edit(latent, 2.0, "mass")]),
        "four kinds": lambda history: steerer.recommend(history, every_kind),
        "41 strengths, add": lambda history: steerer.grid(history, [Edit(latent, 0.0)], 0, grid),
        "41 strengths, mass": lambda history: steerer.grid(history, [Edit(latent, 0.0, "mass")], 0, grid),
        "why": lambda history: why(steerer, history, int(steerer.recommend(history).items[0])),
        "what would raise": lambda history: what_would_raise(
            steerer, history, int(steerer.recommend(history, (), 100).items[-1])
        ),
    }
    times = timed(calls, histories)
    return {name: figures(values, times["pass"]) for name, values in times.items()}


@torch.inference_mode()
def forward(steerer: Steerer, history: np.ndarray) -> torch.Tensor:
    """Scores of one plain forward pass."""
    hidden = hidden_of(steerer.model, history, steerer.layer)
    return steerer.model.scores(steerer.model.resume(hidden.activations, hidden.item_at, steerer.layer))


def timed(calls: dict[str, Callable], histories: list[np.ndarray]) -> dict[str, np.ndarray]:
    """Milliseconds of waiting and of the thread, (histories, 2), of each call, the calls in turn, after a warm-up."""
    for history in histories[:WARM_UP]:
        for call in calls.values():
            call(history)
    times = {name: [] for name in calls}
    for history in histories:
        for name, call in calls.items():
            wall, cpu = time.perf_counter(), time.thread_time()
            call(history)
            times[name].append((time.perf_counter() - wall, time.thread_time() - cpu))
    return {name: 1000 * np.array(values) for name, values in times.items()}


def figures(values: np.ndarray, base: np.ndarray) -> dict[str, dict[str, float] | float]:
    """p50 and p95 of waiting and of the thread's time, and the latter over a plain pass's; both (histories, 2)."""
    p50, p95 = np.percentile(values, [50, 95], axis=0).round(3).tolist()
    found = {kind: {"p50": p50[n], "p95": p95[n]} for n, kind in enumerate(("wall", "cpu"))}
    return found | {"of_a_pass": round(float(np.median(values[:, 1] / base[:, 1])), 2)}


def throughput(steerer: Steerer, sequences, split, users: np.ndarray, edit: Edit, threads: int) -> dict[str, float]:
    """Users a second of lists and ranks under 17 strengths, and of a single one, hidden states computed before.

    As the curves do, each thread works at variants of its own for all users.
    """
    torch.set_num_threads(threads)
    contexts = collect_contexts(steerer.model, steerer.layer, sequences, users, split.valid_at[users])
    one, all_levels = [1.0], np.linspace(0, 16, 17)
    found = {}
    with workers() as pool:
        for name, levels in (("one strength", one), ("17 strengths", all_levels)):
            work = [steerer.sweep([edit], 0, levels)] * threads
            run = lambda variants: lists_under(contexts, variants, steerer.position)  # noqa: E731
            list(pool.map(run, work))
            start = time.perf_counter()
            list(pool.map(run, work))
            found[name] = round(threads * len(users) / (time.perf_counter() - start))
    torch.set_num_threads(1)
    return found


def curves(steerer: Steerer, study: Study, sequences, split, users: int, threads: int) -> dict[str, float]:
    """Of one curve of a concept on demand, after a warm-up."""
    torch.set_num_threads(threads)
    latent, labels = int(study.features()["density"].idxmax()), np.zeros(sequences.n_items + 1, np.float32)
    labels[1::3] = 1
    curve_of(steerer, [Edit(latent, 1.0)], labels, sequences, split, 40)
    start = time.perf_counter()
    table = curve_of(steerer, [Edit(latent, 1.0)], labels, sequences, split, users)
    seconds, measured = time.perf_counter() - start, int(table["users"].iloc[0])
    torch.set_num_threads(1)
    rates = {"users_per_second": measured / seconds, "lists_per_second": measured * len(table) / seconds}
    return {"users": measured, "seconds": round(seconds, 2), **{name: round(rate) for name, rate in rates.items()}}


@torch.inference_mode()
def exactness(steerer: Steerer, histories: list[np.ndarray], latent: int) -> dict[str, float]:
    """Of each kind of edit the largest ‖h₃₂ − h₆₄‖ / ‖h₆₄‖ of an edited position's h + (c′ − c) · W_dec, over all
    positions; h₆₄: encoded, edited and decoded in 64-bit floats, with the same weights and the same latents active."""
    kinds = {"add": Edit(latent, 2.0), "scale": Edit(latent, 0.5, "scale"), "mass": Edit(latent, 1.0, "mass"),
             "set": set_to(latent, 2.0), "clamp": clamp(latent, 1.0, 2.0), "ablate": ablate(latent)}  # fmt: skip
    worst = dict.fromkeys(kinds, 0.0)
    every, sae = torch.arange(steerer.sae.latents), steerer.sae
    W_enc, W_dec, b_enc, b_dec = (part.double() for part in (sae.W_enc, sae.W_dec, sae.b_enc, sae.b_dec))
    bias = b_enc - b_dec @ W_enc
    for history in histories:
        hidden = hidden_of(steerer.model, history, steerer.layer)
        active = sae.encode(hidden.activations) > 0
        codes = torch.where(active, hidden.activations.double() @ W_enc + bias, 0.0)
        for name, edit in kinds.items():
            quick = hidden.activations + steerer.single([edit]).of(hidden, "all")[:, 0]
            strengths = torch.tensor([[[edit.strength]]], dtype=torch.float64)
            change = changes(codes, every, [edit], strengths, steerer.units.double())[:, 0]
            exact = hidden.activations.double() + change @ W_dec
            worst[name] = max(worst[name], float(((quick - exact).norm(dim=-1) / exact.norm(dim=-1)).max()))
    return {name: float(f"{error:.2e}") for name, error in worst.items()} | {"positions": sum(map(len, histories))}


def identity(steerer: Steerer, sequences, split, latent: int, most: int | None) -> dict[str, int]:
    """Test users, and for how many the list of every kind of edit at strength 0 is the unsteered one: items, scores."""
    users = np.flatnonzero(split.test_at >= 1)[:most]
    others = [(latent + step) % steerer.sae.latents for step in (1, 2, 3)]
    kinds = [Edit(latent, 0.0), Edit(latent, 0.0, "scale"), Edit(latent, 0.0, "mass"), ablate(others[0], 0.0)]
    kinds += [set_to(others[1], 2.0, 0.0), clamp(others[2], 1.0, 2.0, 0.0), Edit(latent, 0.0, by_taste=True)]
    items = scores = 0
    for user in users:
        history = sequences.of(user)[: split.test_at[user]]
        plain = steerer.recommend(history)
        before, after = steerer.compare(history, kinds)
        items += np.array_equal(plain.items, after.items)
        scores += np.array_equal(before.scores, after.scores)
    return {"test_users": len(users), "same_items": items, "same_scores": scores}


if __name__ == "__main__":
    main()
