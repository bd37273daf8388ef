"""Curves on request: of any edit, and of every rival for any concept, on the held-out users of the build's curves."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from seqsae_core.data.sequences import FIT, SELECT
from seqsae_core.sae import activations
from seqsae_core.steering.curves import HeldOut, by_segment, hold_out, read
from seqsae_core.steering.directions import Dictionary
from seqsae_core.steering.edits import TOWARDS, WHOLE, Edit
from seqsae_core.steering.evaluation import Contexts, Lists, lists_under, score_spread
from seqsae_core.steering.frontier import BUDGETS, choose, frontier_area
from seqsae_core.steering.labels import correlations
from seqsae_core.steering.steerer import Steerer
from seqsae_core.steering.summary import SUPPRESSED, quoted
from seqsae_core.steering.tradeoff import Bench, landscape_of

if TYPE_CHECKING:
    from seqsae_core.study import Study

EDITS = "edits"
STEPS = 16


@dataclass(frozen=True)
class Asked:
    """What one edit does over strengths, or one way to push a concept: table, a row a strength and split, as the
    trade-off table; area: `frontier_area` with `_ci95`; segments: its curve by how often users watch the concept."""

    table: pd.DataFrame
    area: dict[str, Any]
    segments: pd.DataFrame


def held_out_of(study: "Study", steerer: Steerer) -> HeldOut:
    """The held-out users of the default build's curves, with validation and with test targets."""
    sequences = study.sequences()
    split, config = study.split(sequences), study.config
    return hold_out(steerer.model, steerer.layer, sequences, split, config.steering.users, config.seed)


def strengths_for(edit: Edit, far: float) -> np.ndarray:
    """STEPS strengths for an edit, from weak to strong, towards the side that it is turned to.

    far: the end of its slider on that side. add and mass get those of the study's curves, geometric up to it; kinds
    that go to a level end with the whole way.
    """
    levels = np.geomspace(far / 160, far, STEPS)
    if edit.kind in TOWARDS:
        return np.append(levels[:-1], WHOLE)
    return -levels if edit.strength < 0 else levels


def edit_curve(
    study: "Study", steerer: Steerer, held_out: HeldOut, edits: Sequence[Edit], which: int,
    strengths: Sequence[float], concept: str, labels: np.ndarray,
) -> Asked:  # fmt: skip
    """The curve of edit number `which` over strengths, the others held, for item values (n_items + 1,).

    Figures are relative to no edit at all. Errors as in `Steerer.sweep`.
    """
    variants, levels = steerer.sweep(edits, which, strengths), np.concatenate([[0.0], strengths])

    def turned(split: str, contexts: Contexts) -> Lists:
        return lists_under(contexts, variants, steerer.position)

    table, found = read(held_out, turned, EDITS, concept, labels, levels)
    sequences = study.sequences()
    segments = by_segment(found.found, levels, held_out, sequences, study.split(sequences), labels)
    area = quoted("frontier_area", frontier_area(found.curve))
    return Asked(table.reset_index(drop=True), area, segments.assign(concept=concept))


def at_budgets(table: pd.DataFrame) -> pd.DataFrame:
    """The rows on test targets of the strengths that validation targets choose, with a column `rule`.

    table: both splits of one method on one concept, strength 0 first. Rules: each of BUDGETS, the largest lift within
    that loss of NDCG@10; `suppressed`, where there is one, the weakest strength with a share of at most SUPPRESSED ×.
    """
    valid, test = (table[table["split"] == split] for split in ("validation", "test"))
    lift, change = valid["lift"].to_numpy(), valid["ndcg_change"].to_numpy()
    places = {name: choose(lift[1:], change[1:], budget) + 1 for name, budget in BUDGETS.items()}
    below = np.flatnonzero(lift <= SUPPRESSED)
    places |= {"suppressed": below[0]} if len(below) else {}
    return test.iloc[list(places.values())].assign(rule=list(places))


def bench_of(study: "Study", steerer: Steerer, dictionary: str | None = None) -> Bench:
    """What rivals are measured with: activations of fit and select users, the landscape of the model's scores.

    Reads all their activations, so it takes seconds; one serves all concepts.
    """
    sequences, config = study.sequences(), study.config
    split, features = study.split(sequences), study.features("latents", dictionary).sort_values("feature")
    known = Dictionary.of_features(steerer.sae, features, np.zeros((len(features), 1)))
    fit, select = (
        activations.collect(steerer.model, sequences, split, split.users(role), steerer.layer).at_items()
        for role in (FIT, SELECT)
    )
    held_out = hold_out(steerer.model, steerer.layer, sequences, split, config.steering.users, config.seed, known)
    landscape = landscape_of(steerer.model, steerer.layer, sequences, split, config.steering)
    spread = score_spread(held_out.contexts["validation"])
    return Bench(
        held_out, known, sequences, split, landscape, spread, fit, select, config.steering, config.seed, None, None
    )


def rival_curves(bench: Bench, concept: str, labels: np.ndarray, lowering: bool = False) -> dict[str, Asked]:
    """Of every method its curve for item values (n_items + 1,), as the build measures its concepts.

    lowering: the curves at negative strengths, of the methods that lower a concept. Segments are those of `latents`.
    """
    codes = activations.encode_sparse(bench.dictionary.sae, bench.select.values)
    r = correlations(codes, labels[bench.select.item_at] > 0.5)
    own = replace(bench, dictionary=replace(bench.dictionary, correlation=np.nan_to_num(r)[:, None]))
    measured = own.measure(0, concept, labels)
    return {
        one.method: Asked(table, quoted("frontier_area", frontier_area(one.curve)), measured.segments)
        for table, one in (measured.lowered if lowering else measured.curves)
    }


