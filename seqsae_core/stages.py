"""What each stage of the build does: read what is there, call one room, write the files."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from seqsae_core import extras
from seqsae_core.adapters import folder as folders
from seqsae_core.adapters import loading
from seqsae_core.config import SteeringConfig, StudyConfig
from seqsae_core.data import concepts, interactions, readers
from seqsae_core.data import sequences as seq
from seqsae_core.device import best_device, use_threads
from seqsae_core.interpret import atlas, evidence, layout, rivals, screening
from seqsae_core.progress import Report
from seqsae_core.recommender import baselines, batching, evaluation, training
from seqsae_core.recommender.protocol import SequenceModel
from seqsae_core.sae import activations, fidelity, interchange, splicing
from seqsae_core.sae import training as sae_training
from seqsae_core.sae.autoencoders import Autoencoder
from seqsae_core.steering import directions, effects, labels, tradeoff
from seqsae_core.study import Study, write_data, write_json, write_model, write_tables

FEW_ITEMS = 5


def run_data(study: Study, config: StudyConfig, folder: Path, report: Report) -> str:
    """Files to sequences, catalogue and concepts."""
    rows, items = readers.read(config.data.source, config.data.items, config.data.columns)
    events = interactions.drop_repeats(rows)
    repeats = len(rows) - len(events)
    events, unknown = _shared(events, config)
    report(0.5, f"{len(events):,} interactions read")
    if config.data.max_users:
        events = interactions.sample_users(events, config.data.max_users)
    events = interactions.k_core(events, config.data.min_interactions, config.data.source)
    sequences, item_ids = seq.build_sequences(events)
    split = seq.make_split(sequences, config.data.split, config.data.source)
    counts = batching.item_counts(sequences, split)
    catalogue = concepts.build_catalogue(items, item_ids, counts[1:])
    write_data(folder, sequences, catalogue, concepts.build_concepts(catalogue))
    sizes = {"users": len(sequences), "items": sequences.n_items, "interactions": len(sequences.items)}
    study.update_manifest(sizes=sizes | {"repeated_rows": repeats})
    told = f"; {repeats:,} repeated rows were dropped" if repeats else ""
    told += f"; {unknown:,} interactions with items that the model does not know were left out" if unknown else ""
    told += f"; columns: {rows.attrs['columns']}" if rows.attrs.get("columns") else ""
    return f"{sizes['users']:,} users, {sizes['items']:,} items, {sizes['interactions']:,} interactions{told}"


def _shared(events: pd.DataFrame, config: StudyConfig) -> tuple[pd.DataFrame, int]:
    """The events with items that an imported model knows, where asked for, and how many others there were."""
    if not config.data.shared_items:
        return events, 0
    known = events[interactions.ITEM].astype(str).isin(folders.known_items(config.recommender.imported))
    return events[known].reset_index(drop=True), int((~known).sum())


def run_recommender(study: Study, config: StudyConfig, folder: Path, report: Report) -> str:
    """Train the transformer, or take the imported one; read the test targets once, beside the baselines."""
    study.update_manifest(threads=use_threads(study.manifest.get("threads")), device=str(best_device()))
    sequences = study.sequences()
    split = study.split(sequences)
    if config.recommender.imported:
        item_ids = study.catalogue()["item_id"].to_numpy()
        model, agreement = loading.load(config.recommender.imported, item_ids, config.data.shared_items)
        made: dict[str, Any] = {"golden": agreement}
        loading.copy_code(config.recommender.imported, folder)
    else:
        trained = training.train(
            sequences, split, config.recommender, config.data.max_length, config.seed, report,
            study.checkpoint("recommender"),
        )  # fmt: skip
        model = trained.model
        made = {"train_seconds": round(trained.log[-1]["seconds"], 1), "log": trained.log, "plan": asdict(trained.plan)}
    report(1.0, "test users")
    metrics = recommender_figures(model, sequences, split) | {"split": config.data.split, **made}
    write_model(folder, model, metrics)
    return f"test NDCG@10 {metrics['ndcg@10']:.4f}, popularity {metrics['baselines']['popularity']['ndcg@10']:.4f}"


def recommender_figures(model: SequenceModel, sequences: seq.Sequences, split: seq.Split) -> dict[str, Any]:
    """Quality on the test targets, beside the baselines'."""
    users = np.flatnonzero(split.test_at >= 1)
    at = split.test_at[users]
    counts = batching.item_counts(sequences, split)
    ours = evaluation.rank_users(model, sequences, users, at)
    others = baselines.rank_baselines(sequences, split, users, at)
    return {
        "unseen_targets": evaluation.unseen_targets(sequences, users, at, counts),
        **evaluation.summarise(ours, counts),
        "baselines": {name: evaluation.summarise(found, counts) for name, found in others.items()},
    }


def run_sae(study: Study, config: StudyConfig, folder: Path, report: Report) -> str:
    """Train the dictionary on fit users, or take the imported one; measure it on the others."""
    use_threads(study.manifest.get("threads"))
    sequences, model, layer = study.sequences(), study.model(), config.sae.layer
    split = study.split(sequences)
    kept, spill = study.checkpoint("sae"), spill_of(study, config, "sae")
    fit, held_out = (
        activations.collect(model, sequences, split, split.users(*roles), layer, spill=spill)
        for roles in ((seq.FIT,), (seq.SELECT, seq.SCORE))
    )

    def trained(done: float, text: str, begun: float) -> None:
        report(0.9 * done, text, resumed=0.9 * begun)

    if config.sae.imported:
        remedy = f"Build without it, and import one of this model: `{study.build_command()}`."
        sae = study.read_sae(study.imported(config.sae.imported), remedy)
    else:
        sae = sae_training.train(fit.values, config.sae, config.seed, trained, kept)
    report(0.9, "measuring fidelity")
    decile = study.concepts().decile
    metrics = fidelity.measure(model, sae, fit, held_out, sequences, split, layer, decile, config.seed)
    interchange.save(sae, folder, layer, study.model_fingerprint())
    write_json(folder / "metrics.json", metrics | {"settings": asdict(config.sae)})
    return f"explained variance {metrics['explained_variance']:.3f}, {metrics['dead_fraction']:.1%} dead"


def dictionary_figures(study: Study, config: StudyConfig, sae: Autoencoder) -> dict[str, Any]:
    """The fidelity of a dictionary that is there, measured as `run_sae` does."""
    sequences, model, layer = study.sequences(), study.model(), config.sae.layer
    split, spill = study.split(sequences), spill_of(study, config, "sae")
    fit, held_out = (
        activations.collect(model, sequences, split, split.users(*roles), layer, spill=spill)
        for roles in ((seq.FIT,), (seq.SELECT, seq.SCORE))
    )
    return fidelity.measure(model, sae, fit, held_out, sequences, split, layer, study.concepts().decile, config.seed)


def run_screen(study: Study, config: StudyConfig, folder: Path, report: Report) -> str:
    """What dictionaries are chosen by: select users and validation targets only."""
    use_threads(study.manifest.get("threads"))
    name, layer = config.dictionary, config.sae.layer
    sequences, model, sae = study.sequences(), study.model(), study.sae(name)
    split = study.split(sequences)
    users, trained = split.users(seq.SELECT), study.sae_metrics(name)
    spill = spill_of(study, config, "screen")
    select = activations.collect(model, sequences, split, users, layer, spill=spill)
    report(0.4, "screening: fidelity")
    l0 = fidelity.density(sae, select.values).sum()
    metrics = {"l0": float(l0), "dead_fraction": trained["dead_fraction"], "users": len(users)}
    metrics |= fidelity.explained_variance(select, sae, config.seed)
    ranked = splicing.rank_both(model, sae, sequences, split.valid_at, users, layer)
    metrics |= splicing.changes(ranked, config.seed)
    report(0.7, "screening: interpretability")
    bench = screening.Bench.make(select, study.concepts(), sequences.n_items, config.evidence, config.seed)
    for features in (rivals.latents(sae), rivals.neurons(np.array(trained["fit_mean"]))):
        metrics[features.kind] = screening.interpretability(features, bench)
    write_json(folder / "metrics.json", metrics | {"concepts": bench.genres.shape[1]})
    new = metrics["latents"]["new_items"]
    told = "" if new is None else f", new items {new:.3f}"
    return f"explained variance {metrics['explained_variance']:.3f} at L0 {metrics['l0']:.1f}{told}"


def run_evidence(study: Study, config: StudyConfig, folder: Path, report: Report) -> str:
    """Atlases of latents and rivals on held-out users, names, examples."""
    use_threads(study.manifest.get("threads"))
    spill, sae = spill_of(study, config, "evidence"), study.sae(config.dictionary)
    corpus, fit = held_out(study, config, spill)
    fit = fit.at_items(spill)
    kinds = evidence.default_features(sae, fit.values, config.seed)
    outputs = study.model().item_vectors().detach().numpy()
    found = evidence.collect_evidence(sae, kinds, fit, corpus, outputs, config.evidence, config.seed, report)
    write_tables(folder, found.tables)
    np.save(folder / "select_correlation.npy", found.atlases["latents"].r_select.astype(np.float32))
    write_json(folder / "summary.json", found.summary)
    ours, theirs = found.summary["latents"], found.summary["neurons"]
    if ours["mean_max_correlation"] is None:
        return "no genre has enough positives to compare latents and neurons"
    figures = f"latents {ours['mean_max_correlation']:.3f}, neurons {theirs['mean_max_correlation']:.3f}"
    return f"mean best correlation: {figures}"


def spill_of(study: Study, config: StudyConfig, stage: str) -> activations.Spill:
    """Room for a stage's matrices of activations, within the memory that the settings allow to each."""
    return activations.Spill(study.checkpoint(stage), config.memory_gib * 2**30)


def held_out(
    study: Study, config: StudyConfig, spill: activations.Spill
) -> tuple[atlas.Corpus, activations.Activations]:
    """What evidence is measured on, and the activations of fit users that the dictionary was trained on."""
    sequences, model, layer = study.sequences(), study.model(), config.sae.layer
    split = study.split(sequences)
    fit, select, score = (
        activations.collect(model, sequences, split, split.users(role), layer, spill=spill)
        for role in (seq.FIT, seq.SELECT, seq.SCORE)
    )
    select, score = select.at_items(spill), score.at_items(spill)
    return atlas.Corpus(select, score, sequences, split, study.catalogue(), study.concepts()), fit


def run_map(study: Study, config: StudyConfig, folder: Path, report: Report) -> str:
    """Layouts of the latents by direction, neurons among them, and by co-activation on select users."""
    use_threads(study.manifest.get("threads"))
    name, sequences = config.dictionary, study.sequences()
    split, sae, spill = study.split(sequences), study.sae(name), spill_of(study, config, "map")
    users = split.users(seq.SELECT)
    select = activations.collect(study.model(), sequences, split, users, config.sae.layer, spill=spill).at_items(spill)
    codes = activations.encode_sparse(sae, select.values)
    report(0.2, "layouts")
    table = layout.make_map(sae.W_dec.numpy(), codes, study.features("latents", name), config.layout, config.seed)
    write_tables(folder, {"map": table})
    counts = table[table["layout"] == layout.DIRECTIONS]["kind"].value_counts()
    return f"{counts.get('latents', 0):,} latents and {counts['neurons']:,} neurons placed"


def run_steering(study: Study, config: StudyConfig, folder: Path, report: Report) -> str:
    """Trade-off curves of a few concepts, and the effect of every latent."""
    use_threads(study.manifest.get("threads"))
    spill = spill_of(study, config, "steering")
    summary = curves(study, config, folder, config.steering, spill, lambda done, text: report(0.65 * done, text))
    report(0.65, "effect of every latent")
    sequences, sae = study.sequences(), study.sae(config.dictionary)
    counts = study.catalogue()["count"].to_numpy()
    table = effects.measure_effects(
        study.model(), sae, config.sae.layer, latent_units(study, config), sequences, study.split(sequences), counts,
        config.steering, config.seed, lambda done, text: report(0.65 + 0.35 * done, text),
    )  # fmt: skip
    write_tables(folder, {"effects": table})
    ours = summary.get("latents", {}).get("share_lift_at_5pct")
    return f"latents lift a concept ×{ours:.2f} within 5 % of NDCG" if ours else "no concept could be steered"


def curves(
    study: Study,
    config: StudyConfig,
    folder: Path,
    steering: SteeringConfig,
    spill: activations.Spill,
    report: Report,
    kept: Path | None = None,
) -> dict[str, Any]:
    """Trade-off curves and their summary, written into `folder`; kept: where they wait if they are interrupted."""
    sequences, model, dictionary = study.sequences(), study.model(), to_steer(study, config)
    corpus, fit = held_out(study, config, spill)
    fit = fit.at_items(spill)
    found = tradeoff.run_tradeoff(
        model, config.sae.layer, dictionary, sequences, study.split(sequences), corpus.concepts, fit, corpus.select,
        steering, config.seed, report, kept=kept,
    )  # fmt: skip
    write_tables(folder, {"tradeoff": found.table, "segments": found.segments, "lowered": found.lowered})
    write_json(folder / "steering.json", found.summary)
    return found.summary


def few_label_curves(
    study: Study, config: StudyConfig, folder: Path, steering: SteeringConfig, spill: activations.Spill, report: Report
) -> dict[str, Any]:
    """Curves where a tenth of each concept's items are labelled, where FEW_ITEMS are, as a typed list would be, and
    where none is: a region of the map that is named after the concept."""
    sequences, model, dictionary = study.sequences(), study.model(), to_steer(study, config)
    corpus, fit = held_out(study, config, spill)
    fit = fit.at_items(spill)
    codes, item_at = activations.encode_sparse(dictionary.sae, corpus.select.values), corpus.select.item_at
    known = {
        "tenth": labels.FewLabels(codes, item_at, config.seed),
        "list": labels.FewLabels(codes, item_at, config.seed, count=FEW_ITEMS),
        "region": labels.Regions(codes, item_at, dictionary.units, regions_of(study, config, corpus.concepts.names)),
    }
    tables, summaries = {}, {}
    for name, few in known.items():
        found = tradeoff.run_tradeoff(
            model, config.sae.layer, dictionary, sequences, study.split(sequences), corpus.concepts, fit,
            corpus.select, steering, config.seed, report, few,
        )  # fmt: skip
        tables[f"tradeoff_{name}"], summaries[name] = found.table, found.summary
    write_tables(folder, tables)
    write_json(folder / "few_labels.json", summaries)
    return summaries


def to_steer(study: Study, config: StudyConfig) -> directions.Dictionary:
    """What steering needs of the dictionary, and correlations on select users, which designs may be chosen by."""
    name = config.dictionary
    features, correlation = study.features("latents", name), study.select_correlation(name)
    return directions.Dictionary.of_features(study.sae(name), features, correlation)


def regions_of(study: Study, config: StudyConfig, names: Sequence[str]) -> dict[int, np.ndarray]:
    """Of each concept the latents in the region of the map that holds most of the latents that name it first."""
    places = study.map(config.dictionary)
    places = places[(places["layout"] == layout.DIRECTIONS) & (places["kind"] == "latents")]
    table = places.merge(study.features("latents", config.dictionary)[["feature", "top_concept"]], on="feature")
    counts = pd.crosstab(table["top_concept"], table["cluster"])
    best = counts.idxmax(axis=1)
    return {
        number: table.loc[table["cluster"] == best[name], "feature"].to_numpy()
        for number, name in enumerate(names)
        if name in best.index
    }


def latent_units(study: Study, config: StudyConfig) -> np.ndarray:
    """One standard deviation of each latent's activation where it fires, (latents,)."""
    return study.features("latents", config.dictionary)["sd_activation"].to_numpy()


def run_extras(study: Study, config: StudyConfig, folder: Path, report: Report) -> str:
    """Re-trainings, more rivals, and the curves of all concepts."""
    use_threads(study.manifest.get("threads"))
    name = config.dictionary
    sequences, model, sae = study.sequences(), study.model(), study.sae(name)
    split = study.split(sequences)
    spill = spill_of(study, config, "extras")
    bench = extras.Bench.make(*held_out(study, config, spill), sae.width, config, spill)
    default = study.evidence_summary(name)
    tables, summary = extras.more_evidence(
        sae, bench, model, sequences, split, default, lambda done, text: report(0.7 * done, text)
    )
    write_tables(folder, tables)
    write_json(folder / "evidence.json", summary)
    everything = replace(config.steering, concepts=len(bench.corpus.concepts.names), users=len(sequences))
    kept = study.checkpoint("extras") / "curves"
    curves(study, config, folder, everything, spill, lambda done, text: report(0.7 + 0.2 * done, text), kept)
    few_label_curves(study, config, folder, config.steering, spill, lambda _, text: report(0.9, f"few labels: {text}"))
    latents = summary["latents"]
    figures = (latents["mean_max_correlation"], latents["mean_max_correlation_new_items"])
    if None in figures:
        return f"{summary['seeds']} seeds; no genre has enough positives"
    return f"{summary['seeds']} seeds: same items {figures[0]:.3f}, new items {figures[1]:.3f}"
