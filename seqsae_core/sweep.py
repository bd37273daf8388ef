"""Dictionaries of one study over layer, sparsity, variant and size, trained and screened alike."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

from seqsae_core.build import PIPELINE, SCREEN, Stage, failures_told, make_stage, make_stamps
from seqsae_core.config import PRESETS, RecommenderConfig, SaeConfig, StudyConfig
from seqsae_core.errors import UserError
from seqsae_core.locking import writing
from seqsae_core.progress import Progress, Report
from seqsae_core.sae import activations, autoencoders
from seqsae_core.store import PROGRESS
from seqsae_core.study import Study

SAE = next(stage for stage in PIPELINE if stage.name == "sae")
NEEDED = ("data", "recommender", "sae")


@dataclass(frozen=True)
class Grid:
    """What a sweep varies: every combination is a dictionary. `relu` takes `l1` where the others take `k`.

    steps: of each training; None: as many as the study's own dictionary has.
    """

    layers: tuple[int, ...]
    k: tuple[int, ...] = (8, 16, 32)
    variants: tuple[str, ...] = ("topk",)
    latents: tuple[int, ...] = (1024,)
    l1: tuple[float, ...] = (0.5, 1.0, 2.0)
    steps: int | None = None

    @classmethod
    def of(cls, config: StudyConfig, given: Mapping[str, Any]) -> "Grid":
        """The values given; else the output of every block, and the variant and size of the study's own dictionary."""
        usual = {
            "layers": config.recommender.layers[1:-1],
            "variants": (config.sae.variant,),
            "latents": (config.sae.latents,),
        }
        values = usual | dict(given)
        return cls(**{name: tuple(v) if isinstance(v, Iterable) else v for name, v in values.items()})

    def points(self, recommender: RecommenderConfig, own: SaeConfig) -> list[SaeConfig]:
        """Settings of every combination, each once; what the grid does not vary is as in `own`.

        Raises UserError for a layer that the model has not, and for what no dictionary can be trained with.
        """
        steps = own.steps if self.steps is None else self.steps
        points = [
            _point(replace(own, layer=layer, latents=latents, variant=variant, steps=steps), sparsity)
            for layer, variant, latents in product(self.layers, self.variants, self.latents)
            for sparsity in (self.l1 if variant == "relu" else self.k)
        ]
        for point in points:
            _check(point, recommender)
        return list(dict.fromkeys(points))


def _point(settings: SaeConfig, sparsity: float) -> SaeConfig:
    if settings.variant == "relu":
        return replace(settings, k=0, l1=float(sparsity))
    return replace(settings, k=int(sparsity), l1=0.0)


def _check(point: SaeConfig, recommender: RecommenderConfig) -> None:
    activations.check_layer(point.layer, recommender.blocks)
    autoencoders.check(point)
    if min(point.latents, point.steps) < 1 or point.l1 < 0:
        raise UserError("Latents and steps must be at least 1, and an L1 penalty not negative.")


def sweep(folder: str | Path, given: Mapping[str, Any] | None = None) -> Study:
    """Train and screen the study's own dictionary and every point of the grid that is not there yet.

    given: values of `Grid` by name. The study's default and its settings stay as they are. Raises UserError for a grid
    that cannot be, a study that is not built as far as its own dictionary, or one that another process builds.
    """
    folder = Path(folder)
    Study.open(folder)
    with writing(folder, "sweep"):
        return _swept(Study.open(folder), given or {})


def _swept(study: Study, given: Mapping[str, Any]) -> Study:
    own = study.config
    recipe = _recipe(own)
    points = Grid.of(recipe, given).points(recipe.recommender, recipe.sae)
    require_built(study)
    configs = {own.dictionary: own}  # first, and where a point has its name, with its own settings
    for config in (replace(own, sae=point) for point in points):
        configs.setdefault(config.dictionary, config)
    budget = SAE.budget_seconds + SCREEN.budget_seconds
    progress = Progress(study.path / PROGRESS, [(name, name, budget) for name in configs], job="sweep")
    for config in configs.values():
        make(study, config, progress)
    progress.finish()
    return study


def _recipe(own: StudyConfig) -> StudyConfig:
    """The study's settings; those of its preset for the dictionary where its own was imported."""
    return replace(own, sae=PRESETS.get(own.preset, StudyConfig)().sae) if own.sae.imported else own


def require_built(study: Study) -> None:
    """Raises UserError where the study is not built as far as its own dictionary, or by another version."""
    stamps = make_stamps(study.config, study.manifest["fingerprint"])
    missing = [name for name in NEEDED if study.stamp(name, study.config.dictionary) != stamps[name]]
    if missing:
        raise UserError(
            f"{study.path}: the stage “{missing[0]}” is missing, or of another version. "
            f"Run `{study.build_command()}` first."
        )


def make(study: Study, config: StudyConfig, progress: Progress) -> None:
    """The stages of one dictionary that are missing or stale, as one line of the progress."""
    name, stamps = config.dictionary, make_stamps(config, study.manifest["fingerprint"])
    todo = [stage for stage in (SAE, SCREEN) if study.stamp(stage.name, name) != stamps[stage.name]]
    if not todo:
        progress.skip(name)
        return
    with failures_told(progress, name, study.path):
        progress.start(name)
        for stage in todo:
            detail = make_stage(study, config, stage, stamps[stage.name], _part(progress.update, stage, todo))
    progress.done(name, detail)


def _part(report: Report, stage: Stage, stages: list[Stage]) -> Report:
    """A stage's report as a part of that of several, by their budgets."""
    whole = sum(s.budget_seconds for s in stages)
    before = sum(s.budget_seconds for s in stages[: stages.index(stage)])

    def told(fraction: float, detail: str, **facts: Any) -> None:
        report((before + fraction * stage.budget_seconds) / whole, detail, **facts)

    return told
