"""A study on disk: the only module that knows the file names inside a stage's folder."""

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from seqsae_core.commands import build_command, extras_command, import_command
from seqsae_core.config import SaeConfig, from_dict
from seqsae_core.data.concepts import ConceptTable
from seqsae_core.data.sequences import Sequences, Split, make_split
from seqsae_core.errors import UserError
from seqsae_core.progress import read
from seqsae_core.store import PROGRESS, Store

if TYPE_CHECKING:
    from seqsae_core.adapters.adapted import Adapted
    from seqsae_core.adapters.hooked import Hooked
    from seqsae_core.recommender.protocol import SequenceModel
    from seqsae_core.recommender.transformer import Transformer
    from seqsae_core.sae.autoencoders import Autoencoder


DICTIONARY_FILES = ("cfg.json", "sae_weights.safetensors")


class Study(Store):
    """What is in each stage, as the rooms know it."""

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

    def model(self) -> "SequenceModel":
        """The trained model, in evaluation mode: ours, or one of another library.

        Raises UserError where it is the user's own code, which nobody said may run.
        """
        from safetensors.torch import load_file

        from seqsae_core.adapters.loading import make
        from seqsae_core.recommender.transformer import ARCHITECTURES

        folder = self.folder("recommender")
        shape = {"architecture": "sasrec"} | _read_json(folder / "config.json")
        ours = ARCHITECTURES.get(shape["architecture"])
        model = ours(**{n: v for n, v in shape.items() if n != "architecture"}) if ours else make(folder, shape)
        model.load_state_dict(load_file(folder / "weights.safetensors"))
        return model.eval()

    def model_fingerprint(self) -> str:
        """Of the recommender's weights: the first 16 hex digits of the file's SHA-256."""
        return sha256(self.folder("recommender") / "weights.safetensors")[:16]

    def sae(self, dictionary: str | None = None) -> "Autoencoder":
        """A dictionary. Raises UserError where it is of another model than the study's, or its files have changed."""
        folder = self.folder("sae", dictionary)
        again = build_command(f"{self.path}-again", self.manifest)
        kept = self.manifest["stages"][self._key("sae", dictionary)].get("sha256", {})
        for name, digest in ((name, kept[name]) for name in DICTIONARY_FILES if name in kept):
            if not (folder / name).is_file() or sha256(folder / name) != digest:
                raise UserError(
                    f"{folder / name} is not the file that this dictionary's figures belong to: its SHA-256 has "
                    f"changed. Put the original back, or build anew: `{again}`. Another dictionary gets a name of its "
                    f"own: `{import_command(self.path)}`."
                )
        return self.read_sae(folder, f"Build anew: `{again}`.")

    def read_sae(self, folder: Path, remedy: str) -> "Autoencoder":
        """A dictionary from any folder. Raises UserError, with the `remedy`, where it is not of this study's model."""
        from seqsae_core.sae.interchange import load, trained_on

        sae, theirs, ours = load(folder), trained_on(folder), self.model_fingerprint()
        width = _read_json(self.folder("recommender") / "config.json")["width"]
        if sae.width != width:
            raise UserError(f"{folder} reads activations of width {sae.width}, the model's have {width}. {remedy}")
        if theirs not in (None, ours):
            raise UserError(f"{folder} was trained on the model {theirs}, the study's is {ours}. {remedy}")
        return sae

    def layer(self, dictionary: str | None = None) -> int:
        """The layer that a dictionary reads."""
        return int(self.sae_metrics(dictionary)["layer"])

    def sae_metrics(self, dictionary: str | None = None) -> dict[str, Any]:
        """Fidelity figures of a dictionary, with its layer."""
        return _read_json(self.folder("sae", dictionary) / "metrics.json")

    def sae_config(self, dictionary: str | None = None) -> SaeConfig:
        """The settings that a dictionary was trained with; before it is, those of the build that makes it.

        Raises UserError for a dictionary that an earlier version trained, or nobody.
        """
        name = dictionary or (self.default_dictionary if self.dictionaries else self.config.dictionary)
        settings = self.sae_metrics(name).get("settings") if self.has("sae", name) else None
        if settings:
            return from_dict(settings, SaeConfig)
        if name == self.config.dictionary:
            return self.config.sae
        there = ", ".join(filter(self.keeps_settings, self.dictionaries))
        remedy = f"Choose one of: {there}." if there else f"Run `{self.build_command()}`."
        raise UserError(f"{self.path} keeps no settings of a dictionary “{name}”. {remedy}")

    def keeps_settings(self, name: str) -> bool:
        """Whether it is known how a dictionary that is there was trained."""
        return name == self.config.dictionary or bool(self.sae_metrics(name).get("settings"))

    def screen(self, dictionary: str | None = None) -> dict[str, Any]:
        """Figures for choosing among dictionaries, on select users and validation targets."""
        return _read_json(self.folder("screen", dictionary) / "metrics.json")

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

    @property
    def latents(self) -> pd.DataFrame:
        """One row a latent of the default dictionary, indexed by latent: name, concepts, density, correlations ...

        Names are the automatic ones; `export` and the pages have those that analysts accepted.
        """
        return self.features("latents").set_index("feature", drop=False)

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

    def alignment(self, dictionary: str | None = None, latent: int | None = None) -> pd.DataFrame:
        """Every figure of each latent × concept, of one latent or all live ones."""
        return self._evidence("alignment", dictionary, latent)

    def context(self, dictionary: str | None = None, latent: int | None = None) -> pd.DataFrame:
        """What a latent says of the history beyond the item, of one latent or all."""
        table = self._evidence("context", dictionary, latent)
        return table[table["kind"] == "latents"].reset_index(drop=True)

    def histogram(self, dictionary: str | None, latent: int) -> pd.DataFrame:
        """Activation histogram of one latent."""
        return self._evidence("histogram", dictionary, latent)

    def examples(self, dictionary: str | None, kind: str, feature: int) -> pd.DataFrame:
        """Example windows of one feature across activation quantiles."""
        rows = self._evidence("examples", dictionary, feature)
        return rows[rows["kind"] == kind].reset_index(drop=True)

    def strongest_items(self, dictionary: str | None = None) -> pd.DataFrame:
        """The items that fire each latent most, of its strongest examples: feature, item; no pair twice."""
        path = self.folder("evidence", dictionary) / "examples.parquet"
        wanted = [("kind", "==", "latents"), ("quantile", "==", 0)]
        rows = pd.read_parquet(path, columns=["feature", "at", "items"], filters=wanted)
        item = [items[at] for items, at in zip(rows["items"], rows["at"], strict=True)]
        return pd.DataFrame({"feature": rows["feature"], "item": item}).drop_duplicates(ignore_index=True)

    def evidence_summary(self, dictionary: str | None = None) -> dict[str, Any]:
        """The headline figures of every kind; the extras' rivals and seeds are merged in where they are built."""
        summary = _read_json(self.folder("evidence", dictionary) / "summary.json")
        if self.has("extras", dictionary):
            summary |= _read_json(self.folder("extras", dictionary) / "evidence.json")
        return summary

    def map(self, dictionary: str | None = None) -> pd.DataFrame:
        """Places and regions in each layout: layout, kind, feature, x, y, cluster, cluster_name."""
        return pd.read_parquet(self.folder("map", dictionary) / "map.parquet")

    def effects(self, dictionary: str | None = None) -> pd.DataFrame:
        """Steering effect, promoted and demoted items of each latent."""
        return pd.read_parquet(self.folder("steering", dictionary) / "effects.parquet")

    def tradeoff(self, dictionary: str | None = None) -> pd.DataFrame:
        """Trade-off curves; those of the extras replace the default build's where they are built."""
        return pd.read_parquet(self._steering_folder(dictionary) / "tradeoff.parquet")

    def segments(self, dictionary: str | None = None) -> pd.DataFrame:
        """Curves of `latents` for users who never, sometimes and often watch the concept; empty in older studies."""
        path = self._steering_folder(dictionary) / "segments.parquet"
        return pd.read_parquet(path) if path.exists() else pd.DataFrame(columns=["concept", "split"])

    def lowered(self, dictionary: str | None = None) -> pd.DataFrame:
        """Curves at negative strengths: the designs that lower a concept, the chosen one, and label re-ranking."""
        return pd.read_parquet(self._steering_folder(dictionary) / "lowered.parquet")

    def steering_summary(self, dictionary: str | None = None) -> dict[str, Any]:
        """Lift within a budget and frontier area of each method."""
        return _read_json(self._steering_folder(dictionary) / "steering.json")

    def few_labels_summary(self, dictionary: str | None = None) -> dict[str, Any]:
        """The same where a tenth of a concept's items are labelled (`tenth`), five (`list`) or none (`region`)."""
        return _read_json(self.folder("extras", dictionary) / "few_labels.json")

    @property
    def scenarios(self) -> Path:
        """The folder of named edits, which no build touches; it may not be there yet."""
        return self.own(self.path / "scenarios")

    @property
    def reviews(self) -> Path:
        """The database of analysts' reviews, which no build touches; it may not be there yet."""
        for ending in ("-wal", "-shm", "-journal"):
            self.own(self.path / f"reviews.sqlite{ending}")
        return self.own(self.path / "reviews.sqlite")

    def _steering_folder(self, dictionary: str | None) -> Path:
        return self.folder("extras" if self.has("extras", dictionary) else "steering", dictionary)

    def _evidence(self, name: str, dictionary: str | None, feature: int | None = None) -> pd.DataFrame:
        """A table of the evidence, or of the extras when only they have it; rows of one feature when asked."""
        path = self.folder("evidence", dictionary) / f"{name}.parquet"
        if self.has("extras", dictionary) and (extra := self.folder("extras", dictionary) / path.name).exists():
            path = extra
        if not path.exists():
            raise UserError(
                f"{self.path} has no evidence table “{name}”. It may need `{extras_command(self.path)}`."
            )
        return pd.read_parquet(path, filters=None if feature is None else [("feature", "==", int(feature))])


def read_progress(path: str | Path) -> dict[str, Any] | None:
    """What the last build of a study folder said about itself, or None when no build ever wrote there."""
    return read(Path(path) / PROGRESS)


def digests(folder: Path) -> dict[str, Any]:
    """What the manifest keeps of a finished stage's files: the SHA-256 of each."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {"sha256": {path.relative_to(folder).as_posix(): sha256(path) for path in files}}


def write_tables(folder: Path, tables: dict[str, pd.DataFrame]) -> None:
    """Each table as `<name>.parquet`."""
    for name, table in tables.items():
        table.to_parquet(folder / f"{name}.parquet", index=False)


def write_json(path: Path, values: dict[str, Any]) -> None:
    """JSON with NaN refused: a figure that is not there is null."""
    path.write_text(json.dumps(values, indent=1, allow_nan=False, default=plain))


def write_data(folder: Path, sequences: Sequences, catalogue: pd.DataFrame, concepts: ConceptTable) -> None:
    """The files of the stage `data`."""
    users = np.repeat(sequences.users, sequences.lengths)
    events = pd.DataFrame({"user_id": users, "item": sequences.items, "timestamp": sequences.times})
    names = [f"{g}:{n}" for g, n in zip(concepts.groups, concepts.names, strict=True)]
    table = pd.DataFrame(concepts.values, columns=names)
    write_tables(folder, {"interactions": events, "catalogue": catalogue, "concepts": table})


def write_model(folder: Path, model: "Transformer | Adapted | Hooked", metrics: dict[str, Any]) -> None:
    """The files of the stage `recommender`."""
    from safetensors.torch import save_file

    write_json(folder / "config.json", {"architecture": model.architecture, **model.shape})
    weights = {name: values.contiguous().clone() for name, values in model.state_dict().items()}  # none may be shared
    save_file(weights, folder / "weights.safetensors")
    write_json(folder / "metrics.json", metrics)


def plain(value: Any) -> Any:
    """What JSON can hold in place of an array or a number of numpy."""
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} cannot be written as JSON")


def sha256(path: Path) -> str:
    """Of a file's bytes, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _read_json(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text())
