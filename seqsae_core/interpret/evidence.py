"""All evidence of a dictionary: atlases of latents and rivals, names, enrichment, examples, histograms."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from seqsae_core.config import EvidenceConfig
from seqsae_core.interpret import alignment, contest, rivals
from seqsae_core.interpret.atlas import Atlas, Corpus, Report, best_features, build_atlas, summarise
from seqsae_core.interpret.clustered import enrichment
from seqsae_core.interpret.context import context_concepts, measure_context
from seqsae_core.interpret.detection import detect, promoted
from seqsae_core.interpret.examples import find_examples
from seqsae_core.interpret.naming import Name, Namer, naming_half
from seqsae_core.interpret.recognition import recognised
from seqsae_core.interpret.rivals import Features
from seqsae_core.sae.activations import Activations, encode_sparse
from seqsae_core.sae.autoencoders import Autoencoder

BINS = 30
NEIGHBOURS = 8


@dataclass(frozen=True)
class Evidence:
    """tables by file stem, and the summary of headline figures."""

    tables: dict[str, pd.DataFrame]
    summary: dict[str, Any]
    atlases: dict[str, Atlas]


def default_features(sae: Autoencoder, fit: np.ndarray, seed: int) -> list[Features]:
    """Latents and the rivals that are cheap enough for every build; `fit`: activations of fit users (n, width)."""
    return [
        rivals.latents(sae),
        rivals.neurons(fit.mean(0, dtype=np.float64)),
        rivals.pca(fit, seed),
        rivals.random_directions(fit, sae.latents, seed),
    ]


def collect_evidence(
    sae: Autoencoder,
    kinds: list[Features],
    fit: Activations,
    corpus: Corpus,
    outputs: np.ndarray,
    config: EvidenceConfig,
    seed: int,
    report: Report,
) -> Evidence:
    """Measure every kind by the same function; `kinds[0]` are the latents of `sae`. outputs: the items' output vectors
    (n_items + 1, width)."""
    values = corpus.concepts.values.astype(np.float64)
    positions = np.bincount(corpus.score.item_at, minlength=corpus.n_items + 1)
    genres = alignment.measured_genres(corpus.concepts, positions, config.min_positives)
    halves = alignment.random_halves(corpus.n_items, config.halves, seed)
    atlases = []
    for number, features in enumerate(kinds):
        report(0.6 * number / len(kinds), f"measuring {features.kind.replace('_', ' ')}")
        atlases.append(build_atlas(features, corpus, genres, halves, sae.width, config, seed))
    report(0.6, "bootstrap")
    names = [corpus.concepts.names[g] for g in genres]
    probe = contest.enter_probe(fit, corpus.score, values[:, genres], names, halves)
    summary = summarise(atlases, probe, corpus, genres, halves, config, seed)
    tables = {a.features.kind: a.table for a in atlases}
    tables["best"] = best_features(atlases, corpus, genres, config, seed)
    report(0.75, "names and examples")
    codes = encode_sparse(sae, corpus.score.values)
    tables |= _latent_tables(sae, codes, atlases, tables["best"], corpus, config, seed)
    report(0.85, "every latent with every concept")
    tables["alignment"] = _alignment(sae, codes, atlases[0], corpus, outputs)
    report(0.92, "what the history adds")
    tables["context"] = _context(atlases, corpus, genres, seed)
    summary[kinds[0].kind] |= _name_figures(tables[kinds[0].kind], tables["context"])
    return Evidence(tables, summary, {a.features.kind: a for a in atlases})


def _latent_tables(
    sae: Autoencoder, codes: csr_array, atlases: list[Atlas], best: pd.DataFrame, corpus: Corpus,
    config: EvidenceConfig, seed: int,
) -> dict[str, pd.DataFrame]:  # fmt: skip
    latents = atlases[0]
    return {
        "latents": latents.table.assign(**_names(latents, corpus, config, seed), **_neighbours(sae.W_dec.numpy())),
        "enrichment": enrichment(codes, corpus.score, corpus.concepts, latents.r_score),
        "examples": pd.concat([_examples(a, best, corpus, config, seed) for a in atlases], ignore_index=True),
        "histogram": _histogram(codes),
    }


def _names(latents: Atlas, corpus: Corpus, config: EvidenceConfig, seed: int) -> dict[str, list]:
    half = naming_half(corpus.n_items, seed)
    tested = corpus.test(latents.score.only(half), config.permutations, seed)
    known = recognised(latents.select, latents.score)
    namer = Namer(latents.score, corpus.concepts, corpus.catalogue, half, tested, latents.tested, known)
    alive = latents.table["alive"]
    names = [namer.name(i) if alive[i] else Name.of_nothing() for i in range(latents.features.count)]
    return {
        "name": [n.text for n in names],
        "name_kind": [n.kind for n in names],
        "name_evidence": [n.evidence for n in names],
        "name_score": pd.array([n.score for n in names], dtype="Float64"),
    }


def _alignment(
    sae: Autoencoder, codes: csr_array, latents: Atlas, corpus: Corpus, outputs: np.ndarray
) -> pd.DataFrame:
    """One row for each live latent × concept: how the latent tells the concept of the input item, and promotes it."""
    live = np.flatnonzero(latents.table["alive"])
    names, holds = corpus.concepts.names, corpus.concepts.values > 0
    table = detect(codes.tocsc()[:, live], holds[corpus.score.item_at]).table(names)
    effect, output_auc = promoted(sae.W_dec.numpy()[live] @ outputs[1:].T, holds[1:])
    tested = latents.tested
    pairs = {
        "r_select": latents.r_select, "r_score": latents.r_score, "r_partial": latents.r_partial, "z": tested.z,
        "significant": tested.family_wise, "fdr": tested.fdr,
    }  # fmt: skip
    table["feature"] = live.astype(np.int32)[table["feature"]]
    table = table.assign(**{name: values[live].ravel() for name, values in pairs.items()})
    table = table.assign(promotes=effect.ravel(), promotes_auc=output_auc.ravel())
    return table[table["roc_auc"].notna()].reset_index(drop=True)


def _context(atlases: list[Atlas], corpus: Corpus, genres: np.ndarray, seed: int) -> pd.DataFrame:
    """What latents and neurons say of the history beyond the item, on score users."""
    table = context_concepts(corpus.score, corpus.sequences, corpus.concepts, corpus.year, genres)
    measured = (a for a in atlases if a.features.kind in ("latents", "neurons"))
    return pd.concat(
        [measure_context(a.features, corpus.score, a.score, table, seed) for a in measured], ignore_index=True
    )


def _name_figures(latents: pd.DataFrame, context: pd.DataFrame) -> dict[str, float | None]:
    """Shares of the live latents by what names them, and how well the names predict."""
    alive = latents[latents["alive"]]
    kinds = alive["name_kind"].value_counts(normalize=True)
    told = context[context["significant"] & (context["kind"] == "latents")]["feature"].nunique()
    score = alive["name_score"].dropna()
    return {
        "named_by_concepts": float(kinds.get("concept", 0.0)),
        "named_by_items": float(kinds.get("items", 0.0)),
        "context_share": told / max(len(alive), 1),
        "median_name_score": float(score.median()) if len(score) else None,
    }


def _neighbours(decoder: np.ndarray) -> dict[str, list]:
    """The nearest latents of each by cosine of decoder directions."""
    unit = decoder / np.maximum(np.linalg.norm(decoder, axis=1, keepdims=True), 1e-12)
    cosine = unit @ unit.T
    np.fill_diagonal(cosine, -np.inf)
    order = np.argsort(-cosine, axis=1, kind="stable")[:, : min(NEIGHBOURS, len(decoder) - 1)]
    return {"neighbours": order.tolist(), "neighbour_cosines": np.take_along_axis(cosine, order, 1).tolist()}


def _examples(atlas: Atlas, best: pd.DataFrame, corpus: Corpus, config: EvidenceConfig, seed: int) -> pd.DataFrame:
    """Examples of all latents, neurons and components; of other kinds, of the features that are best for a concept."""
    kind = atlas.features.kind
    chosen = best.loc[best["kind"] == kind, "feature"].unique()
    everything = atlas.table.loc[atlas.table["alive"], "feature"].to_numpy()
    wanted = everything if kind in ("latents", "neurons", "pca") else np.sort(chosen)
    return find_examples(atlas.features, wanted, corpus.score, corpus.sequences, config.examples_per_quantile, seed)


def _histogram(codes: csr_array) -> pd.DataFrame:
    """Counts of activations where each latent fires, in equal bins up to its largest. codes: (n, f)."""
    codes = codes.tocsc()
    parts = [np.empty((0, 4))]
    for latent in range(codes.shape[1]):
        fired = codes.data[codes.indptr[latent] : codes.indptr[latent + 1]]
        if len(fired):
            counts, edges = np.histogram(fired, bins=BINS, range=(0.0, float(fired.max())))
            parts.append(np.column_stack([np.full(BINS, latent), edges[:-1], edges[1:], counts]))
    table = pd.DataFrame(np.concatenate(parts), columns=["feature", "low", "high", "count"])
    return table.astype({"feature": np.int32, "count": np.int64})
