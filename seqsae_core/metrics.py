"""The figures that everyone quotes, as one JSON object. What is not computed yet is null."""

from typing import Any

from seqsae_core.recommender.names import ACCURACY, BASELINES, LISTS
from seqsae_core.study import Study

EVIDENCE_KINDS = (
    "latents", "neurons", "pca", "ica", "random_directions", "untrained_model_sae", "spectral_untrained",
    "static_embedding_sae", "shuffled_sequence_sae", "probe",
)  # fmt: skip
EVIDENCE_FIGURES = (
    "mean_max_correlation", "mean_max_correlation_new_items", "mean_max_correlation_matched", "ci95",
    "ci95_new_items",
    "concepts", "significant_share", "monosemanticity",
)  # fmt: skip
STEERING_METHODS = (
    "latents", "latents_by_correlation", "latents_by_gain", "latents_learned", "latents_by_taste",
    "latents_by_correlation_by_sureness", "latents_learned_by_sureness", "mean_difference", "probe",
    "probe_by_sureness", "rerank", "rerank_by_sureness", "neurons", "random",
)  # fmt: skip
FEW = ("tenth", "list", "region")
STEERING_FIGURES = (
    "share_lift_at_1pct", "share_lift_at_5pct", "ndcg_change_at_1pct", "ndcg_change_at_5pct", "frontier_area",
)  # fmt: skip
TESTED = ("split", "users", "unseen_targets")
SAE_FIGURES = (
    "explained_variance", "l0", "dead_fraction", "ce_recovered", "ndcg_change", "hr_change", "rbo@10", "by_decile",
    "densities", "stability", "stable_share",
)  # fmt: skip
SAE_INTERVALS = tuple(
    f"{figure}_ci95" for figure in ("explained_variance", "ce_recovered", "ndcg_change", "hr_change", "rbo@10")
)


def quoted(study: Study) -> dict[str, Any]:
    """All quoted figures of a study: data, recommender, sae (default first), evidence, steering, timings."""
    return {
        "data": {k: study.manifest.get("sizes", {}).get(k) for k in ("users", "items", "interactions")},
        "recommender": _recommender(study),
        "sae": {name: _sae(study, name) for name in study.dictionaries},
        "evidence": _evidence(study),
        "difference": study.evidence_summary().get("difference", {}) if study.has("evidence") else {},
        "steering": _steering(study),
        "timings": {key: entry.get("seconds") for key, entry in study.manifest["stages"].items()},
    }


def _recommender(study: Study) -> dict[str, Any]:
    found = study.recommender_metrics() if study.has("recommender") else {}
    baselines = found.get("baselines", {})
    return (
        {name: found.get(name) for name in TESTED}
        | _quality(found)
        | {"train_seconds": found.get("train_seconds")}
        | {"baselines": {name: _quality(baselines.get(name, {})) for name in BASELINES}}
    )


def _quality(found: dict[str, Any]) -> dict[str, Any]:
    with_interval = [figure for name in ACCURACY for figure in (name, f"{name}_ci95")]
    return {figure: found.get(figure) for figure in (*with_interval, *LISTS)}


def _sae(study: Study, name: str) -> dict[str, Any]:
    found = study.sae_metrics(name)
    if study.has("extras", name):
        found |= study.evidence_summary(name).get("sae", {})
    return {figure: found.get(figure) for figure in SAE_FIGURES + SAE_INTERVALS}


def _evidence(study: Study) -> dict[str, Any]:
    found = study.evidence_summary() if study.has("evidence") else {}
    return {k: {f: found.get(k, {}).get(f) for f in EVIDENCE_FIGURES} for k in EVIDENCE_KINDS}


def _steering(study: Study) -> dict[str, Any]:
    found = study.steering_summary() if study.has("steering") else {}
    few = study.few_labels_summary() if study.has("extras") else {}
    return _methods(found) | {"few_labels": {name: _methods(few.get(name, {})) for name in FEW}}


def _methods(found: dict[str, Any]) -> dict[str, Any]:
    """Figures of each method; by concept, against rivals and of suppression too where they are measured."""
    figures = (*STEERING_FIGURES, *(f"{f}_ci95" for f in STEERING_FIGURES), "by_concept", "against", "suppression")
    return {m: {f: found.get(m, {}).get(f) for f in figures} for m in STEERING_METHODS}
