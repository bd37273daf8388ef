"""Models of other libraries, made by the libraries in an environment of their own (`make libraries`)."""

import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from seqsae_core.data.sequences import Sequences, build_sequences

ROOT = Path(__file__).resolve().parents[2]


def run_in(environment: str, script: str, *arguments: str | Path) -> None:
    """Run a script beside the tests in `.venv-ENVIRONMENT`; without it tests skip, in CI they fail."""
    python = ROOT / f".venv-{environment}/bin/python"
    if not (python.parents[1] / ".installed").exists():
        reason = f"the libraries are not installed: make {environment}"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    command = [python, "-W", "ignore", Path(__file__).with_name(script), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"PYTHONPATH": ""})
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """events.csv: 400 users of 5 to 40 events over 60 items, most of them of the user's own genre; items.csv.

    Each item is among the last events of somebody: RecTools forgets what nobody met lately.
    """
    rng, folder = np.random.default_rng(0), tmp_path_factory.mktemp("data")
    lengths = rng.integers(5, 41, 400)
    users, taste = np.repeat(np.arange(400), lengths), np.repeat(rng.integers(3, size=400), lengths)
    items = np.where(rng.random(len(users)) < 0.7, taste + 3 * rng.integers(20, size=len(users)), rng.integers(60))
    items = np.where(rng.random(len(users)) < 0.2, rng.integers(60, size=len(users)), items)
    names = np.array([f"B{n:02d}" for n in rng.permutation(60)])
    table = {"user_id": users + 1000, "item_id": names[items], "timestamp": 10**9 + 60 * np.arange(len(users))}
    pd.DataFrame(table).to_csv(folder / "events.csv", index=False)
    genres = np.array(["Crime", "Comedy", "War"])[np.arange(60) % 3]
    items = pd.DataFrame({"item_id": names, "title": [f"Film {name}" for name in names], "genres": genres})
    items.to_csv(folder / "items.csv", index=False)
    return folder


@pytest.fixture(scope="session")
def rows(data: Path) -> pd.DataFrame:
    """The events."""
    return pd.read_csv(data / "events.csv")


@pytest.fixture(scope="session")
def sequences(rows: pd.DataFrame) -> Sequences:
    """Of the events."""
    return build_sequences(rows)[0]


@pytest.fixture(scope="session")
def item_ids(rows: pd.DataFrame) -> np.ndarray:
    """The items' own ids in the study's order."""
    return build_sequences(rows)[1]


@pytest.fixture(scope="session")
def recbole(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that `recbole_model.py` fills."""
    folder = tmp_path_factory.mktemp("recbole")
    shutil.copy(data / "events.csv", folder)
    run_in("libraries", "recbole_model.py", folder)
    return folder


@pytest.fixture(scope="session")
def gpt2(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that `gpt2_model.py` fills."""
    folder = tmp_path_factory.mktemp("gpt2")
    shutil.copy(data / "events.csv", folder)
    run_in("dictionaries", "gpt2_model.py", folder)
    return folder


@pytest.fixture(scope="session")
def rectools(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that `rectools_model.py` fills."""
    folder = tmp_path_factory.mktemp("rectools")
    shutil.copy(data / "events.csv", folder)
    run_in("libraries", "rectools_model.py", folder)
    return folder
