"""Our figures equal RecTools', which ranks and measures in an environment of its own (`make rivals`).

RecTools' NDCG divides by the ideal of k relevant items unless `divide_by_achievable` is set, and masks whatever it is
told was seen: a target that is also in the history must not be among that.
"""

import json
import os
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from seqsae_core.data.sequences import Sequences, build_sequences
from seqsae_core.recommender import evaluation
from seqsae_core.recommender.evaluation import Ranked
from seqsae_core.recommender.names import ACCURACY, CUTOFFS

ROOT = Path(__file__).resolve().parents[2]
PYTHON = ROOT / ".venv-rivals/bin/python"
SIZES = [(2, 40), (20, 30), (30, 60), (40, 200), (25, 500), (60, 90)]
SHORT = (15, 12)
COMPARED = [*ACCURACY, "coverage@10", "novelty@10", "diversity@10"]


@pytest.fixture(scope="module")
def python() -> Path:
    """The interpreter that has RecTools; without it these tests skip, in CI they fail."""
    if not (PYTHON.parents[1] / ".installed").exists():
        reason = "RecTools is not installed: make rivals"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    return PYTHON


def random_case(users: int, n_items: int, seed: int) -> tuple[Sequences, np.ndarray]:
    """Histories of 3 to 20 events, items repeated now and then; scores without ties, float32 (users, n_items + 1).

    Targets are lifted, so that some are within each cutoff.
    """
    rng = np.random.default_rng(seed)
    sizes = rng.integers(3, 21, users)
    events = pd.DataFrame({"user_id": np.repeat(np.arange(users), sizes), "timestamp": np.arange(sizes.sum())})
    events["item_id"] = rng.choice(n_items, len(events), p=rng.dirichlet(np.ones(n_items)))
    sequences = replace(build_sequences(events)[0], n_items=n_items)
    order = np.argsort(rng.random((users, n_items)), axis=1)
    scores = np.hstack([np.full((users, 1), -np.inf), order]).astype(np.float32)
    target = sequences.items[sequences.offsets[1:] - 1]
    scores[np.arange(users), target] += rng.integers(0, 12, users) + 0.5
    return sequences, scores


def ours(sequences: Sequences, scores: np.ndarray) -> dict[str, float]:
    """Every figure of `summarise` on each user's last event."""
    users = np.arange(len(sequences))
    found = Ranked.empty(len(users))
    found.put(users, torch.from_numpy(scores.copy()), sequences, users, sequences.lengths - 1)
    return evaluation.summarise(found, np.bincount(sequences.items, minlength=sequences.n_items + 1))


def question(sequences: Sequences, scores: np.ndarray) -> dict[str, list]:
    """The same case for RecTools, items counted from 0."""
    target = sequences.items[sequences.offsets[1:] - 1] - 1
    seen = {(u, int(i) - 1) for u in range(len(sequences)) for i in sequences.of(u)[:-1]} - set(enumerate(target))
    return {
        "scores": scores[:, 1:].tolist(), "seen": sorted(seen), "targets": target.tolist(), "cutoffs": list(CUTOFFS),
        "counts": np.bincount(sequences.items, minlength=sequences.n_items + 1)[1:].tolist(),
    }  # fmt: skip


@pytest.fixture(scope="module")
def cases() -> list[tuple[Sequences, np.ndarray]]:
    """One of each size, and one whose catalogue is too small for full lists."""
    return [random_case(*size, seed) for seed, size in enumerate([*SIZES, SHORT])]


@pytest.fixture(scope="module")
def theirs(python: Path, cases: list) -> list[dict[str, float]]:
    """RecTools' figures of all cases, from one process."""
    asked = json.dumps([question(*case) for case in cases])
    script = Path(__file__).with_name("rectools_figures.py")
    done = subprocess.run([python, "-W", "ignore", script], input=asked, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("number", range(len(SIZES)), ids=[f"{u}x{i}" for u, i in SIZES])
def test_accuracy_and_lists_equal_rectools(cases, theirs, number):
    found = ours(*cases[number])
    assert set(theirs[number]) == set(COMPARED)
    assert [found[name] for name in COMPARED] == pytest.approx([theirs[number][n] for n in COMPARED], abs=1e-9, rel=0)


def test_where_lists_are_short_only_novelty_differs(cases, theirs):
    """Ours weighs a user by the length of the list, RecTools' mean over users does not."""
    found, expected = ours(*cases[-1]), theirs[-1]
    assert {name for name in COMPARED if found[name] != pytest.approx(expected[name], abs=1e-9)} == {"novelty@10"}


def test_the_cases_tell_cutoffs_apart_and_hold_targets_seen_before(cases):
    found = [ours(*case) for case in cases]
    assert any(f["hr@5"] < f["hr@10"] < f["hr@20"] < 1 for f in found)
    assert any(s.of(u)[-1] in s.of(u)[:-1] for s, _ in cases for u in range(len(s)))
