"""The command lines that messages and pages print, quoted so that they can be pasted."""

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from seqsae_core.config import COLUMN_ROLES, PRESETS, StudyConfig


def use_job(dictionary: str) -> str:
    """What the progress calls the work of `use`."""
    return f"use {dictionary}"


def build_command(path: str | Path, manifest: Mapping[str, Any] | None = None) -> str:
    """What builds the study at `path`, with the settings and the data that its manifest says it was started with."""
    config = (manifest or {}).get("config", {})
    data, recommender = config.get("data", {}), config.get("recommender", {})
    own = PRESETS.get(config.get("preset"), StudyConfig)()
    given = {
        "--preset": (config.get("preset"), "default"),
        "--model": (recommender.get("imported"), None),
        "--architecture": (_architecture(recommender), own.recommender.architecture),
        "--seed": (config.get("seed"), 0),
        "--data": (data.get("source"), "movietweetings"),
        "--items": (data.get("items"), None),
        **{f"--{role}-column": (data.get(f"{role}_column"), None) for role in COLUMN_ROLES},
        "--min-interactions": (data.get("min_interactions"), own.data.min_interactions),
        "--split": (data.get("split"), own.data.split),
        "--time-budget": (recommender.get("seconds"), own.recommender.seconds),
        "--memory": (config.get("memory_gib"), own.memory_gib),
    }
    unusual = {option: _text(value) for option, (value, usual) in given.items() if value not in (usual, None)}
    options = [word for pair in unusual.items() for word in pair]
    shared = ["--shared-items"] if data.get("shared_items") else []
    return _command("build", *options, *shared, "--out", str(path))


def extras_command(path: str | Path) -> str:
    """What builds the stage `extras` of the study at `path`."""
    return _command("extras", str(path))


def sweep_command(path: str | Path) -> str:
    """What trains and screens other dictionaries of the study at `path`."""
    return _command("sweep", str(path))


def use_command(path: str | Path, dictionary: str) -> str:
    """What makes a dictionary the default of the study at `path`."""
    return _command("use", str(path), dictionary)


def import_command(path: str | Path) -> str:
    """What brings a dictionary of others into the study at `path`; the reader fills in its folder and its layer."""
    return _command("import-dictionary", str(path)) + " FOLDER --layer N"


def serve_command(path: str | Path) -> str:
    """What opens the dashboard on `path` and builds what is missing."""
    return _command("serve", str(path), "--build")


def _architecture(recommender: Mapping[str, Any]) -> str | None:
    """None where the model says itself what it is."""
    return None if recommender.get("imported") else recommender.get("architecture")


def _text(value: Any) -> str:
    return f"{value:.12g}" if isinstance(value, float) else str(value)


def _command(*words: str) -> str:
    return shlex.join(["python", "-m", "seqsae_core", *words])
