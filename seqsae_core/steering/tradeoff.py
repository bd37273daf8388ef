"""Trade-off between lifting a concept and ranking quality, for every method on the same held-out users."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from seqsae_core.config import SteeringConfig
from seqsae_core.data.concepts import ConceptTable
from seqsae_core.data.sequences import Sequences as Histories
from seqsae_core.data.sequences import Split
from seqsae_core.recommender.batching import item_counts
from seqsae_core.recommender.protocol import SequenceModel
from seqsae_core.sae.activations import Activations
from seqsae_core.steering import outcomes, shelf
from seqsae_core.steering.algebra import beside_plain
from seqsae_core.steering.curves import (
    HeldOut,
    by_segment,
    hold_out,
    rows_of,
    steer,
    strengths_of,
    with_lowered,
    with_ours,
)
from seqsae_core.steering.designs import Landscape, survey
from seqsae_core.steering.directions import Dictionary, Direction, all_directions, lowering_direction
from seqsae_core.steering.edits import Edit
from seqsae_core.steering.evaluation import (
    Lists,
    Report,
    collect_contexts,
    fit_users,
    held_out_users,
    lists_under,
    score_spread,
    workers,
)
from seqsae_core.steering.labels import Known
from seqsae_core.steering.segments import COLUMNS as SEGMENT_COLUMNS
from seqsae_core.steering.shelf import Measured
from seqsae_core.steering.steerer import Steerer
from seqsae_core.steering.summary import OURS, Steered, quoted, summarise, suppression

SHARES = (0.01, 0.40)
SURVEYED = 1500
COLUMNS = [
    "concept", "method", "strength", "split", "users", "share", "lift", "lift_low", "lift_high", "ndcg", "ndcg_change",
    "ndcg_change_low", "ndcg_change_high", "hr", "coverage", "gini", "novelty", "diversity", "design", "latents",
    "weights",
]  # fmt: skip


class Tradeoff(NamedTuple):
    """Curves of every method; what is quoted; the curves of `latents` by segment; those that lower the concept."""

    table: pd.DataFrame
    summary: dict[str, Any]
    segments: pd.DataFrame
    lowered: pd.DataFrame


@dataclass(frozen=True)
class Bench:
    """What the curves of all concepts share."""

    held_out: HeldOut
    dictionary: Dictionary
    sequences: Histories
    split: Split
    landscape: Landscape
    spread: float
    fit: Activations
    select: Activations
    config: SteeringConfig
    seed: int
    few: Known | None
    kept: Path | None

    def measure(self, concept: int, name: str, labels: np.ndarray) -> Measured:
        """Every curve of one concept; measured once where there is a folder to keep it in."""
        folder = None if self.kept is None else self.kept / f"concept-{concept}"
        if folder is not None and (found := shelf.get(folder)) is not None:
            return found
        found = self._measured(concept, name, labels)
        if folder is not None:
            shelf.put(folder, found)
        return found

    def _measured(self, concept: int, name: str, labels: np.ndarray) -> Measured:
        known, visible = self.few.of(self.dictionary, concept, labels) if self.few else (self.dictionary, labels)
        found = all_directions(
            known, concept, visible, self.fit, self.select, self.landscape, self.config.latents_per_concept,
            self.spread, self.seed,
        )  # fmt: skip
        curves = with_ours(self._steer(found, name, labels, visible))
        down = [one for one in found if one.method in ("latents_by_gain", "rerank")]
        down.append(lowering_direction(known, visible, self.landscape))
        lowered = with_lowered(self._steer(down, name, labels, visible, -1.0))
        bare = [[(table, replace(one, found={})) for table, one in some] for some in (curves, lowered)]
        levels = np.concatenate([[0.0], strengths_of(self.config)])
        segments = by_segment(curves[0][1].found, levels, self.held_out, self.sequences, self.split, labels)
        return Measured(*bare, segments.assign(concept=name))

    def _steer(
        self, directions: Sequence[Direction], name: str, labels: np.ndarray, visible: np.ndarray, sign: float = 1.0
    ) -> list[tuple[pd.DataFrame, Steered]]:
        return [steer(self.held_out, one, name, labels, self.config, sign, visible) for one in directions]


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
    few: Known | None = None,
    kept: Path | None = None,
) -> Tradeoff:
    """Curves of every method and concept on both splits, and the figures that are quoted of each method.

    few: the methods get those labels only, and designs and strengths are chosen by them; shares on test users are
    measured with all of them. kept: a folder that belongs to this measurement alone; concepts that it holds from an
    interrupted one are not measured again.

    `dictionary.correlation` has a column for each concept of `concepts`. The tables are empty, and so is the summary,
    when no genre's unsteered share lies within SHARES.
    """
    held_out = hold_out(model, layer, sequences, split, config.users, seed, dictionary)
    chosen = choose_concepts(concepts, dictionary, held_out.plain["validation"], config.concepts)
    spread = score_spread(held_out.contexts["validation"])
    landscape = landscape_of(model, layer, sequences, split, config)
    bench = Bench(held_out, dictionary, sequences, split, landscape, spread, fit, select, config, seed, few, kept)
    names, found = [concepts.names[concept] for concept in chosen], []
    report(0.0, f"{len(chosen)} concepts")
    with workers() as pool:
        for one in pool.map(bench.measure, chosen, names, concepts.values[:, chosen].T):
            found.append(one)
            report(len(found) / len(chosen), f"{names[len(found) - 1]} ({len(found)} of {len(chosen)})")
    gathered = _gathered(found)
    if OURS in gathered.summary:
        gathered.summary[OURS]["usual_sureness"] = landscape.usual_sureness
    return gathered


def _gathered(found: Sequence[Measured]) -> Tradeoff:
    curves, lowered = ([pair for one in found for pair in one[n]] for n in (0, 1))
    summary = summarise([one for _, one in curves])
    for method, figures in suppression([one for _, one in lowered if one.method in (OURS, "rerank")]).items():
        summary[method]["suppression"] = figures
    if OURS in summary:
        ours = {table["concept"].iloc[0]: table["design"].iloc[0] for table, one in lowered if one.method == OURS}
        summary[OURS]["suppression"]["design"] = ours
    return Tradeoff(
        _joined([table for table, _ in curves], COLUMNS), summary,
        _joined([one.segments for one in found], SEGMENT_COLUMNS), _joined([table for table, _ in lowered], COLUMNS),
    )  # fmt: skip


def _joined(tables: Sequence[pd.DataFrame], columns: list[str]) -> pd.DataFrame:
    return pd.concat(tables, ignore_index=True)[columns] if tables else pd.DataFrame(columns=columns)


def landscape_of(
    model: SequenceModel, layer: int, sequences: Histories, split: Split, config: SteeringConfig
) -> Landscape:
    """The landscape of as many fit users as are held out of one role, SURVEYED at most, before validation targets."""
    users = fit_users(sequences, split, min(config.users, SURVEYED))
    return survey(collect_contexts(model, layer, sequences, users, split.valid_at[users]), config.position)


def choose_concepts(concepts: ConceptTable, dictionary: Dictionary, plain: Lists, count: int) -> list[int]:
    """The `count` genres of unsteered share within SHARES that have the best evidence (a latent's r, select users)."""
    genres = concepts.group("genre")
    shares = np.array([concepts.values[:, genre][plain.items[:, 0]].mean() for genre in genres])
    eligible = genres[(shares >= SHARES[0]) & (shares <= SHARES[1])] if len(genres) else genres
    evidence = dictionary.correlation[:, eligible].max(0, initial=0.0)
    order = np.argsort(-evidence, kind="stable")
    return [int(concept) for concept in eligible[order[evidence[order] > 0]][:count]]


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
    return rows_of(np.append(0.0, levels), found, lift, change).assign(**looks)


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
