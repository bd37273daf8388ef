"""A study on disk: the only module that knows the file names inside a study folder.

A stage is written into a folder aside, fsynced, moved into place and then committed by replacing `manifest.json`.
A stage that the manifest does not list does not exist for readers, whatever lies in its folder.
"""

import json
import os
import shlex
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from seqsae_core.config import StudyConfig, from_dict
from seqsae_core.data.concepts import ConceptTable
from seqsae_core.data.sequences import Sequences, Split, make_split
from seqsae_core.errors import UserError
from seqsae_core.progress import read

if TYPE_CHECKING:
    from seqsae_core.recommender.transformer import Transformer
    from seqsae_core.sae.autoencoders import Autoencoder

FORMAT = 1
SHARED_STAGES = ("data", "recommender")
DICTIONARY_STAGES = ("sae", "evidence", "map", "steering", "extras")
STAGES = SHARED_STAGES + DICTIONARY_STAGES
DEPENDENTS = {
    "data": ("recommender", *DICTIONARY_STAGES),
    "recommender": DICTIONARY_STAGES,
    "sae": ("evidence", "map", "steering", "extras"),
    "evidence": ("map", "steering", "extras"),
    "map": (),
    "steering": ("extras",),
    "extras": (),
}
MANIFEST, PROGRESS = "manifest.json", "progress.json"


class Study:
    """Reads a study; `stage` and `update_manifest` are for the build."""

    def __init__(self, path: Path, manifest: dict[str, Any]):
        self.path, self.manifest = path, manifest

    @classmethod
    def open(cls, path: str | Path) -> "Study":
        """The study in a folder. Raises UserError when there is none, or it has another format version."""
        path = Path(path)
        try:
            manifest = json.loads((path / MANIFEST).read_text())
        except FileNotFoundError:
            raise UserError(f"No study at {path}. Build one: `python -m seqsae_core build --out {path}`.") from None
        except json.JSONDecodeError as error:
            raise UserError(f"{path / MANIFEST} is damaged ({error}). Delete it and build again.") from error
        if manifest.get("format") != FORMAT:
            raise UserError(
                f"{path} has study format {manifest.get('format')}; this version reads format {FORMAT}. "
                f"Build it again: `python -m seqsae_core build --out {path}`."
            )
        return cls(path, manifest)

    @staticmethod
    def exists(path: str | Path) -> bool:
        """Whether a folder holds a study, finished or not, of any format version."""
        return (Path(path) / MANIFEST).is_file()

    @classmethod
    def create(cls, path: str | Path, manifest: dict[str, Any]) -> "Study":
        """Open the study at `path`, or start an empty one; `manifest` updates what is there."""
        path = Path(path)
        path.mkdir(parents=True, exist_ok=True)
        there = cls.open(path).manifest if (path / MANIFEST).exists() else {"stages": {}}
        study = cls(path, {**there, **manifest, "format": FORMAT})
        study._write_manifest()
        return study

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.path.resolve().name

    @cached_property
    def config(self) -> StudyConfig:
        """The settings of the last build."""
        return from_dict(self.manifest["config"])

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

    def layer(self, dictionary: str | None = None) -> int:
        """The layer that a dictionary reads."""
        return int(self.sae_metrics(dictionary)["layer"])

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
            extras = f"python -m seqsae_core extras {shlex.quote(str(self.path))}"
            command = extras if stage == "extras" else self.build_command()
            raise UserError(f"{self.path} has no stage “{stage}” yet. Run `{command}`.")
        return self.path / self._key(stage, dictionary)

    def build_command(self) -> str:
        """The command line that builds this study with the settings and the data it was started with."""
        config = self.manifest.get("config", {})
        data = config.get("data", {})
        given = {
            "--preset": (config.get("preset"), "default"),
            "--seed": (config.get("seed"), 0),
            "--data": (data.get("source"), "movietweetings"),
            "--items": (data.get("items"), None),
        }
        unusual = {option: str(value) for option, (value, usual) in given.items() if value not in (usual, None)}
        options = [word for pair in unusual.items() for word in pair]
        return shlex.join(["python", "-m", "seqsae_core", "build", *options, "--out", str(self.path)])

    # ---- the data and the models

    def catalogue(self) -> pd.DataFrame:
        """Items in model order: item, item_id, title, year, genres, count."""
        return pd.read_parquet(self.folder("data") / "catalogue.parquet")

    def concepts(self) -> ConceptTable:
        """Item concepts; see `ConceptTable`."""
        table = pd.read_parquet(self.folder("data") / "concepts.parquet")
        groups, names = zip(*(c.split(":", 1) for c in table.columns), strict=True)
        return ConceptTable(names, groups, table.to_numpy(np.float32))

    def sequences(self) -> Sequences:
        """All users' sequences."""
        table = pd.read_parquet(self.folder("data") / "interactions.parquet")
        users, counts = np.unique(table["user_id"].to_numpy(), return_counts=True)
        offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        items = table["item"].to_numpy(np.int32)
        return Sequences(users, items, offsets, table["timestamp"].to_numpy(), len(self.catalogue()))

    def split(self, sequences: Sequences | None = None) -> Split:
        """The split and roles that the study was built with."""
        return make_split(self.sequences() if sequences is None else sequences, self.config.data.split)

    def recommender_metrics(self) -> dict[str, Any]:
        """Quality, baselines, training log."""
        return _read_json(self.folder("recommender") / "metrics.json")

    def model(self) -> "Transformer":
        """The trained model, in evaluation mode."""
        from safetensors.torch import load_file

        from seqsae_core.recommender.transformer import Transformer

        folder = self.folder("recommender")
        model = Transformer(**_read_json(folder / "config.json"))
        model.load_state_dict(load_file(folder / "weights.safetensors"))
        return model.eval()

    def sae(self, dictionary: str | None = None) -> "Autoencoder":
        """The trained dictionary."""
        from seqsae_core.sae.interchange import load

        return load(self.folder("sae", dictionary))

    def sae_metrics(self, dictionary: str | None = None) -> dict[str, Any]:
        """Fidelity figures of a dictionary, with its layer."""
        return _read_json(self.folder("sae", dictionary) / "metrics.json")

    # ---- evidence and steering

    def kinds(self, dictionary: str | None = None) -> list[str]:
        """Feature kinds that have evidence, `latents` first."""
        return list(self.evidence_summary(dictionary)["kinds"])

    def features(self, kind: str = "latents", dictionary: str | None = None) -> pd.DataFrame:
        """One row a feature of a kind: latents, neurons, pca, random_directions, or a rival of the extras.

        Latents have a column `stability` (over re-trainings) once the extras are built.
        """
        table = self._evidence(kind, dictionary)
        if kind == "latents" and self.has("extras", dictionary):
            table = table.merge(self._evidence("stability", dictionary), on="feature")
        return table

    def best(self, dictionary: str | None = None) -> pd.DataFrame:
        """The best feature per concept and kind."""
        best = self._evidence("best", dictionary)
        if self.has("extras", dictionary):
            best = pd.concat([best, self._evidence("more_best", dictionary)], ignore_index=True)
        return best

    def select_correlation(self, dictionary: str | None = None) -> np.ndarray:
        """r of each latent with each concept on select users, float32 (latents, concepts): for choosing only."""
        return np.load(self.folder("evidence", dictionary) / "select_correlation.npy", allow_pickle=False)

    def enrichment(self, dictionary: str | None = None, latent: int | None = None) -> pd.DataFrame:
        """Concept enrichment of firing positions, of one latent or all."""
        return self._evidence("enrichment", dictionary, latent)

    def histogram(self, dictionary: str | None, latent: int) -> pd.DataFrame:
        """Activation histogram of one latent."""
        return self._evidence("histogram", dictionary, latent)

    def examples(self, dictionary: str | None, kind: str, feature: int) -> pd.DataFrame:
        """Example windows of one feature across activation quantiles."""
        rows = self._evidence("examples", dictionary, feature)
        return rows[rows["kind"] == kind].reset_index(drop=True)

    def evidence_summary(self, dictionary: str | None = None) -> dict[str, Any]:
        """The headline figures of every kind; the extras' rivals and seeds are merged in where they are built."""
        summary = _read_json(self.folder("evidence", dictionary) / "summary.json")
        if self.has("extras", dictionary):
            summary |= _read_json(self.folder("extras", dictionary) / "evidence.json")
        return summary

    def map(self, dictionary: str | None = None) -> pd.DataFrame:
        """UMAP positions and clusters of the latents."""
        return pd.read_parquet(self.folder("map", dictionary) / "map.parquet")

    def effects(self, dictionary: str | None = None) -> pd.DataFrame:
        """Steering effect, promoted and demoted items of each latent."""
        return pd.read_parquet(self.folder("steering", dictionary) / "effects.parquet")

    def tradeoff(self, dictionary: str | None = None) -> pd.DataFrame:
        """Trade-off curves; those of the extras replace the default build's where they are built."""
        return pd.read_parquet(self._steering_folder(dictionary) / "tradeoff.parquet")

    def steering_summary(self, dictionary: str | None = None) -> dict[str, Any]:
        """Lift within a budget and frontier area of each method."""
        return _read_json(self._steering_folder(dictionary) / "steering.json")

    # ---- for the build

    @contextmanager
    def stage(self, stage: str, dictionary: str | None, stamp: str) -> Iterator[tuple[Path, dict[str, Any]]]:
        """An empty folder to write a stage into, and its manifest entry; committed on leaving without error."""
        key = self._key(stage, dictionary)
        aside, entry = self.path / ".partial" / key, {"stamp": stamp}
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir(parents=True)
        yield aside, entry
        _sync(aside)
        self.drop(stage, dictionary)
        shutil.rmtree(self.path / key, ignore_errors=True)
        (self.path / key).parent.mkdir(parents=True, exist_ok=True)
        os.replace(aside, self.path / key)
        self.manifest["stages"][key] = entry
        self._write_manifest()

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

    def _steering_folder(self, dictionary: str | None) -> Path:
        return self.folder("extras" if self.has("extras", dictionary) else "steering", dictionary)

    def _evidence(self, name: str, dictionary: str | None, feature: int | None = None) -> pd.DataFrame:
        """A table of the evidence, or of the extras when only they have it; rows of one feature when asked."""
        path = self.folder("evidence", dictionary) / f"{name}.parquet"
        if self.has("extras", dictionary) and (extra := self.folder("extras", dictionary) / path.name).exists():
            path = extra
        if not path.exists():
            raise UserError(
                f"{self.path} has no evidence table “{name}”. It may need `python -m seqsae_core extras {self.path}`."
            )
        return pd.read_parquet(path, filters=None if feature is None else [("feature", "==", int(feature))])

    def _write_manifest(self) -> None:
        aside = self.path / f".{MANIFEST}.{os.getpid()}"
        with aside.open("w") as file:
            json.dump(self.manifest, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        os.replace(aside, self.path / MANIFEST)
        _sync_folder(self.path)


def read_progress(path: str | Path) -> dict[str, Any] | None:
    """What the last build of a study folder said about itself, or None when no build ever wrote there."""
    return read(Path(path) / PROGRESS)


def write_tables(folder: Path, tables: dict[str, pd.DataFrame]) -> None:
    """Each table as `<name>.parquet`."""
    for name, table in tables.items():
        table.to_parquet(folder / f"{name}.parquet", index=False)


def write_json(path: Path, values: dict[str, Any]) -> None:
    """JSON with NaN refused: a figure that is not there is null."""
    path.write_text(json.dumps(values, indent=1, allow_nan=False, default=_plain))


def write_data(folder: Path, sequences: Sequences, catalogue: pd.DataFrame, concepts: ConceptTable) -> None:
    """The files of the stage `data`."""
    users = np.repeat(sequences.users, sequences.lengths)
    events = pd.DataFrame({"user_id": users, "item": sequences.items, "timestamp": sequences.times})
    names = [f"{g}:{n}" for g, n in zip(concepts.groups, concepts.names, strict=True)]
    table = pd.DataFrame(concepts.values, columns=names)
    write_tables(folder, {"interactions": events, "catalogue": catalogue, "concepts": table})


def write_model(folder: Path, model: "Transformer", metrics: dict[str, Any]) -> None:
    """The files of the stage `recommender`."""
    from safetensors.torch import save_file

    heads = model.blocks[0].heads
    shape = {"n_items": model.n_items, "width": model.width, "blocks": model.n_layers, "heads": heads}
    write_json(folder / "config.json", shape | {"max_length": model.max_length})
    save_file({k: v.contiguous() for k, v in model.state_dict().items()}, folder / "weights.safetensors")
    write_json(folder / "metrics.json", metrics)


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} cannot be written as JSON")


def _read_json(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text())


def _sync(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                os.fsync(file.fileno())
    _sync_folder(folder)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
