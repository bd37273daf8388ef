"""A folder of stages: a stage is there whole and committed, or it is not there.

A stage is written into a folder aside, fsynced, moved into place and then committed by replacing `manifest.json`.
A stage that the manifest does not list does not exist for readers, whatever lies in its folder.
What a long stage needs to go on after an interruption waits in a checkpoint folder of its own.
"""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from seqsae_core import manifest
from seqsae_core.commands import build_command, extras_command, sweep_command
from seqsae_core.config import StudyConfig, from_dict
from seqsae_core.errors import UserError
from seqsae_core.files import replacing, sync, sync_tree
from seqsae_core.manifest import DICTIONARY_STAGES, FORMAT, SHARED_STAGES

STAGES = SHARED_STAGES + DICTIONARY_STAGES
DEPENDENTS = {
    "data": ("recommender", *DICTIONARY_STAGES),
    "recommender": DICTIONARY_STAGES,
    "sae": ("screen", "evidence", "map", "steering", "extras"),
    "screen": (),
    "evidence": ("map", "steering", "extras"),
    "map": (),
    "steering": ("extras",),
    "extras": (),
}
MANIFEST, PROGRESS = "manifest.json", "progress.json"


class Store:
    """The stages of one folder, by name; `stage` and `update_manifest` are for the build."""

    def __init__(self, path: Path, values: dict[str, Any]):
        """values: the manifest's."""
        self.path, self.manifest = path, values

    def __repr__(self) -> str:
        told = self.manifest.get("sizes", {})
        sizes = ", ".join(f"{told[name]:,} {name}" for name in ("users", "items", "interactions") if name in told)
        stages = ", ".join(key.removeprefix("dictionaries/") for key in self.manifest["stages"]) or "no stage yet"
        return f"{type(self).__name__}({str(self.path)!r}: {sizes or 'no data yet'}; {stages})"

    @classmethod
    def open(cls, path: str | Path) -> Self:
        """The study in a folder. Raises UserError when there is none, it is damaged or of another format version."""
        path = Path(path)
        try:
            return cls(path, {"stages": {}, "config": {}} | manifest.read(path / MANIFEST))
        except FileNotFoundError:
            raise UserError(f"No study at {path}. Build one: `{build_command(path)}`.") from None

    @staticmethod
    def exists(path: str | Path) -> bool:
        """Whether a folder holds a study, finished or not, of any format version."""
        return (Path(path) / MANIFEST).is_file()

    @classmethod
    def create(cls, path: str | Path, values: dict[str, Any]) -> Self:
        """Open the study at `path`, or start an empty one; `values` update what is in its manifest."""
        path = Path(path)
        path.mkdir(parents=True, exist_ok=True)
        there = cls.open(path).manifest if (path / MANIFEST).exists() else {"stages": {}}
        study = cls(path, {**there, **values, "format": FORMAT})
        study._write_manifest()
        return study

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.path.resolve().name

    @cached_property
    def config(self) -> StudyConfig:
        """The settings of the last build. Raises UserError, with what builds it again, where they are unknown today."""
        try:
            return from_dict(self.manifest["config"])
        except UserError as error:
            raise UserError(f"{self.path}: {error} Build it again: `{self.build_command()}`.") from None

    @property
    def dictionaries(self) -> list[str]:
        """Names of the dictionaries that are built, the default first."""
        built = {k.split("/")[1] for k in self.manifest["stages"] if k.endswith("/sae")}
        return sorted(built, key=lambda name: (name != self.manifest.get("default_dictionary"), name))

    @property
    def default_dictionary(self) -> str:
        """The dictionary that pages open. Raises UserError when none is built yet."""
        if not self.dictionaries:
            raise UserError(f"{self.path} has no dictionary yet: its SAE stage has not finished.")
        return self.dictionaries[0]

    def has(self, stage: str, dictionary: str | None = None) -> bool:
        """Whether a stage is complete."""
        return self.stamp(stage, dictionary) is not None

    def stamp(self, stage: str, dictionary: str | None = None) -> str | None:
        """The hash that a stage was built from, or None where it is missing."""
        if stage in DICTIONARY_STAGES and dictionary is None and not self.dictionaries:
            return None
        entry = self.manifest["stages"].get(self._key(stage, dictionary))
        return entry and entry["stamp"]

    def folder(self, stage: str, dictionary: str | None = None) -> Path:
        """The folder of a finished stage. Raises UserError naming the command that builds it."""
        if not self.has(stage, dictionary):
            commands = {"extras": extras_command, "screen": sweep_command}
            command = commands[stage](self.path) if stage in commands else self.build_command()
            raise UserError(f"{self.path} has no stage “{stage}” yet. Run `{command}`.")
        return self.own(self.path / self._key(stage, dictionary))

    def own(self, path: Path) -> Path:
        """A path of the study. Raises UserError where a symbolic link leads out of its folder."""
        if not path.resolve().is_relative_to(self.path.resolve()):
            raise UserError(f"{path} leads out of the study, to {path.resolve()}. Put the folder itself in its place.")
        return path

    def build_command(self) -> str:
        """The command line that builds this study with the settings and the data it was started with."""
        return build_command(self.path, self.manifest)

    def checkpoint(self, stage: str) -> Path:
        """The folder where a running stage keeps what it needs to go on after an interruption.

        `stage` empties it when it holds what another stamp left, and removes it with the commit.
        """
        return self.path / ".checkpoint" / stage

    @contextmanager
    def stage(self, stage: str, dictionary: str | None, stamp: str) -> Iterator[tuple[Path, dict[str, Any]]]:
        """An empty folder to write a stage into, and its manifest entry; committed on leaving without error."""
        key, checkpoint = self._key(stage, dictionary), self.own(self.checkpoint(stage))
        aside, place, entry = self.own(self.path / ".partial" / key), self.own(self.path / key), {"stamp": stamp}
        _claim(checkpoint, stamp)
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir(parents=True)
        try:
            yield aside, entry
            sync_tree(aside)
        except BaseException:
            shutil.rmtree(aside, ignore_errors=True)
            raise
        self.drop(stage, dictionary)
        shutil.rmtree(place, ignore_errors=True)
        place.parent.mkdir(parents=True, exist_ok=True)
        os.replace(aside, place)
        sync(place.parent)
        self.manifest["stages"][key] = entry
        self._write_manifest()
        shutil.rmtree(checkpoint, ignore_errors=True)

    def imported(self, dictionary: str) -> Path:
        """The folder of a dictionary that was trained elsewhere, as it came in: its stages are made from it."""
        return self.own(self.path / "imported" / dictionary)

    def drop(self, stage: str, dictionary: str | None = None) -> None:
        """Forget a stage and all that was made from it, so that no reader mixes old with new."""
        gone = {self._key(stage, dictionary)}
        for name in DEPENDENTS[stage]:
            owners = self.dictionaries if stage in SHARED_STAGES else [dictionary]
            gone |= {self._key(name, owner) for owner in owners} if name in DICTIONARY_STAGES else {name}
        kept = {k: v for k, v in self.manifest["stages"].items() if k not in gone}
        self.update_manifest(stages=kept)

    def update_manifest(self, **values: Any) -> None:
        """Set top-level manifest values."""
        self.manifest |= values
        self._write_manifest()

    def _key(self, stage: str, dictionary: str | None) -> str:
        if stage in SHARED_STAGES:
            return stage
        return f"dictionaries/{dictionary or self.default_dictionary}/{stage}"

    def _write_manifest(self) -> None:
        with replacing(self.path / MANIFEST) as aside:
            aside.write_text(json.dumps(self.manifest, indent=1))


def _claim(checkpoint: Path, stamp: str) -> None:
    """Empty a checkpoint folder unless this stamp claimed it before."""
    owner = checkpoint / "stamp"
    if not owner.is_file() or owner.read_text() != stamp:
        shutil.rmtree(checkpoint, ignore_errors=True)
        checkpoint.mkdir(parents=True)
        owner.write_text(stamp)
