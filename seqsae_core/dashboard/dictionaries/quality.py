"""The recommender beside its baselines, as tables of text."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from seqsae_core.dashboard.widgets import fixed, interval, percent
from seqsae_core.figures.recommender import contenders
from seqsae_core.recommender.names import ACCURACY, LISTS

HOW_READ = (
    "Coverage: share of the catalogue that is in somebody's first ten. Gini: 0 where all items are shown as often, "
    "near 1 where a few are. Novelty: −log₂ of the recommended items' share of the training events, mean, in bits. "
    "Popularity: mean percentile of the recommended items in training popularity; the catalogue at large has 50 %. "
    "Diversity: 1 − mean Jaccard similarity of two users' lists. Accuracy has 95 % intervals over users; figures of "
    "lists are over all test users, without one."
)
SPLITS = {
    "leave-one-out": "each user's last item is the target",
    "global-temporal": "everybody's first item after one point in time is the target; only what came before it trains",
    "user-disjoint": "the last item of the latest users is the target; they train nothing",
}


def headline(metrics: Mapping[str, Any]) -> list[dict[str, str]]:
    """HR@10 and NDCG@10 with intervals, one row a recommender."""
    return [
        {"": name} | {label: _cell(row, label.lower()) for label in ("HR@10", "NDCG@10")}
        for name, row in contenders(metrics).items()
    ]


def everything(metrics: Mapping[str, Any]) -> pd.DataFrame:
    """Every figure of every recommender; a dash where a study of an earlier version has none."""
    rows = [
        {"": name}
        | {name.upper(): _cell(row, name) for name in ACCURACY}
        | {name.split("@")[0].capitalize(): _listed(row, name) for name in LISTS}
        for name, row in contenders(metrics).items()
    ]
    return pd.DataFrame(rows)


def tested(metrics: Mapping[str, Any]) -> str:
    """Whose targets the figures are over: the split, the test users, targets that training never met."""
    split, users, unseen = (metrics.get(name) for name in ("split", "users", "unseen_targets"))
    words = f"Split {split}: {SPLITS[split]}." if split in SPLITS else ""
    if users is not None and unseen is not None:
        words += f" {users:,} test users; {percent(unseen)} of their targets never occur in training."
    return words


def how_trained(metrics: Mapping[str, Any]) -> str:
    """What the training curve shows, and which of its passes are in the model."""
    log, plan = metrics["log"], metrics.get("plan")
    best = max(log, key=lambda row: row["ndcg@10"])["pass"]
    why = f" {plan['passes']:g} were planned: {plan['why']}." if plan else ""
    kept = f"The weights are those of pass {best}, the best on validation."
    return f"{len(log)} passes over the training events.{why} {kept}"


def how_imported(golden: Mapping[str, Any]) -> str:
    """That the model came from elsewhere, how it was checked, and what that leaves open."""
    return (
        f"The model was trained elsewhere. Its scores for {golden['histories']:,} histories were compared with the "
        f"library's own: they differ by at most {golden['largest_difference']:.1g}. Whether it was trained on the "
        "targets above is not known here; if it was, the figures flatter it."
    )


def _listed(row: Mapping[str, Any], name: str) -> str:
    return fixed(row.get(name), 2) if name in ("gini@10", "novelty@10") else percent(row.get(name))


def _cell(row: Mapping[str, Any], key: str) -> str:
    bounds = row.get(f"{key}_ci95")
    return fixed(row.get(key), 4) + (f" ({interval(bounds, 4)})" if bounds else "")
