"""A study's summary: what it is, how good its recommender and dictionary are, and whether latents beat neurons."""

from xml.etree import ElementTree as ET

import pandas as pd

from seqsae_core.reports import svg
from seqsae_core.reports.page import document, interval, node, number, table
from seqsae_core.study import Study

KINDS = {"latents": svg.LATENTS, "neurons": "#c98613"}
MEASURES = {
    "Same items, new users": ("mean_max_correlation", "ci95"),
    "New items, new users": ("mean_max_correlation_new_items", "ci95_new_items"),
}
BEST = 30
STEERED = ("share_lift_at_1pct", "share_lift_at_5pct", "frontier_area")
FIDELITY = ("explained_variance", "l0", "dead_fraction", "ce_recovered", "ndcg_change", "rbo@10")


def study_summary(study: Study, dictionary: str, rows: pd.DataFrame) -> str:
    """One HTML page. rows: the latents under the names that hold. Raises UserError where a stage is missing."""
    sizes = study.manifest.get("sizes", {})
    counts = ", ".join(f"{sizes.get(name, 0):,} {name}" for name in ("users", "items", "interactions"))
    parts = [
        node("h1", f"Study {study.name}"),
        node("p", f"{counts}. Split {study.config.data.split}, preset {study.config.preset}, seed {study.config.seed}; "
             f"dictionary {dictionary}, model {study.model_fingerprint()}."),
        *_contest(study, dictionary), *_recommender(study), *_dictionary(study, dictionary),
        *_steering(study, dictionary), *_latents(rows), *_costs(study),
        node("p", "What each figure means is in the documentation's METHOD.", class_="note"),
    ]  # fmt: skip
    return document(f"Study {study.name}", *parts)


def _contest(study: Study, dictionary: str) -> list[ET.Element]:
    found, parts = study.evidence_summary(dictionary), [node("h2", "Do latents name concepts better than neurons?")]
    for words, (figure, ci) in MEASURES.items():
        kinds = [kind for kind, values in found.items() if isinstance(values, dict) and values.get(figure) is not None]
        rows = [
            svg.Dot(kind.replace("_", " "), found[kind][figure], *(found[kind].get(ci) or (None, None)),
                    KINDS.get(kind, svg.GREY))
            for kind in kinds
        ]  # fmt: skip
        parts += [node("h3", words), svg.dots(rows, "mean best correlation (r)")]
    gaps = found.get("difference", {}).get("latents_minus_neurons", {})
    told = [
        (words, number(gap.get("mean"), "+.3f") + interval(gap.get("ci95"), "+.3f"))
        for words, gap in ((key.replace("_", " "), gaps.get(key) or {}) for key in ("same_items", "new_items"))
    ]
    return [*parts, table(("Latents − neurons", "Difference"), told)]


def _recommender(study: Study) -> list[ET.Element]:
    metrics = study.recommender_metrics()
    rivals = {"This model": metrics} | {k.replace("_", " "): v for k, v in metrics.get("baselines", {}).items()}
    rows = [
        (name, *(number(row.get(f), ".4f") + interval(row.get(f"{f}_ci95"), ".4f") for f in ("hr@10", "ndcg@10")))
        for name, row in rivals.items()
    ]
    return [node("h2", "The recommender"), table(("", "HR@10", "NDCG@10"), rows)]


def _dictionary(study: Study, dictionary: str) -> list[ET.Element]:
    found = study.sae_metrics(dictionary)
    told = {name: number(found.get(name)) + interval(found.get(f"{name}_ci95")) for name in FIDELITY}
    rows = [(name.replace("_", " "), text) for name, text in told.items()]
    return [node("h2", "The dictionary"), table(("", ""), rows)]


def _steering(study: Study, dictionary: str) -> list[ET.Element]:
    if not study.has("steering", dictionary):
        return []
    found = study.steering_summary(dictionary)
    rows = [
        (method.replace("_", " "), *(number(v.get(f), ".2f") + interval(v.get(f"{f}_ci95"), ".2f") for f in STEERED))
        for method, v in found.items()
        if isinstance(v, dict) and any(f in v for f in STEERED)
    ]
    head = ("Method", "Lift at 1 % loss", "Lift at 5 % loss", "Frontier area")
    return [node("h2", "Steering"), table(head, rows)]


def _latents(rows: pd.DataFrame) -> list[ET.Element]:
    best = rows[rows["significant"]].sort_values("z", ascending=False, kind="stable").head(BEST)
    columns = ["feature", "name", "top_concept", "correlation", "density"]
    told = [(f, n, c, number(r), number(d, ".2%")) for f, n, c, r, d in best[columns].itertuples(index=False)]
    head = ("Latent", "Name", "Top concept", "r", "Density")
    return [node("h2", f"The {len(told)} best-evidenced latents"), table(head, told)]


def _costs(study: Study) -> list[ET.Element]:
    rows = [(key, number(entry.get("seconds"), ",.1f")) for key, entry in study.manifest["stages"].items()]
    versions = ", ".join(f"{name} {version}" for name, version in study.manifest.get("versions", {}).items())
    return [node("h2", "What it cost to build"), table(("Stage", "Seconds"), rows), node("p", versions, class_="note")]
