"""The curve of one method on one concept, on the same held-out users for all, and the choice among designs."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
import torch

from seqsae_core.config import SteeringConfig
from seqsae_core.data.sequences import Sequences as Histories
from seqsae_core.data.sequences import Split
from seqsae_core.recommender.batching import item_counts
from seqsae_core.recommender.protocol import SequenceModel
from seqsae_core.steering import outcomes
from seqsae_core.steering.directions import DESIGNS, Dictionary, Direction
from seqsae_core.steering.edits import Edit
from seqsae_core.steering.evaluation import (
    Contexts,
    Lists,
    beside,
    collect_contexts,
    held_out_users,
    history_codes,
    lists_under,
    sureness_of,
)
from seqsae_core.steering.segments import cut_point, history_shares, segment_curves, segment_of
from seqsae_core.steering.summary import OURS, Steered
from seqsae_core.steering.sureness import factor
from seqsae_core.steering.taste import affinity

STRENGTHS = 16
SMALLEST_STRENGTH = 0.1


@dataclass(frozen=True)
class HeldOut:
    """The same held-out users twice, with validation and with test targets.

    plain: unsteered lists, one variant. weights: bootstrap weights (1 + draws, users), shared by both splits and all
    methods. counts: training events (n_items + 1,). What is by taste needs the dictionary and, of each split, mean
    codes of the histories, (users, latents); what is by sureness that of each split's plain lists, (users,).
    """

    contexts: dict[str, Contexts]
    plain: dict[str, Lists]
    weights: np.ndarray
    counts: np.ndarray
    dictionary: Dictionary | None = None
    codes: Mapping[str, torch.Tensor] = field(default_factory=dict)
    sureness: Mapping[str, torch.Tensor] = field(default_factory=dict)

    def factors(self, split: str, direction: Direction) -> torch.Tensor | None:
        """Each user's factor of a direction by taste or sureness, (users,); None for one that is the same for all."""
        if direction.usual_sureness is not None:
            return factor(self.sureness[split], direction.usual_sureness)
        if not direction.by_taste or not direction.latents:
            return None
        parts = tuple(zip(direction.latents, direction.weights, strict=True))
        units, usual = (torch.tensor(v, dtype=torch.float32) for v in (self.dictionary.units, self.dictionary.usual))
        return affinity(self.codes[split], Edit(parts, 1.0, by_taste=True), units, usual)


def strengths_of(config: SteeringConfig) -> np.ndarray:
    """The fixed strengths of every method, geometric from SMALLEST_STRENGTH to `max_strength`, (16,)."""
    return np.geomspace(SMALLEST_STRENGTH, config.max_strength, STRENGTHS)


def with_ours(curves: Iterable[tuple[pd.DataFrame, Steered]]) -> list[tuple[pd.DataFrame, Steered]]:
    """The curves with `latents` in front: the one of DESIGNS with the largest frontier area on validation targets."""
    curves = list(curves)
    table, best = max((c for c in curves if c[1].method in DESIGNS), key=lambda c: c[1].validated_area)
    return [(table.assign(method=OURS), replace(best, method=OURS)), *curves]


def with_lowered(curves: Sequence[tuple[pd.DataFrame, Steered]]) -> list[tuple[pd.DataFrame, Steered]]:
    """The curves of designs that lower a concept, `latents` in front: the one that costs least on validation."""
    table, best = min((c for c in curves if c[1].method != "rerank"), key=lambda c: c[1].lowering_cost)
    return [(table.assign(method=OURS), replace(best, method=OURS)), *curves]


def hold_out(
    model: SequenceModel,
    layer: int,
    sequences: Histories,
    split: Split,
    each: int,
    seed: int,
    dictionary: Dictionary | None = None,
) -> HeldOut:
    """Contexts of `each` select users and as many score users, how sure their plain lists are, and their tastes where a
    dictionary is given."""
    users = held_out_users(sequences, split, each)
    targets = {"validation": split.valid_at[users], "test": split.test_at[users]}
    contexts = {name: collect_contexts(model, layer, sequences, users, at) for name, at in targets.items()}
    codes = {}
    if dictionary is not None and dictionary.sae is not None:
        codes = {name: history_codes(one, dictionary.sae) for name, one in contexts.items()}
    plain = {name: lists_under(one, torch.zeros(1, model.width)) for name, one in contexts.items()}
    weights = outcomes.user_weights(len(users), seed)
    sure = {name: sureness_of(one) for name, one in contexts.items()}
    return HeldOut(contexts, plain, weights, item_counts(sequences, split), dictionary, codes, sure)


def steer(
    held_out: HeldOut,
    direction: Direction,
    concept: str,
    labels: np.ndarray,
    config: SteeringConfig,
    sign: float = 1.0,
    visible: np.ndarray | None = None,
) -> tuple[pd.DataFrame, Steered]:
    """Table rows, strength 0 first, and the bootstrap draws of one method on one concept; sign −1 to suppress it.

    visible: the labels that choices may hang on, which shares on validation targets are measured with; None = all.
    """
    levels = sign * np.concatenate([[0.0], strengths_of(config)])
    column = torch.tensor(levels[1:], dtype=torch.float32)[:, None]
    boosts = column * direction.boost if direction.boost.any() else None
    displacements = column * direction.displacement if boosts is None else direction.displacement[None]

    def turned(split: str, contexts: Contexts) -> Lists:
        return lists_under(contexts, displacements, config.position, boosts, held_out.factors(split, direction))

    table, found = read(held_out, turned, direction.method, concept, labels, levels, visible)
    return table.assign(**_made_of(direction, table)), found


def read(
    held_out: HeldOut,
    turned: Callable[[str, Contexts], Lists],
    method: str,
    concept: str,
    labels: np.ndarray,
    levels: np.ndarray,
    visible: np.ndarray | None = None,
) -> tuple[pd.DataFrame, Steered]:
    """Table rows and bootstrap draws of what `turned` gives, for each split, at all levels but the first, 0."""
    rows, lifts, changes, users = [], {}, {}, {}
    for name, contexts in held_out.contexts.items():
        lists = beside(held_out.plain[name], turned(name, contexts))
        users[name] = found = outcomes.outcome(lists, labels if name == "test" or visible is None else visible)
        lifts[name] = outcomes.lifts(held_out.weights, found.share)
        changes[name] = outcomes.relative_changes(held_out.weights, found.ndcg)
        table = rows_of(levels, found, lifts[name], changes[name]).assign(**outcomes.looks(lists, held_out.counts))
        rows.append(table.assign(concept=concept, method=method, design=method, split=name))
    return pd.concat(rows), Steered(method, concept, lifts, changes, users)


def by_segment(
    found: Mapping[str, outcomes.Outcome], levels: np.ndarray, held_out: HeldOut, sequences: Histories, split: Split,
    labels: np.ndarray,
) -> pd.DataFrame:  # fmt: skip
    """The same outcomes, of each split at the levels, 0 first, apart by how often users watch what is labelled."""
    users = held_out.contexts["validation"].users
    cut = cut_point(sequences, split, labels)
    own = segment_of(history_shares(sequences, users, split.valid_at[users], labels), cut)
    return segment_curves(found, levels, held_out.weights, own, cut)


def rows_of(levels: np.ndarray, found: outcomes.Outcome, lift: np.ndarray, change: np.ndarray) -> pd.DataFrame:
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


