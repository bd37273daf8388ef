"""The atlas of a set of features: one and the same measurement for latents, neurons, components, random directions."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from seqsae_core.config import EvidenceConfig
from seqsae_core.data.concepts import ConceptTable
from seqsae_core.data.sequences import FIT, Sequences, Split
from seqsae_core.interpret import alignment, contest
from seqsae_core.interpret.alignment import ItemSums
from seqsae_core.interpret.clustered import UserSums, correlation_interval, user_sums
from seqsae_core.interpret.contest import Entrant
from seqsae_core.interpret.monosemanticity import concept_entropy, monosemanticity, unit_vectors
from seqsae_core.interpret.rivals import Features
from seqsae_core.interpret.significance import Significance, permutation_test
from seqsae_core.recommender.batching import training_events
from seqsae_core.recommender.spectral import spectral_embeddings
from seqsae_core.sae.activations import Activations

Report = Callable[[float, str], None]
COMPANY_WIDTH = 64


@dataclass(frozen=True)
class Corpus:
    """What every kind is measured on: held-out positions, sequences, items and their concepts."""

    select: Activations
    score: Activations
    sequences: Sequences
    split: Split
    catalogue: pd.DataFrame
    concepts: ConceptTable

    @cached_property
    def content(self) -> np.ndarray:
        """Centred unit concept rows of the items, (n_items + 1, c)."""
        return unit_vectors(self.concepts.values.astype(np.float64))

    @cached_property
    def company(self) -> np.ndarray:
        """Centred unit vectors of the items by what fit users watched beside them, (n_items + 1, 64)."""
        items, owner = training_events(self.sequences, self.split)
        theirs = self.split.role[owner] == FIT
        rows = spectral_embeddings(items[theirs], owner[theirs], self.n_items, COMPANY_WIDTH, seed=0)
        return unit_vectors(rows.astype(np.float64))

    @property
    def year(self) -> np.ndarray:
        """Year of release of each item, NaN where it is unknown, (n_items + 1,)."""
        return np.concatenate([[np.nan], self.catalogue["year"].astype("Float64").to_numpy(float, na_value=np.nan)])

    @property
    def n_items(self) -> int:
        """Number of items."""
        return len(self.catalogue)

    @property
    def strata(self) -> np.ndarray:
        """Popularity decile of each item, (n_items + 1,)."""
        return self.concepts.decile

    @property
    def controls(self) -> np.ndarray:
        """Release year (missing: the mean) and log popularity of each item, (n_items + 1, 2)."""
        year = self.catalogue["year"].astype("Float64")
        year = year.fillna(year.mean() if year.notna().any() else 0.0).to_numpy(float)
        return np.vstack([[0.0, 0.0], np.column_stack([year, np.log1p(self.catalogue["count"])])])

    def test(self, sums: ItemSums, permutations: int, seed: int) -> Significance:
        """Significance of features against all concepts, each item once; popularity concepts are permuted freely."""
        free = np.array([g == "popularity" for g in self.concepts.groups])
        values = self.concepts.values.astype(np.float64)
        return permutation_test(sums.per_item(), values, self.strata, free, permutations, seed)


@dataclass(frozen=True)
class Atlas:
    """One kind's table of features, its sums and correlations, and its entry in the contest; `others`: its best
    features for the concepts that are not in the contest; `select`, `score`: sums over the users of these roles."""

    features: Features
    table: pd.DataFrame
    select: ItemSums
    score: ItemSums
    r_select: np.ndarray
    r_score: np.ndarray
    r_partial: np.ndarray
    tested: Significance
    entrant: Entrant
    others: Entrant
    matched: float | None


def build_atlas(features: Features, corpus: Corpus, genres: np.ndarray, halves: list[np.ndarray], width: int,
                config: EvidenceConfig, seed: int) -> Atlas:  # fmt: skip
    """Measure any features. genres: concept columns of the contest; halves: item masks; width: of the layer."""
    values = corpus.concepts.values.astype(np.float64)
    select = alignment.item_sums(features, corpus.select, corpus.n_items)
    score = alignment.item_sums(features, corpus.score, corpus.n_items)
    r_select, r_score = (alignment.correlation(s, values) for s in (select, score))
    tested = corpus.test(score, config.permutations, seed)
    matched = alignment.matched_expectation(r_select[:, genres], r_score[:, genres], 2 * width)
    return Atlas(
        features=features,
        table=_table(features, corpus, score, r_select, r_score, tested),
        select=select,
        score=score,
        r_select=r_select,
        r_score=r_score,
        r_partial=alignment.partial_correlation(score, values, corpus.controls),
        tested=tested,
        entrant=contest.enter(features, select, score, corpus.score, values[:, genres], halves),
        others=contest.enter(features, select, score, corpus.score, values[:, other_concepts(corpus, config)], halves),
        matched=float(matched.mean()) if matched.size else None,
    )


def _table(features: Features, corpus: Corpus, score: ItemSums, r_select: np.ndarray, r_score: np.ndarray,
           tested: Significance) -> pd.DataFrame:  # fmt: skip
    """One row a feature; definitions in docs/METHOD.md."""
    every = np.arange(features.count)
    top = r_select.argmax(1)
    has_top = r_select[every, top] > 0
    users = user_sums(features, corpus.score, corpus.concepts.values, top)
    low, high = correlation_interval(users)
    names, groups = np.array(corpus.concepts.names), np.array(corpus.concepts.groups)
    genres = corpus.concepts.values[:, corpus.concepts.group("genre")]
    return pd.DataFrame(
        {
            "feature": every.astype(np.int32),
            "label": features.labels,
            "alive": users.fires > 0,
            **_activation_columns(users),
            "n_items": (score.total > 0).sum(0).astype(np.int32),
            "top_concept": np.where(has_top, names[top], ""),
            "top_group": np.where(has_top, groups[top], ""),
            "correlation": np.where(has_top, r_score[every, top], 0.0),
            "correlation_low": np.where(has_top, low, 0.0),
            "correlation_high": np.where(has_top, high, 0.0),
            "z": tested.z[every, top],
            "significant": has_top & tested.family_wise[every, top],
            "fdr": has_top & tested.fdr[every, top],
            "significant_concepts": tested.family_wise.sum(1).astype(np.int32),
            "entropy": concept_entropy(score, genres.astype(np.float64)),
            "monosemanticity": monosemanticity(score, corpus.content),
            "monosemanticity_company": monosemanticity(score, corpus.company),
        }
    )


def _activation_columns(users: UserSums) -> dict[str, np.ndarray]:
    fires = np.maximum(users.fires, 1)
    mean = users.a.sum(0) / fires
    spread = np.sqrt((users.aa.sum(0) / fires - mean**2).clip(min=0))
    return {
        "density": users.fires / users.n.sum(),
        "mean_activation": mean,
        "sd_activation": spread,
        "max_activation": users.highest,
    }


def summarise(atlases: list[Atlas], probe: Entrant, corpus: Corpus, genres: np.ndarray, halves: list[np.ndarray],
              config: EvidenceConfig, seed: int) -> dict[str, Any]:  # fmt: skip
    """summary.json: each kind's headline figures, and latents minus every rival, paired."""
    weights = contest.Weights.draw(corpus.score, corpus.n_items, config.bootstrap, seed)
    labels = corpus.concepts.values[:, genres]
    entrants = [a.entrant for a in atlases] + [probe]
    drawn = {e.kind: contest.bootstrap(e, weights, corpus.score, labels, halves) for e in entrants}
    summary: dict[str, Any] = {e.kind: contest.headline(e, drawn[e.kind]) for e in entrants}
    for atlas in atlases:
        summary[atlas.features.kind] |= _kind_figures(atlas)
    first = entrants[0]
    gaps = {f"{first.kind}_minus_{e.kind}": contest.difference(first, e, drawn) for e in entrants[1:]}
    return summary | {"difference": gaps, "kinds": [a.features.kind for a in atlases], "seeds": 1}


def best_features(
    atlases: list[Atlas], corpus: Corpus, genres: np.ndarray, config: EvidenceConfig, seed: int
) -> pd.DataFrame:
    """best.parquet: the best feature per concept of every kind, those of the contest first."""
    weights = contest.Weights.draw(corpus.score, corpus.n_items, config.bootstrap, seed)
    others, tables = other_concepts(corpus, config), []
    for atlas in atlases:
        for entrant, columns in ((atlas.entrant, genres), (atlas.others, others)):
            table = contest.best_table(entrant, weights, corpus.score, corpus.concepts, columns)
            table["label"] = [atlas.features.labels[i] for i in entrant.best]
            table["r_select"] = atlas.r_select[entrant.best, columns]
            table["r_partial"] = atlas.r_partial[entrant.best, columns]
            tables.append(table)
    return pd.concat(tables, ignore_index=True)[list(contest.BEST_COLUMNS)]


def other_concepts(corpus: Corpus, config: EvidenceConfig) -> np.ndarray:
    """Concept columns outside the contest (decades, popularity) that score users meet often enough."""
    positions = np.bincount(corpus.score.item_at, minlength=corpus.n_items + 1)
    often = positions @ corpus.concepts.values >= config.min_positives
    return np.flatnonzero(often & (np.array(corpus.concepts.groups) != "genre"))


def _kind_figures(atlas: Atlas) -> dict[str, Any]:
    alive = atlas.table["alive"].to_numpy()
    found = atlas.tested.family_wise.any(1)
    means = ("monosemanticity", "monosemanticity_company", "significant_concepts", "entropy")
    return {
        "features": atlas.features.count,
        "mean_max_correlation_matched": atlas.matched,
        "significant_share": float(found[alive].mean()) if alive.any() else 0.0,
        **{name: float(atlas.table.loc[alive, name].mean()) if alive.any() else 0.0 for name in means},
    }
