"""Every setting of a study, in one frozen tree, and the presets that fill it."""

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, fields, is_dataclass, replace
from typing import Any

from seqsae_core.errors import UserError

SPLITS = ("leave-one-out", "global-temporal", "user-disjoint")

COLUMN_ROLES = ("user", "item", "time", "title", "concept")


@dataclass(frozen=True)
class DataConfig:
    """Where interactions come from and which count. `max_users` draws users by stable hash, before the k-core.

    `shared_items` leaves out, before all else, interactions with items that an imported model does not know.
    """

    source: str = "movietweetings"
    items: str | None = None
    min_interactions: int = 5
    max_users: int | None = None
    split: str = "leave-one-out"
    max_length: int = 64
    user_column: str | None = None
    item_column: str | None = None
    time_column: str | None = None
    title_column: str | None = None
    concept_column: str | None = None
    shared_items: bool = False

    @property
    def columns(self) -> dict[str, str]:
        """The columns that were named, by role; the others are guessed."""
        named = {role: getattr(self, f"{role}_column") for role in COLUMN_ROLES}
        return {role: column for role, column in named.items() if column is not None}


@dataclass(frozen=True)
class RecommenderConfig:
    """The transformer and its training. `negatives=None` is the full softmax.

    `popular_negatives` is the share of them drawn by popularity; `calibration` is gBCE's t;
    `mask_share` is the share of items that BERT4Rec's training hides.
    `averaging` is the decay, a step, of the moving average of the weights that is validated and kept; 0 keeps the last.
    `seconds` caps the training time: as many of the `passes` are planned as it allows on this machine.
    `imported` is the folder of a model that another library trained, `fingerprint` that of its files: then only the
    architecture and the sizes say something, and nothing is trained.
    """

    architecture: str = "sasrec"
    width: int = 64
    blocks: int = 2
    heads: int = 2
    dropout: float = 0.3
    attention_dropout: bool = True
    warm_start: bool = True
    popularity_bias: bool = True
    objective: str = "softmax"
    negatives: int | None = 1024
    popular_negatives: float = 0.0
    calibration: float = 0.75
    mask_share: float = 0.2
    passes: int = 6
    patience: int = 4
    batch_size: int = 64
    learning_rate: float = 2e-3
    averaging: float = 0.0
    seconds: float | None = None
    imported: str | None = None
    fingerprint: str | None = None

    @property
    def layers(self) -> range:
        """The layers that can be read: 0 the embeddings, l the output of block l, the last one the final norm's."""
        return range(self.blocks + 2)


@dataclass(frozen=True)
class SaeConfig:
    """The sparse autoencoder, the layer it reads and its training.

    `imported` is the name of a dictionary that was trained elsewhere: of its training nothing is known, all of it is 0.
    """

    variant: str = "topk"
    layer: int = 1
    latents: int = 1024
    k: int = 16
    steps: int = 3000
    batch_size: int = 1024
    learning_rate: float = 1e-2
    l1: float = 0.0
    aux_k: int = 64
    aux_weight: float = 1 / 32
    dead_window: int = 300
    imported: str | None = None


@dataclass(frozen=True)
class EvidenceConfig:
    """How evidence is measured: draws, thresholds, examples kept."""

    permutations: int = 1000
    bootstrap: int = 200
    min_positives: int = 300
    halves: int = 5
    examples_per_quantile: int = 4


@dataclass(frozen=True)
class LayoutConfig:
    """The maps of latents: `umap`, or `pca` where compiling UMAP would take longer than everything else."""

    method: str = "umap"
    neighbours: int = 15
    min_dist: float = 0.1
    clusters: int = 24


@dataclass(frozen=True)
class SteeringConfig:
    """Trade-off curves and steering effects."""

    concepts: int = 6
    users: int = 500
    latents_per_concept: int = 5
    effect_histories: int = 256
    effect_strength: float = 2.0
    max_strength: float = 16.0
    position: str = "last"


@dataclass(frozen=True)
class StudyConfig:
    """The whole study; the seed reaches every random draw.

    A matrix of activations of more than `memory_gib` GiB is kept in a file; no figure depends on it.
    """

    preset: str = "default"
    seed: int = 0
    data: DataConfig = field(default_factory=DataConfig)
    recommender: RecommenderConfig = field(default_factory=RecommenderConfig)
    sae: SaeConfig = field(default_factory=SaeConfig)
    evidence: EvidenceConfig = field(default_factory=EvidenceConfig)
    layout: LayoutConfig = field(default_factory=LayoutConfig)
    steering: SteeringConfig = field(default_factory=SteeringConfig)
    memory_gib: float = 1.0

    @property
    def dictionary(self) -> str:
        """Name of the dictionary this configuration trains, e.g. `layer1-topk-1024-k16`.

        It tells apart whatever a sweep may vary; steps are named where they are not the preset's own. An imported one
        keeps the name that it was given.
        """
        if self.sae.imported:
            return self.sae.imported
        sae, usual = self.sae, PRESETS.get(self.preset, StudyConfig)().sae.steps
        sparsity = f"l1-{sae.l1:g}" if sae.variant == "relu" else f"k{sae.k}"
        steps = "" if sae.steps == usual else f"-{sae.steps}steps"
        return f"layer{sae.layer}-{sae.variant}-{sae.latents}-{sparsity}{steps}"


def _tiny() -> StudyConfig:
    return StudyConfig(
        data=DataConfig(max_users=1500, max_length=16),
        recommender=RecommenderConfig(width=16, passes=2, negatives=128),
        sae=SaeConfig(latents=64, k=4, steps=60, batch_size=256, dead_window=30),
        evidence=EvidenceConfig(permutations=100, bootstrap=20, min_positives=20, halves=2),
        layout=LayoutConfig(method="pca", clusters=6),
        steering=SteeringConfig(concepts=2, users=40, effect_histories=16),
    )


def _quick() -> StudyConfig:
    return StudyConfig(
        data=DataConfig(max_users=12000, max_length=32),
        recommender=RecommenderConfig(passes=4, seconds=15.0),
        sae=SaeConfig(latents=256, k=12, steps=800, dead_window=150),
        evidence=EvidenceConfig(permutations=200, bootstrap=50, min_positives=100, halves=2),
        layout=LayoutConfig(clusters=12),
        steering=SteeringConfig(concepts=3, users=150, effect_histories=64),
    )


def _paper() -> StudyConfig:
    """Klenitskiy et al. (2025), section 4: GPT-2 style model, user-disjoint split, ReLU with an L1 penalty."""
    return StudyConfig(
        data=DataConfig(split="user-disjoint"),
        recommender=RecommenderConfig(
            dropout=0.1,
            warm_start=False,
            popularity_bias=False,
            negatives=None,
            passes=100,
            patience=5,
            batch_size=128,
            learning_rate=1e-3,
        ),
        sae=SaeConfig(variant="relu", latents=512, k=0, l1=1.25, steps=8000, learning_rate=1e-3),
    )


def _full() -> StudyConfig:
    return StudyConfig(recommender=RecommenderConfig(passes=60, patience=8), sae=SaeConfig(steps=12000))


def _sasrec(recipe: RecommenderConfig) -> RecommenderConfig:
    return replace(recipe, architecture="sasrec")


def _bert4rec(recipe: RecommenderConfig) -> RecommenderConfig:
    """A pass of the Cloze task asks for a fifth of the items, and costs less: more steps, more passes."""
    return replace(
        recipe, architecture="bert4rec", dropout=0.1, attention_dropout=False, batch_size=32, passes=2 * recipe.passes
    )


ARCHITECTURES = {"sasrec": _sasrec, "bert4rec": _bert4rec}
PRESETS = {"tiny": _tiny, "quick": _quick, "default": StudyConfig, "paper": _paper, "full": _full}


def preset(
    name: str, seed: int = 0, source: str | None = None, items: str | None = None, *,
    min_interactions: int | None = None,
    split: str | None = None, architecture: str | None = None, time_budget: float | None = None,
    memory: float | None = None, **columns: str | None,
) -> StudyConfig:  # fmt: skip
    """The named preset with its seed and data source set; a choice of None stays the preset's own.

    time_budget: the seconds that training the recommender may take; memory: the GiB that a matrix of activations may;
    columns: `user_column` and so on, as in `DataConfig`.
    Raises UserError for a name that is not in `PRESETS`, `SPLITS` or `ARCHITECTURES`, amounts that are none, or
    `min_interactions` below 1.
    """
    config = PRESETS[_known("preset", name, PRESETS)]()
    data = replace(config.data, source=source or config.data.source, items=items, **columns)
    recommender = config.recommender
    if min_interactions is not None:
        data = replace(data, min_interactions=_at_least_one(min_interactions))
    if split is not None:
        data = replace(data, split=_known("split", split, SPLITS))
    if architecture is not None:
        recommender = ARCHITECTURES[_known("architecture", architecture, ARCHITECTURES)](recommender)
    if time_budget is not None:
        recommender = replace(recommender, seconds=_positive(time_budget))
    if memory is not None:
        config = replace(config, memory_gib=_memory(memory))
    return replace(config, preset=name, seed=seed, data=data, recommender=recommender)


def _known(what: str, name: str, names: Iterable[str]) -> str:
    if name not in names:
        raise UserError(f"There is no {what} “{name}”. Choose one of: {', '.join(names)}.")
    return name


def _at_least_one(interactions: int) -> int:
    if interactions < 1:
        raise UserError(f"--min-interactions is {interactions}: give a number from 1 (everybody and everything).")
    return interactions


def _positive(seconds: float) -> float:
    if not 0 < seconds < math.inf:
        raise UserError(f"A time budget of {seconds:g} s allows no training: give a number of seconds above 0.")
    return seconds


def _memory(gib: float) -> float:
    if not 0 <= gib < math.inf:
        raise UserError(f"{gib:g} GiB is no amount of memory: give a number from 0.")
    return gib


def to_dict(config: StudyConfig) -> dict[str, Any]:
    """Plain JSON-ready form of a configuration."""
    return asdict(config)


def from_dict(values: dict[str, Any], cls: type = StudyConfig) -> Any:
    """The configuration that `to_dict` came from. Raises UserError on a setting that is unknown or no such value."""
    if not isinstance(values, dict):
        raise UserError(f"{cls.__name__} is {values!r:.40}, not settings.")
    known = {f.name: f for f in fields(cls)}
    unknown = set(values) - set(known)
    if unknown:
        raise UserError(f"Unknown settings {sorted(unknown)} in {cls.__name__}, of another version.")
    wrong = [name for name, value in values.items() if not _of_type(value, known[name].type)]
    if wrong:
        raise UserError(f"{cls.__name__}: {wrong[0]} cannot be {values[wrong[0]]!r:.40}.")
    parts = {n: known[n].default_factory for n in values if is_dataclass(known[n].default_factory)}
    return cls(**{n: from_dict(v, parts[n]) if n in parts else v for n, v in values.items()})


def _of_type(value: Any, wanted: Any) -> bool:
    """Whether a value from JSON may stand for a field: whole numbers for fractions, objects for parts."""
    if is_dataclass(wanted):
        return isinstance(value, dict)
    return isinstance(value, wanted) or (isinstance(value, int) and isinstance(0.0, wanted))
