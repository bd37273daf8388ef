"""Dictionaries that were trained elsewhere, brought into a study under names of their own."""

import re
import shutil
from dataclasses import fields, replace
from pathlib import Path

from seqsae_core.build import SCREEN
from seqsae_core.commands import use_command
from seqsae_core.config import SaeConfig
from seqsae_core.errors import UserError
from seqsae_core.locking import writing
from seqsae_core.progress import Progress
from seqsae_core.sae import activations, interchange
from seqsae_core.sae.autoencoders import Autoencoder, JumpReLU, TopK
from seqsae_core.store import PROGRESS
from seqsae_core.study import Study
from seqsae_core.sweep import SAE, make, require_built

NAME = re.compile(r"(?!layer\d)[A-Za-z0-9][A-Za-z0-9._-]{0,79}")
REMEDY = "Name a folder with a dictionary of this study's model."


def import_dictionary(folder: str | Path, source: str | Path, layer: int, name: str | None = None) -> Study:
    """Measure and screen a dictionary of SAELens or sparsify as a sweep of the study at `folder` does its own.

    layer: the one whose activations it was trained on. name: `imported-` and the name of its folder unless given. The
    study's default stays. Raises UserError for a folder that cannot be read, another width, model or layer than it was
    trained on, a name that is taken, and a study that is not built as far as its own dictionary.
    """
    folder, source = Path(folder), Path(source)
    Study.open(folder)
    with writing(folder, "import"):
        return _imported(Study.open(folder), source, layer, name)


def _imported(study: Study, source: Path, layer: int, name: str | None) -> Study:
    require_built(study)
    activations.check_layer(layer, study.config.recommender.blocks)
    sae = study.read_sae(source, REMEDY)
    _check_layer(source, layer)
    name = _free(study, name or "imported-" + re.sub(r"[^A-Za-z0-9._-]+", "-", source.resolve().name))
    _keep(study, sae, layer, name)
    config = replace(study.config, sae=_settings(sae, layer, name))
    budget = SAE.budget_seconds + SCREEN.budget_seconds
    progress = Progress(study.path / PROGRESS, [(name, name, budget)], job="import")
    make(study, config, progress)
    progress.finish()
    return study


def _check_layer(source: Path, layer: int) -> None:
    theirs = interchange.layer_of(source)
    if theirs not in (None, layer):
        raise UserError(f"{source} was trained on layer {theirs}, not {layer}. Say --layer {theirs}.")


def _free(study: Study, name: str) -> str:
    if not NAME.fullmatch(name):
        raise UserError(
            f"“{name}” is no name for an imported dictionary: take up to 80 letters, digits, dots, dashes and "
            f"underscores, and do not begin with “layer” and a number, as those do that are trained here (--name)."
        )
    if name in study.dictionaries:
        raise UserError(
            f"{study.path} has a dictionary “{name}” already. Choose another with --name, or open that one: "
            f"`{use_command(study.path, name)}`."
        )
    return name


def _keep(study: Study, sae: Autoencoder, layer: int, name: str) -> None:
    """A copy within the study, so that its stages can be made anew without the folder that it came from."""
    kept = study.imported(name)
    shutil.rmtree(kept, ignore_errors=True)
    kept.mkdir(parents=True)
    interchange.save(sae, kept, layer, study.model_fingerprint())


def _settings(sae: Autoencoder, layer: int, name: str) -> SaeConfig:
    """What is known of a dictionary; 0 for all that is not."""
    variant = "topk" if isinstance(sae, TopK) else "jumprelu" if isinstance(sae, JumpReLU) else "relu"
    nothing = {field.name: field.type(0) for field in fields(SaeConfig) if field.type in (int, float)}
    known = {"layer": layer, "latents": sae.latents, "k": getattr(sae, "k", 0)}
    return SaeConfig(**nothing | known, variant=variant, imported=name)
