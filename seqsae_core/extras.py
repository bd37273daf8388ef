"""The stage `extras`: what the default build cannot afford: re-trainings, more rivals, all curves."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from seqsae_core.config import StudyConfig
from seqsae_core.data.sequences import Sequences, Split
from seqsae_core.interpret import alignment, contest, rivals
from seqsae_core.interpret.atlas import Atlas, Corpus, best_features, build_atlas, summarise
from seqsae_core.interpret.controls import control_activations
from seqsae_core.progress import Report
from seqsae_core.recommender.protocol import SequenceModel
from seqsae_core.sae import training
from seqsae_core.sae.activations import Activations, Spill
from seqsae_core.sae.autoencoders import Autoencoder
from seqsae_core.sae.recurrence import STABLE
from seqsae_core.sae.stability import stability

RETRAININGS = 3
SEED_FIGURES = ("mean_max_correlation", "mean_max_correlation_new_items", "mean_max_correlation_matched")


@dataclass(frozen=True)
class Bench:
    """What every measurement of the extras shares; trained_on: what the dictionary saw, fit: the same at items."""

    corpus: Corpus
    trained_on: Activations
    fit: Activations
    spill: Spill
    genres: np.ndarray
    halves: list[np.ndarray]
    width: int
    config: StudyConfig

    @classmethod
    def make(cls, corpus: Corpus, trained_on: Activations, width: int, config: StudyConfig, spill: Spill) -> "Bench":
        """The same genres and halves as the default evidence used."""
        positions = np.bincount(corpus.score.item_at, minlength=corpus.n_items + 1)
        genres = alignment.measured_genres(corpus.concepts, positions, config.evidence.min_positives)
        halves = alignment.random_halves(corpus.n_items, config.evidence.halves, config.seed)
        return cls(corpus, trained_on, trained_on.at_items(spill), spill, genres, halves, width, config)

    def atlas(self, features: rivals.Features, corpus: Corpus | None = None) -> Atlas:
        """Measure features on this bench, or on other activations at the same positions."""
        return build_atlas(features, corpus or self.corpus, self.genres, self.halves, self.width, self.config.evidence,
                           self.config.seed)  # fmt: skip


def more_evidence(
    sae: Autoencoder, bench: Bench, model: SequenceModel, sequences: Sequences, split: Split, default: dict[str, Any],
    report: Report,
) -> tuple[dict[str, pd.DataFrame], dict[str, Any]]:  # fmt: skip
    """Tables and summary of the rivals that are not in the default build, and of dictionaries with other seeds."""
    atlases = [bench.atlas(rivals.latents(sae))]
    report(0.05, "training the dictionary again")
    others = [
        training.train(bench.trained_on.values, bench.config.sae, bench.config.seed + n)
        for n in range(1, RETRAININGS + 1)
    ]
    again = [bench.atlas(rivals.latents(other)) for other in others]
    report(0.25, "independent components")
    atlases.append(bench.atlas(rivals.ica(bench.fit.values, bench.config.seed)))
    for control in control_activations(
        model, sequences, split, bench.corpus, bench.config, bench.spill, lambda _, text, **__: report(0.5, text)
    ):
        report(0.35, f"dictionary of {control.kind.replace('_', ' ')}")
        trained = training.train(control.fit.values, bench.config.sae, bench.config.seed)
        atlases.append(bench.atlas(rivals.latents(trained, control.kind), control.corpus))
    stable = stability(sae.W_dec.numpy(), [o.W_dec.numpy() for o in others])
    return _tables(atlases, stable, bench), _summary(atlases, again, stable, bench, default)


def _tables(atlases: list[Atlas], stable: np.ndarray, bench: Bench) -> dict[str, pd.DataFrame]:
    best = best_features(atlases[1:], bench.corpus, bench.genres, bench.config.evidence, bench.config.seed)
    shown = {a.features.kind: a.table for a in atlases[1:]}
    return shown | {
        "more_best": best,
        "stability": pd.DataFrame({"feature": np.arange(len(stable)), "stability": stable}),
    }


def _summary(
    atlases: list[Atlas], again: list[Atlas], stable: np.ndarray, bench: Bench, default: dict[str, Any]
) -> dict[str, Any]:
    """The default summary with the new kinds added and the latents' figures as means over dictionary seeds."""
    genres = bench.corpus.concepts.values[:, bench.genres]
    names = [bench.corpus.concepts.names[g] for g in bench.genres]
    probe = contest.enter_probe(bench.fit, bench.corpus.score, genres.astype(np.float64), names, bench.halves)
    new = summarise(atlases, probe, bench.corpus, bench.genres, bench.halves, bench.config.evidence, bench.config.seed)
    seeds = [default["latents"], *(_seed_figures(a) for a in again)]
    means = {f: None if None in (v := [s[f] for s in seeds]) else float(np.mean(v)) for f in SEED_FIGURES}
    spread = {f"{f}_by_seed": [s[f] for s in seeds] for f in SEED_FIGURES}
    alive = atlases[0].table["alive"].to_numpy()
    kinds = [a.features.kind for a in atlases[1:]]
    return {
        **{kind: new[kind] for kind in kinds},
        "latents": default["latents"] | means | spread,
        "difference": default["difference"]
        | {f"latents_minus_{k}": new["difference"][f"latents_minus_{k}"] for k in kinds},
        "kinds": default["kinds"] + kinds,
        "seeds": len(seeds),
        "sae": {
            "stability": float(stable[alive].mean()),
            "stable_share": float((stable[alive] >= STABLE).mean()),
        },
    }


def _seed_figures(atlas: Atlas) -> dict[str, float | None]:
    entrant = atlas.entrant
    means = (contest.mean(entrant.r), contest.mean(entrant.r_new), atlas.matched)
    return dict(zip(SEED_FIGURES, means, strict=True))
