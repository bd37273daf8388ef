"""Trade-off between lifting a concept and ranking quality, for every method on the same held-out users."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import torch

from seqsae_core.config import SteeringConfig
from seqsae_core.data.concepts import ConceptTable
from seqsae_core.data.sequences import Sequences as Histories
from seqsae_core.data.sequences import Split
from seqsae_core.recommender.batching import item_counts
from seqsae_core.recommender.protocol import SequenceModel
from seqsae_core.sae.activations import Activations
from seqsae_core.steering import outcomes
from seqsae_core.steering.algebra import beside_plain
from seqsae_core.steering.designs import Landscape, survey
from seqsae_core.steering.directions import DESIGNS, Dictionary, Direction, all_directions
from seqsae_core.steering.edits import Edit
from seqsae_core.steering.evaluation import (
    Contexts,
    Lists,
    Report,
    collect_contexts,
    fit_users,
    held_out_users,
    lists_under,
    score_spread,
    workers,
)
from seqsae_core.steering.labels import FewLabels
from seqsae_core.steering.steerer import Steerer
from seqsae_core.steering.summary import OURS, Steered, quoted, summarise, suppression

STRENGTHS = 16
SMALLEST_STRENGTH = 0.1
SHARES = (0.01, 0.40)
COLUMNS = [
    "concept", "method", "strength", "split", "users", "share", "lift", "lift_low", "lift_high", "ndcg", "ndcg_change",
    "ndcg_change_low", "ndcg_change_high", "hr", "coverage", "gini", "novelty", "diversity", "design", "latents",
    "weights",
]  # fmt: skip


@dataclass(frozen=True)
class HeldOut:
    """The same held-out users twice, with validation and with test targets.

    weights: bootstrap weights (1 + draws, users), shared by both splits and all methods. counts: training events
    (n_items + 1,).
    """

    contexts: dict[str, Contexts]
    weights: np.ndarray
    counts: np.ndarray


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
    few: FewLabels | None = None,
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Curves of every method and concept on both splits, and the figures that are quoted of each method.

    few: the methods get those labels only, and shares are measured with all of them.

    `dictionary.correlation` has a column for each concept of `concepts`. The table is empty, and so is the summary,
    when no genre's unsteered share lies within SHARES.
    """
    held_out = hold_out(model, layer, sequences, split, config.users, seed)
    validation = held_out.contexts["validation"]
    plain = lists_under(validation, torch.zeros(1, model.width))
    chosen = choose_concepts(concepts, dictionary, plain, config.concepts)
    spread, landscape = score_spread(validation), landscape_of(model, layer, sequences, split, config)
    tables, steered, lowered = [], [], []
    with workers() as pool:
        for place, concept in enumerate(chosen):
            name, labels = concepts.names[concept], concepts.values[:, concept]
            report(place / len(chosen), f"{name} ({place + 1} of {len(chosen)})")
            count = config.latents_per_concept
            known, known_labels = few.of(dictionary, concept, labels) if few else (dictionary, labels)
            found = all_directions(known, concept, known_labels, fit, select, landscape, count, spread, seed)
            curves = with_ours(pool.map(lambda d, n=name, y=labels: steer(held_out, d, n, y, config), found))
            ours = replace(found[[d.method for d in found].index(curves[0][0]["design"].iloc[0])], method=OURS)
            both = [ours, *(d for d in found if d.method == "rerank")]
            low = pool.map(lambda d, n=name, y=labels: steer(held_out, d, n, y, config, -1.0), both)
            lowered += [one for _, one in low]
            tables += [table for table, _ in curves]
            steered += [one for _, one in curves]
    table = pd.concat(tables, ignore_index=True)[COLUMNS] if tables else pd.DataFrame(columns=COLUMNS)
    summary = summarise(steered)
    for method, figures in suppression(lowered).items():
        summary[method]["suppression"] = figures
    return table, summary


def with_ours(curves: Iterable[tuple[pd.DataFrame, Steered]]) -> list[tuple[pd.DataFrame, Steered]]:
    """The curves with `latents` in front: the one of DESIGNS with the largest frontier area on validation targets."""
    curves = list(curves)
    table, best = max((c for c in curves if c[1].method in DESIGNS), key=lambda c: c[1].validated_area)
    return [(table.assign(method=OURS), replace(best, method=OURS)), *curves]


def hold_out(
    model: SequenceModel, layer: int, sequences: Histories, split: Split, each: int, seed: int
) -> HeldOut:
    """Contexts of `each` select users and as many score users."""
    users = held_out_users(sequences, split, each)
    targets = {"validation": split.valid_at[users], "test": split.test_at[users]}
    contexts = {name: collect_contexts(model, layer, sequences, users, at) for name, at in targets.items()}
    return HeldOut(contexts, outcomes.user_weights(len(users), seed), item_counts(sequences, split))


def landscape_of(
    model: SequenceModel, layer: int, sequences: Histories, split: Split, config: SteeringConfig
) -> Landscape:
    """The landscape of as many fit users as are held out of one role, before their validation targets."""
    users = fit_users(sequences, split, config.users)
    return survey(collect_contexts(model, layer, sequences, users, split.valid_at[users]), config.position)


def choose_concepts(concepts: ConceptTable, dictionary: Dictionary, plain: Lists, count: int) -> list[int]:
    """The `count` genres of unsteered share within SHARES that have the best evidence (a latent's r, select users)."""
    genres = concepts.group("genre")
    shares = np.array([concepts.values[:, genre][plain.items[:, 0]].mean() for genre in genres])
    eligible = genres[(shares >= SHARES[0]) & (shares <= SHARES[1])] if len(genres) else genres
    evidence = dictionary.correlation[:, eligible].max(0, initial=0.0)
    order = np.argsort(-evidence, kind="stable")
    return [int(concept) for concept in eligible[order[evidence[order] > 0]][:count]]


def steer(
    held_out: HeldOut, direction: Direction, concept: str, labels: np.ndarray, config: SteeringConfig, sign: float = 1.0
) -> tuple[pd.DataFrame, Steered]:
    """Table rows, strength 0 first, and the bootstrap draws of one method on one concept; sign −1 to suppress it."""
    levels = sign * np.concatenate([[0.0], strengths_of(config)])
    column = torch.tensor(levels, dtype=torch.float32)[:, None]
    boosts = column * direction.boost if direction.boost.any() else None
    displacements = column * direction.displacement if boosts is None else direction.displacement[None]
    rows, lifts, changes = [], {}, {}
    for name, contexts in held_out.contexts.items():
        lists = lists_under(contexts, displacements, config.position, boosts)
        found = outcomes.outcome(lists, labels)
        lifts[name] = outcomes.lifts(held_out.weights, found.share)
        changes[name] = outcomes.relative_changes(held_out.weights, found.ndcg)
        table = _rows(levels, found, lifts[name], changes[name]).assign(**outcomes.looks(lists, held_out.counts))
        told = {"concept": concept, "method": direction.method, "design": direction.method, "split": name}
        rows.append(table.assign(**told, **_made_of(direction, table)))
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


def curve_of(
    steerer: Steerer,
    edits: Sequence[Edit],
    concept_values: np.ndarray,
    sequences: Histories,
    split: Split,
    users: int = 500,
    which: int = 0,
    strengths: Sequence[float] | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    """The curve of edits of any kind, edit number `which` at each strength, the others held; validation targets.

    A row a strength, nothing edited in front at strength 0: the columns of the trade-off table from `strength` to
    `diversity` without `split`. strengths: those of the study's curves where None. Errors as in `Steerer.sweep`.
    """
    levels = np.asarray(strengths_of(SteeringConfig()) if strengths is None else strengths, float)
    who = held_out_users(sequences, split, -(-users // 2))
    contexts = collect_contexts(steerer.model, steerer.layer, sequences, who, split.valid_at[who])
    variants = beside_plain(steerer.sweep(edits, which, levels))
    lists, weights = lists_under(contexts, variants, steerer.position), outcomes.user_weights(len(who), seed)
    found = outcomes.outcome(lists, concept_values)
    lift, change = outcomes.lifts(weights, found.share), outcomes.relative_changes(weights, found.ndcg)
    looks = outcomes.looks(lists, item_counts(sequences, split))
    return _rows(np.append(0.0, levels), found, lift, change).assign(**looks)


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
    return figures | quoted("lift", lift[:, 1]) | quoted("ndcg_change", change[:, 1])
