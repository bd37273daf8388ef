"""The pipeline, in one screen: stages in order, each resumed where it was left."""

import hashlib
import json
import platform
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, is_dataclass, replace
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import Any

from seqsae_core import log
from seqsae_core.commands import use_command, use_job
from seqsae_core.config import StudyConfig, to_dict
from seqsae_core.data.readers import fingerprint
from seqsae_core.errors import UserError
from seqsae_core.files import explained
from seqsae_core.locking import writing
from seqsae_core.progress import Progress, Report, Terminal
from seqsae_core.store import DICTIONARY_STAGES, PROGRESS
from seqsae_core.study import Study, digests


@dataclass(frozen=True)
class Stage:
    """One step: its settings, what it is made from, the budget on two cores, and the room that does it.

    `run(study, config, folder, report)` writes the stage's files and returns one line for the reader.
    Raise `version` when a stage's own code changes what it writes.
    """

    name: str
    label: str
    budget_seconds: float
    after: tuple[str, ...]
    settings: Callable[[StudyConfig], Any]
    version: int = 1

    def run(self, study: Study, config: StudyConfig, folder: Path, report: Report) -> str:
        """Do the work; imported late, because torch takes seconds and a finished study needs none of it."""
        from seqsae_core import stages

        return getattr(stages, f"run_{self.name}")(study, config, folder, report)


def _read_with(config: StudyConfig) -> dict[str, Any]:
    """Settings of the data; columns and shared items where they say something, since studies are older than those."""
    settings = asdict(config.data)
    shared = {"shared_with": config.recommender.fingerprint} if settings.pop("shared_items") else {}
    return {name: value for name, value in settings.items() if value or not name.endswith("_column")} | shared


def _model_of(config: StudyConfig) -> Any:
    """What the model depends on: how it is trained or, where another library did, its files and not where they lie."""
    settings = asdict(config.recommender)
    path, files = (settings.pop(name) for name in ("imported", "fingerprint"))
    return (settings, config.data.max_length) if path is None else {"imported": files}


def _trained_with(config: StudyConfig) -> dict[str, Any]:
    """Settings of the dictionary; `imported` where it says something, since studies are older than it."""
    return {name: value for name, value in asdict(config.sae).items() if name != "imported" or value}


PIPELINE = (
    Stage("data", "Reading interactions", 12, (), _read_with, version=2),
    Stage(
        "recommender",
        "Training the recommender",
        150,
        ("data",),
        _model_of,
        version=9,
    ),
    Stage("sae", "Training the sparse autoencoder", 60, ("recommender",), _trained_with, version=6),
    Stage("evidence", "Measuring what latents mean", 60, ("sae",), lambda c: c.evidence, version=3),
    Stage("map", "Drawing the map", 40, ("evidence",), lambda c: c.layout, version=2),
    Stage("steering", "Measuring what steering costs", 60, ("evidence",), lambda c: c.steering, version=5),
)
SCREEN = Stage("screen", "Figures for choosing a dictionary", 15, ("sae",), lambda c: c.evidence)
EXTRAS = Stage(
    "extras",
    "More rivals, re-trainings and curves",
    900,
    ("steering",),
    lambda c: (c.evidence, c.steering),
    version=6,
)


def build(folder: str | Path, config: StudyConfig, extras: bool = False, shown: Terminal | None = None) -> Study:
    """Build what is missing or stale in the study at `folder`, and return it. shown: what draws the progress.

    Raises UserError for bad data or settings, or when another process is building the same study.
    """
    folder, todo = Path(folder), PIPELINE + ((EXTRAS,) if extras else ())
    data, job = fingerprint(config.data.source, config.data.items), EXTRAS.name if extras else "build"
    stamps = make_stamps(config, data)
    if up_to_date(folder, stamps, config.dictionary, todo) and Study.open(folder).manifest["config"] == to_dict(config):
        return Study.open(folder)
    with writing(folder, job):
        if up_to_date(folder, stamps, config.dictionary, todo):
            return _with_settings(Study.open(folder), config)
        study = Study.create(folder, {"config": to_dict(config), "fingerprint": data, **environment(config)})
        _run(study, config, todo, stamps, job, shown=shown)
    return study


def _with_settings(study: Study, config: StudyConfig) -> Study:
    """The same study; settings that no stage depends on, such as memory, may be new."""
    if study.manifest["config"] != to_dict(config):
        study.update_manifest(config=to_dict(config))
    return study


def build_extras(folder: str | Path) -> Study:
    """Build the stage `extras` of the study at `folder`, and what it needs, with the study's own settings."""
    config = Study.open(folder).config
    if config.recommender.imported:
        raise UserError(
            f"{folder}: the model was trained elsewhere, so the extras cannot train it again on shuffled histories, as "
            f"their rivals need. All other pages are complete without them."
        )
    if config.sae.imported:
        raise UserError(
            f"{folder}: “{config.sae.imported}” was imported, so how it was trained is not known, and the extras "
            f"cannot train it again. Make one the default that was trained here: `{use_command(folder, 'NAME')}`."
        )
    return build(folder, config, extras=True)


def use(folder: str | Path, dictionary: str) -> Study:
    """Build what a dictionary of the study at `folder` lacks, and make it the default.

    The default changes when all is there, and not before. Later builds with the study's own settings keep the choice:
    see `in_use`. Raises UserError for an unknown one.
    """
    Study.open(folder)
    with writing(Path(folder), use_job(dictionary)):
        study = Study.open(folder)
        config = replace(study.config, sae=study.sae_config(dictionary))
        stamps = make_stamps(config, fingerprint(config.data.source, config.data.items))
        _run(study, config, PIPELINE, stamps, use_job(dictionary), default=False)
        study.update_manifest(config=to_dict(config), used=config.dictionary, default_dictionary=config.dictionary)
    return study


def in_use(folder: str | Path, config: StudyConfig) -> StudyConfig:
    """`config` with the dictionary that `use` chose for the study at `folder`, where all else is as it was built.

    An imported one is kept while the model is that which it was imported for.
    """
    try:
        study = Study.open(folder)
        there = study.config
    except UserError:
        return config
    used = replace(config, sae=there.sae)
    same = replace(used, memory_gib=there.memory_gib) == there
    kept = study.manifest.get("used") == there.dictionary and (not there.sae.imported or _has_model(study, used))
    return used if same and kept else config


def _has_model(study: Study, config: StudyConfig) -> bool:
    stamps = make_stamps(config, study.manifest["fingerprint"])
    return study.stamp("recommender") == stamps["recommender"] and study.has("sae", config.dictionary)


def make_stamps(config: StudyConfig, data_fingerprint: str) -> dict[str, str]:
    """For each stage, a hash of its own settings and of what it is made from."""
    stamps: dict[str, str] = {}
    for stage in (*PIPELINE, SCREEN, EXTRAS):
        made_from = [stamps[name] for name in stage.after] or [data_fingerprint]
        own = [stage.name, stage.version, config.seed, _plain(stage.settings(config)), made_from]
        stamps[stage.name] = hashlib.sha256(json.dumps(own).encode()).hexdigest()[:16]
    return stamps


def out_of_date(study: Study, dictionary: str) -> list[str]:
    """The stages of a dictionary that are there, but not as this version and the study's settings would make them.

    They are all of its stages where its settings were not kept: then an earlier version trained it.
    """
    there = [stage for stage in DICTIONARY_STAGES if study.has(stage, dictionary)]
    try:
        config = replace(study.config, sae=study.sae_config(dictionary))
    except UserError:
        return there
    stamps = make_stamps(config, study.manifest["fingerprint"])
    return [stage for stage in there if study.stamp(stage, dictionary) != stamps[stage]]


def up_to_date(folder: Path, stamps: dict[str, str], dictionary: str, todo: tuple[Stage, ...] = PIPELINE) -> bool:
    """Whether every stage of `todo` is there with the stamp it should have, and is the study's default."""
    try:
        study = Study.open(folder)
    except UserError:
        return False
    if study.manifest.get("default_dictionary") != dictionary:
        return False
    return all(study.stamp(s.name, dictionary) == stamps[s.name] for s in todo)


def _run(
    study: Study, config: StudyConfig, todo: tuple[Stage, ...], stamps: dict[str, str], job: str, default: bool = True,
    shown: Terminal | None = None,
) -> None:  # fmt: skip
    """Make what is missing or stale. default: whether the dictionary is the study's as soon as it is trained."""
    budgets = [(s.name, s.label, s.budget_seconds) for s in todo]
    progress = Progress(study.path / PROGRESS, budgets, job=job, shown=shown)
    for stage in todo:
        _run_stage(study, config, stage, stamps[stage.name], progress)
        if default and stage.name == "sae":
            study.update_manifest(default_dictionary=config.dictionary)
    progress.finish()


def _run_stage(study: Study, config: StudyConfig, stage: Stage, stamp: str, progress: Progress) -> None:
    dictionary = config.dictionary if stage.name in DICTIONARY_STAGES else None
    if study.stamp(stage.name, dictionary) == stamp:
        progress.skip(stage.name)
        return
    with failures_told(progress, stage.name, study.path):
        progress.start(stage.name)
        detail = make_stage(study, config, stage, stamp, progress.update)
    progress.done(stage.name, detail)


def make_stage(study: Study, config: StudyConfig, stage: Stage, stamp: str, report: Report) -> str:
    """Make a stage and commit it with its seconds; returns one line for the reader."""
    dictionary = config.dictionary if stage.name in DICTIONARY_STAGES else None
    began = time.monotonic()
    with explained(study.path), study.stage(stage.name, dictionary, stamp) as (folder, entry):
        detail = stage.run(study, config, folder, report)
        entry |= digests(folder)
        entry |= {"seconds": round(time.monotonic() - began, 1), "finished": time.strftime("%Y-%m-%dT%H:%M:%S")}
    log.write(study.path, "stage", stage=stage.name, dictionary=dictionary, seconds=entry["seconds"], detail=detail)
    return detail


@contextmanager
def failures_told(progress: Progress, line: str, folder: Path) -> Iterator[None]:
    """Whatever stops the block is written to a line of the progress and to the folder's log, and goes on."""
    try:
        yield
    except BaseException as error:
        by_hand = isinstance(error, KeyboardInterrupt)
        reason = "stopped by hand" if by_hand else str(error) or type(error).__name__
        progress.fail(line, reason)
        log.write(folder, "stopped", stage=line, reason=reason, type=type(error).__name__)
        raise


def environment(config: StudyConfig) -> dict[str, Any]:
    """What the manifest says of the seed, the libraries and the machine."""
    names = ("torch", "numpy", "pandas", "scipy", "scikit-learn", "umap-learn", "streamlit")
    versions = {name: metadata.version(name) for name in names}
    return {
        "seed": config.seed,
        "versions": versions,
        "machine": platform.machine(),
        "python": platform.python_version(),
    }


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        return asdict(value)
    return [_plain(v) for v in value] if isinstance(value, tuple) else value


class _Callable(ModuleType):
    """Lets `seqsae_core.build(...)` be the library's function, although this module has its name."""

    def __call__(self, *arguments: Any, **choices: Any) -> Study:
        from seqsae_core.library import build

        return build(*arguments, **choices)


sys.modules[__name__].__class__ = _Callable
