"""What each stage of the build does: read what is there, call one room, write the files."""

import time
from pathlib import Path
from typing import Any

import numpy as np

from seqsae_core.build import Report
from seqsae_core.config import StudyConfig
from seqsae_core.data import concepts, interactions, readers
from seqsae_core.data import sequences as seq
from seqsae_core.device import use_threads
from seqsae_core.interpret import atlas, evidence, layout
from seqsae_core.recommender import baselines, ranking, training
from seqsae_core.sae import activations, fidelity, interchange
from seqsae_core.sae import training as sae_training
from seqsae_core.study import Study, write_data, write_json, write_model, write_tables


def run_data(study: Study, config: StudyConfig, folder: Path, report: Report) -> str:
    """Files to sequences, catalogue and concepts."""
    events, items = readers.read(config.data.source, config.data.items)
    report(0.5, f"{len(events):,} interactions read")
    if config.data.max_users:
        events = interactions.sample_users(events, config.data.max_users)
    events = interactions.k_core(events, config.data.min_interactions)
    sequences, item_ids = seq.build_sequences(events)
    split = seq.make_split(sequences, config.data.split)
    counts = np.bincount(training.training_events(sequences, split)[0], minlength=sequences.n_items + 1)
    catalogue = concepts.build_catalogue(items, item_ids, counts[1:])
    write_data(folder, sequences, catalogue, concepts.build_concepts(catalogue))
    sizes = {"users": len(sequences), "items": sequences.n_items, "interactions": len(sequences.items)}
    study.update_manifest(sizes=sizes)
    return f"{sizes['users']:,} users, {sizes['items']:,} items, {sizes['interactions']:,} interactions"


def run_recommender(study: Study, config: StudyConfig, folder: Path, report: Report) -> str:
    """Train the transformer; read the test targets once, beside the baselines."""
    study.update_manifest(threads=use_threads())
    sequences = study.sequences()
    split = study.split(sequences)
    began = time.monotonic()
    model, log = training.train(sequences, split, config.recommender, config.data.max_length, config.seed, report)
    seconds = round(time.monotonic() - began, 1)
    report(1.0, "test users")
    users = np.flatnonzero(split.test_at >= 1)
    ranks = ranking.target_ranks(model, sequences, users, split.test_at[users])
    others = baselines.baseline_ranks(sequences, split, users, split.test_at[users])
    metrics: dict[str, Any] = {"split": config.data.split, **ranking.summarise(ranks), "train_seconds": seconds}
    metrics |= {"baselines": {name: ranking.summarise(r) for name, r in others.items()}, "log": log}
    write_model(folder, model, metrics)
    return f"test NDCG@10 {metrics['ndcg@10']:.4f}, popularity {metrics['baselines']['popularity']['ndcg@10']:.4f}"


def run_sae(study: Study, config: StudyConfig, folder: Path, report: Report) -> str:
    """Train the dictionary on fit users, measure it on the others."""
    use_threads()
    sequences, model, layer = study.sequences(), study.model(), config.sae.layer
    split = study.split(sequences)
    fit = activations.collect(model, sequences, split, split.users(seq.FIT), layer)
    held_out = activations.collect(model, sequences, split, split.users(seq.SELECT, seq.SCORE), layer)
    sae = sae_training.train(fit.values, config.sae, config.seed, lambda done, text: report(0.9 * done, text))
    report(0.9, "measuring fidelity")
    metrics = fidelity.measure(model, sae, fit, held_out, sequences, split, layer, config.seed)
    interchange.save(sae, folder, layer)
    write_json(folder / "metrics.json", metrics)
    return f"explained variance {metrics['explained_variance']:.3f}, {metrics['dead_fraction']:.1%} dead"


def run_evidence(study: Study, config: StudyConfig, folder: Path, report: Report) -> str:
    """Atlases of latents and rivals on held-out users, names, examples."""
    use_threads()
    corpus, fit = held_out(study, config)
    sae = study.sae(config.dictionary)
    kinds = evidence.default_features(sae, fit.values, config.seed)
    found = evidence.collect_evidence(sae, kinds, fit, corpus, config.evidence, config.seed, report)
    write_tables(folder, found.tables)
    np.save(folder / "select_correlation.npy", found.atlases["latents"].r_select.astype(np.float32))
    write_json(folder / "summary.json", found.summary)
    ours, theirs = found.summary["latents"], found.summary["neurons"]
    return f"mean max correlation: latents {ours['mean_max_correlation']:.3f}, neurons {theirs['mean_max_correlation']:.3f}"


def held_out(study: Study, config: StudyConfig) -> tuple[atlas.Corpus, activations.Activations]:
    """What evidence is measured on, and the activations of fit users."""
    sequences, model, layer = study.sequences(), study.model(), config.sae.layer
    split = study.split(sequences)
    fit, select, score = (
        activations.collect(model, sequences, split, split.users(role), layer) for role in (seq.FIT, seq.SELECT, seq.SCORE)
    )
    return atlas.Corpus(select, score, sequences, study.catalogue(), study.concepts()), fit


def run_map(study: Study, config: StudyConfig, folder: Path, report: Report) -> str:
    """UMAP of the decoder directions."""
    report(0.1, "UMAP")
    decoder = study.sae(config.dictionary).W_dec.numpy()
    table = layout.make_map(decoder, study.features("latents", config.dictionary), config.layout, config.seed)
    write_tables(folder, {"map": table})
    return f"{len(table):,} latents placed"
