"""Trade-off between lifting a concept and ranking quality, for every method on the same held-out users."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch

from seqsae_core.config import SteeringConfig
from seqsae_core.data.concepts import ConceptTable
from seqsae_core.data.sequences import Sequences as Histories
from seqsae_core.data.sequences import Split
from seqsae_core.recommender.protocol import SequenceModel
from seqsae_core.sae.activations import Activations
from seqsae_core.steering import outcomes
from seqsae_core.steering.algebra import beside_plain
from seqsae_core.steering.directions import Dictionary, Direction, all_directions
from seqsae_core.steering.edits import Edit
from seqsae_core.steering.evaluation import (
    Contexts,
    Lists,
    Report,
    collect_contexts,
    held_out_users,
    lists_under,
    score_spread,
    workers,
)
from seqsae_core.steering.frontier import BUDGETS, Curve, choose, frontier_area, geometric_mean, lift_at
from seqsae_core.steering.steerer import Steerer

STRENGTHS = 16
SMALLEST_STRENGTH = 0.1
SHARES = (0.01, 0.40)
COLUMNS = [
    "concept", "method", "strength", "split", "users", "share", "lift", "lift_low", "lift_high", "ndcg", "ndcg_change",
    "ndcg_change_low", "ndcg_change_high", "hr", "coverage", "latents", "weights",
]  # fmt: skip


@dataclass(frozen=True)
class HeldOut:
    """The same held-out users twice, with validation and with test targets.

    weights: bootstrap weights (1 + draws, users), shared by both splits and all methods.
    """

    contexts: dict[str, Contexts]
    weights: np.ndarray


@dataclass(frozen=True)
class Steered:
    """One method on one concept: for each split, lifts and NDCG changes (1 + draws, 1 + strengths), 0 first."""

    method: str
    concept: str
    lifts: dict[str, np.ndarray]
    changes: dict[str, np.ndarray]


def strengths_of(config: SteeringConfig) -> np.ndarray:
    """The fixed strengths of every method, geometric from SMALLEST_STRENGTH to `max_strength`, (16,)."""
    return np.geomspace(SMALLEST_STRENGTH, config.max_strength, STRENGTHS)


def run_tradeoff(
    model: SequenceModel,
    layer: int,
    dictionary: Dictionary,
    sequences: Histories,
    split: Split,
    concepts: ConceptTable,
    fit: Activations,
    select: Activations,
    config: SteeringConfig,
    seed: int,
    report: Report,
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Curves of every method and concept on both splits, and the figures that are quoted of each method.

    `dictionary.correlation` has a column for each concept of `concepts`. The table is empty, and so is the summary,
    when no genre's unsteered share lies within SHARES.
    """
    held_out = hold_out(model, layer, sequences, split, config.users, seed)
    validation = held_out.contexts["validation"]
    plain = lists_under(validation, torch.zeros(1, model.width))
    chosen = choose_concepts(concepts, dictionary, plain, config.concepts)
    spread = score_spread(validation)
    tables, steered = [], []
    with workers() as pool:
        for place, concept in enumerate(chosen):
            name, labels = concepts.names[concept], concepts.values[:, concept]
            report(place / len(chosen), f"{name} ({place + 1} of {len(chosen)})")
            count = config.latents_per_concept
            found = all_directions(dictionary, concept, labels, fit, select, count, spread, seed)
            for table, one in pool.map(lambda d, n=name, y=labels: steer(held_out, d, n, y, config), found):
                tables.append(table)
                steered.append(one)
    table = pd.concat(tables, ignore_index=True)[COLUMNS] if tables else pd.DataFrame(columns=COLUMNS)
    return table, summarise(steered)


def hold_out(
    model: SequenceModel, layer: int, sequences: Histories, split: Split, each: int, seed: int
) -> HeldOut:
    """Contexts of `each` select users and as many score users."""
    users = held_out_users(sequences, split, each)
    targets = {"validation": split.valid_at[users], "test": split.test_at[users]}
    contexts = {name: collect_contexts(model, layer, sequences, users, at) for name, at in targets.items()}
    return HeldOut(contexts, outcomes.user_weights(len(users), seed))


def choose_concepts(concepts: ConceptTable, dictionary: Dictionary, plain: Lists, count: int) -> list[int]:
    """The `count` genres of unsteered share within SHARES that have the best evidence (a latent's r, select users)."""
    genres = concepts.group("genre")
    shares = np.array([concepts.values[:, genre][plain.items[:, 0]].mean() for genre in genres])
    eligible = genres[(shares >= SHARES[0]) & (shares <= SHARES[1])] if len(genres) else genres
    evidence = dictionary.correlation[:, eligible].max(0, initial=0.0)
    order = np.argsort(-evidence, kind="stable")
    return [int(concept) for concept in eligible[order[evidence[order] > 0]][:count]]


def steer(
    held_out: HeldOut, direction: Direction, concept: str, labels: np.ndarray, config: SteeringConfig
) -> tuple[pd.DataFrame, Steered]:
    """Table rows, strength 0 first, and the bootstrap draws of one method on one concept."""
    levels = np.concatenate([[0.0], strengths_of(config)])
    column = torch.tensor(levels, dtype=torch.float32)[:, None]
    boosts = column * direction.boost if direction.boost.any() else None
    displacements = column * direction.displacement if boosts is None else direction.displacement[None]
    rows, lifts, changes = [], {}, {}
    for name, contexts in held_out.contexts.items():
        lists = lists_under(contexts, displacements, config.position, boosts)
        found = outcomes.outcome(lists, labels)
        lifts[name] = outcomes.lifts(held_out.weights, found.share)
        changes[name] = outcomes.relative_changes(held_out.weights, found.ndcg)
        table = _rows(levels, found, lifts[name], changes[name])
        rows.append(
            table.assign(concept=concept, method=direction.method, split=name, **_made_of(direction, table))
        )
    return pd.concat(rows), Steered(direction.method, concept, lifts, changes)


def _rows(levels: np.ndarray, found: outcomes.Outcome, lift: np.ndarray, change: np.ndarray) -> pd.DataFrame:
    """One row a strength, with figures and their intervals."""
    (lift_low, lift_high), (change_low, change_high) = outcomes.interval(lift), outcomes.interval(change)
    return pd.DataFrame(
        {
            "strength": levels,
            "users": len(found.share),
            "share": found.share.mean(0),
            "lift": lift[0],
            "lift_low": lift_low,
            "lift_high": lift_high,
            "ndcg": found.ndcg.mean(0),
            "ndcg_change": change[0],
            "ndcg_change_low": change_low,
            "ndcg_change_high": change_high,
            "hr": found.hr.mean(0),
            "coverage": found.coverage,
        }
    )


def _made_of(direction: Direction, table: pd.DataFrame) -> dict[str, list[np.ndarray]]:
    latents, weights = np.array(direction.latents, np.int32), np.array(direction.weights, np.float32)
    return {"latents": [latents] * len(table), "weights": [weights] * len(table)}


def summarise(steered: Sequence[Steered]) -> dict[str, Any]:
    """The quoted figures of each method: means over its concepts, with intervals over users.

    The strength is chosen on validation targets and then held while test users are drawn again.
    """
    return {
        method: _summarise_method([one for one in steered if one.method == method])
        for method in dict.fromkeys(one.method for one in steered)
    }


def _summarise_method(steered: Sequence[Steered]) -> dict[str, Any]:
    curves = [
        Curve(one.lifts["validation"][0, 1:], one.changes["validation"][0, 1:], one.lifts["test"][:, 1:])
        for one in steered
    ]
    figures: dict[str, Any] = {}
    for name, budget in BUDGETS.items():
        chosen = [choose(curve.valid_lift, curve.valid_change, budget) for curve in curves]
        lift = geometric_mean([lift_at(curve, at) for curve, at in zip(curves, chosen, strict=True)])
        change = np.mean(
            [one.changes["test"][:, at + 1] for one, at in zip(steered, chosen, strict=True)], axis=0
        )
        figures |= _quoted(f"share_lift_at_{name}", lift) | _quoted(f"ndcg_change_at_{name}", change)
    figures |= _quoted("frontier_area", geometric_mean([frontier_area(curve) for curve in curves]))
    return figures | {"concepts": [one.concept for one in steered]}


def _quoted(name: str, drawn: np.ndarray) -> dict[str, Any]:
    low, high = outcomes.interval(drawn)
    return {name: float(drawn[0]), f"{name}_ci95": [float(low), float(high)]}


def measure_edits(
    steerer: Steerer,
    edits: Sequence[Edit],
    concept_values: np.ndarray,
    sequences: Histories,
    split: Split,
    users: int = 1000,
    seed: int = 0,
) -> dict[str, Any]:
    """What edits do to a concept's share, item values (n_items + 1,), and to NDCG@10, for `users` held-out users.

    Read on validation targets, because whoever looks may go on adjusting; test targets are for figures that are quoted.
    Keys: users, share_before, share, lift, ndcg_before, ndcg, ndcg_change, and `_ci95` of lift and ndcg_change.
    """
    who = held_out_users(sequences, split, -(-users // 2))
    contexts = collect_contexts(steerer.model, steerer.layer, sequences, who, split.valid_at[who])
    variants = beside_plain(steerer.variants(edits))
    found = outcomes.outcome(lists_under(contexts, variants, steerer.position), concept_values)
    weights = outcomes.user_weights(len(who), seed)
    lift, change = outcomes.lifts(weights, found.share), outcomes.relative_changes(weights, found.ndcg)
    figures: dict[str, Any] = {"users": len(who)}
    for name, values in (("share", found.share), ("ndcg", found.ndcg)):
        figures |= {f"{name}_before": float(values[:, 0].mean()), name: float(values[:, 1].mean())}
    return figures | _quoted("lift", lift[:, 1]) | _quoted("ndcg_change", change[:, 1])
