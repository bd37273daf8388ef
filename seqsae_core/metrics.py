"""The figures that everyone quotes, as one JSON object. What is not computed yet is null."""

from typing import Any

from seqsae_core.study import Study

EVIDENCE_KINDS = (
    "latents", "neurons", "pca", "ica", "random_directions", "untrained_model_sae", "spectral_untrained",
    "static_embedding_sae", "shuffled_sequence_sae", "probe",
)  # fmt: skip
EVIDENCE_FIGURES = (
    "mean_max_correlation", "mean_max_correlation_new_items", "mean_max_correlation_matched", "ci95",
    "concepts", "significant_share", "monosemanticity",
)  # fmt: skip
STEERING_METHODS = ("latents", "mean_difference", "probe", "rerank", "neurons", "random")
STEERING_FIGURES = ("share_lift_at_1pct", "share_lift_at_5pct", "frontier_area")
SAE_FIGURES = ("explained_variance", "l0", "dead_fraction", "ce_recovered", "ndcg_change", "stability")


def quoted(study: Study) -> dict[str, Any]:
    """All quoted figures of a study: data, recommender, sae (default first), evidence, steering, timings."""
    return {
        "data": {k: study.manifest.get("sizes", {}).get(k) for k in ("users", "items", "interactions")},
        "recommender": _recommender(study),
        "sae": {name: _sae(study, name) for name in study.dictionaries},
        "evidence": _evidence(study),
        "steering": _steering(study),
        "timings": {key: entry.get("seconds") for key, entry in study.manifest["stages"].items()},
    }


def _recommender(study: Study) -> dict[str, Any]:
    found = study.recommender_metrics() if study.has("recommender") else {}
    names = ("split", "hr@10", "hr@10_ci95", "ndcg@10", "ndcg@10_ci95", "train_seconds")
    baselines = found.get("baselines", {"popularity": {}, "markov": {}})
    return {name: found.get(name) for name in names} | {
        "baselines": {n: {k: b.get(k) for k in ("hr@10", "ndcg@10")} for n, b in baselines.items()}
    }


def _sae(study: Study, name: str) -> dict[str, Any]:
    found = study.sae_metrics(name)
    if study.has("extras", name):
        found |= study.evidence_summary(name).get("sae", {})
    return {figure: found.get(figure) for figure in SAE_FIGURES}


def _evidence(study: Study) -> dict[str, Any]:
    found = study.evidence_summary() if study.has("evidence") else {}
    return {k: {f: found.get(k, {}).get(f) for f in EVIDENCE_FIGURES} for k in EVIDENCE_KINDS}


def _steering(study: Study) -> dict[str, Any]:
    found = study.steering_summary() if study.has("steering") else {}
    intervals = tuple(f"{f}_ci95" for f in STEERING_FIGURES[:2])
    return {m: {f: found.get(m, {}).get(f) for f in STEERING_FIGURES + intervals} for m in STEERING_METHODS}
