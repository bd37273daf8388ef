"""One concept of items, known to the study or not, measured on all latents at once and on the cheap rivals."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import gettempdir
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.sparse import csc_array

from seqsae_core.data.sequences import FIT, SCORE, SELECT
from seqsae_core.errors import UserError
from seqsae_core.interpret import alignment, contest, detection, evidence
from seqsae_core.interpret.alignment import ItemSums, dense, item_sums
from seqsae_core.interpret.cover import Codes, Cover, cover
from seqsae_core.interpret.rivals import Features
from seqsae_core.interpret.significance import permutation_test
from seqsae_core.interpret.tally import RidgeSums, Tally, sums_of, weighted_correlation
from seqsae_core.sae.activations import Activations, Spill, collect, encode_sparse

if TYPE_CHECKING:
    from seqsae_core.study import Study

BEST, ENOUGH_ITEMS, MET = 8, 5, 3
NOTHING: dict[str, Any] = {name: [] for name in ("r", "low", "high", "gap", "gap_low", "gap_high")}


@dataclass(frozen=True)
class Tallied:
    """One kind of feature and its sums: on select users at all items and at those of each half, on score users at all
    items and at those outside of each half."""

    features: Features
    select: Tally
    score: Tally


@dataclass(frozen=True)
class Bench:
    """What any concept is measured on; `kinds[0]` are the latents, whose codes stand beside.

    halves: random item masks (n_items + 1,); weights: two-way bootstrap of score positions; strata: popularity decile
    of each item; effects: direct effect of each latent on each item's score, (f, n_items); null: what the test of
    significance works on, the latents at each item once, in float32 and with the squares added up in one row.
    """

    kinds: tuple[Tallied, ...]
    null: ItemSums
    probe: RidgeSums
    select: Codes
    score: Codes
    values: np.ndarray
    halves: list[np.ndarray]
    weights: contest.Weights
    strata: np.ndarray
    effects: np.ndarray
    permutations: int
    seed: int

    @classmethod
    def from_study(cls, study: "Study", dictionary: str | None = None) -> "Bench":
        """One pass over all users' activations: the users, features, halves and draws are those of the evidence."""
        config, sequences, model, sae = study.config, study.sequences(), study.model(), study.sae(dictionary)
        split, table, layer = study.split(sequences), study.concepts(), study.layer(dictionary)
        spill = Spill(Path(gettempdir()), config.memory_gib * 2**30)
        fit, select, score = (
            collect(model, sequences, split, split.users(role), layer, spill=spill).at_items(spill)
            for role in (FIT, SELECT, SCORE)
        )
        kinds = evidence.default_features(sae, fit.values, config.seed)
        halves = alignment.random_halves(sequences.n_items, config.evidence.halves, config.seed)
        codes = [Codes(csc_array(encode_sparse(sae, a.values)), a.item_at) for a in (select, score)]
        tallied = tuple(_tallied(k, select, score, codes if k is kinds[0] else None, halves) for k in kinds)
        inside = [np.ones(sequences.n_items + 1, bool), *halves]
        return cls(
            kinds=tallied,
            null=_null_sums(tallied[0].score),
            probe=RidgeSums.of(fit, inside),
            select=codes[0],
            score=codes[1],
            values=score.values,
            halves=halves,
            weights=contest.Weights.draw(score, sequences.n_items, config.evidence.bootstrap, config.seed),
            strata=table.decile,
            effects=(sae.W_dec.detach() @ model.item_vectors().detach()[1:].T).numpy(),
            permutations=config.evidence.permutations,
            seed=config.seed,
        )

    @property
    def counts(self) -> tuple[np.ndarray, np.ndarray]:
        """Positions of each item among select and among score users, (n_items + 1,) each."""
        return self.kinds[0].select.counts, self.kinds[0].score.counts


@dataclass(frozen=True)
class Measured:
    """One concept: `kinds` has a row for each kind of feature with its best one, `latents` one for each of the best
    latents; items, met, positions: how many items have it, how many of these score users met, and how often; halves:
    how many halvings of the items could be measured; needed: the z of a latent that is significant for this concept at
    5 % over all latents, None where it has too few items for a null."""

    kinds: pd.DataFrame
    latents: pd.DataFrame
    cover: Cover
    items: int
    met: int
    positions: int
    halves: int
    needed: float | None


def measure(bench: Bench, concept: np.ndarray, free: bool = False) -> Measured:
    """Measure a concept, bool (n_items + 1,); definitions in docs/METHOD.md.

    free: its permutations are not kept within popularity deciles. Raises UserError, saying why, where no figure can
    be had: a concept of no item or of all, or one that held-out users never met.
    """
    _check(bench, concept)
    labels = concept.astype(np.float64)
    numbers = [i for i, half in enumerate(bench.halves) if _measurable(bench, labels, half)]
    sets, halves = [0, *(i + 1 for i in numbers)], [bench.halves[i] for i in numbers]
    r = [[kind.select.correlation(labels, number) for number in sets] for kind in bench.kinds]
    counts = bench.counts[1]
    tested = permutation_test(
        bench.null, labels.astype(np.float32)[:, None], bench.strata, np.array([free]), bench.permutations, bench.seed
    )
    needed = float(tested.threshold[0]) if np.isfinite(tested.threshold[0]) else None
    return Measured(
        kinds=_kinds(bench, labels, r, sets),
        latents=_best_latents(bench, labels, r[0], tested.z[:, 0] if needed is not None else None),
        cover=cover(bench.select, bench.score, labels, r[0], halves),
        items=int(labels[1:].sum()),
        met=int((counts[labels > 0] > 0).sum()),
        positions=int(counts @ labels),
        halves=len(numbers),
        needed=needed,
    )


def claims(bench: Bench, concept: np.ndarray, found: Cover, size: int) -> pd.DataFrame:
    """What the first `size` latents of a cover say of each item that held-out users met at least three times, those
    they claim first. As many are claimed as there are items with the concept among them, the largest predictions.

    Columns: item, positions, predicted (mean over the item's positions of the fitted concept value), has, claimed.
    """
    path, size = found.path, min(size, len(found.path))
    select, score = bench.kinds[0].select, bench.kinds[0].score
    counts, latents = select.counts + score.counts, path.latents[:size]
    items = np.flatnonzero(counts >= MET)
    mean = (select.total[:, latents] + score.total[:, latents])[items] / counts[items, None]
    predicted = mean @ path.coefficients[:size, size - 1] + path.intercepts[size - 1] if size else np.zeros(len(items))
    has = concept[items] > 0
    table = pd.DataFrame({"item": items, "positions": counts[items].astype(int), "predicted": predicted, "has": has})
    table = table.sort_values("predicted", ascending=False, kind="stable", ignore_index=True)
    return table.assign(claimed=(np.arange(len(table)) < has.sum()) & bool(size))


def _check(bench: Bench, concept: np.ndarray) -> None:
    """Raise UserError, saying why, for a concept of which no figure can be had."""
    items, all_items = int(concept[1:].sum()), len(concept) - 1
    if not items:
        raise UserError("No item has this concept, so there is nothing to measure.")
    if items == all_items:
        raise UserError("Every item has this concept, so there is nothing to tell apart.")
    for counts, work in zip(bench.counts, ("choose features on", "score them on"), strict=True):
        if not counts @ concept:
            raise UserError(
                f"None of its {items:,} items occurs in the histories of the held-out users that {work}: no figure "
                "can be had. Add items that are watched more."
            )
        if counts @ concept == counts.sum():
            raise UserError(f"The held-out users that {work} met nothing else, so there is nothing to tell apart.")


def _measurable(bench: Bench, labels: np.ndarray, half: np.ndarray) -> bool:
    """Whether select users met the concept, and items without it, in this half, and score users in the other one."""
    select, score = bench.counts
    inside, outside = (select * half) @ labels, (score * ~half) @ labels
    return bool(0 < inside < select @ half and 0 < outside < score @ ~half)


def _tallied(features: Features, select: Activations, score: Activations, codes: Sequence[Codes] | None,
             halves: list[np.ndarray]) -> Tallied:  # fmt: skip
    n_items = len(halves[0]) - 1
    if codes is None:
        sums = [item_sums(features, users, n_items) for users in (select, score)]
    else:
        sums = [sums_of(users.codes, users.item_at, n_items) for users in codes]
    everywhere = np.ones(n_items + 1, bool)
    inside = ([everywhere, *halves], [everywhere, *(~half for half in halves)])
    return Tallied(features, *(Tally.of(found, sets) for found, sets in zip(sums, inside, strict=True)))


def _null_sums(score: Tally) -> ItemSums:
    each = ItemSums(score.counts, score.total, score.total).per_item()
    return ItemSums(each.counts, each.total.astype(np.float32), each.square.sum(0, keepdims=True))


def _kinds(bench: Bench, labels: np.ndarray, r: list[list[np.ndarray]], sets: list[int]) -> pd.DataFrame:
    """The best feature of every kind and the probe: r on the same items and on new ones, two-way bootstrap intervals,
    and latents less each kind, paired. r: of each kind on select users at each of the sets of items, (f,) each."""
    chosen = [np.array([one.argmax() for one in found]) for found in r]
    columns = [_columns(bench, kind, best) for kind, best in zip(bench.kinds, chosen, strict=True)]
    columns.append(bench.values @ np.array([bench.probe.probe(labels, number) for number in sets]).T)
    by_set = [np.stack(found, 1) for found in zip(*(c.T for c in columns), strict=True)]
    everywhere, *outside = (np.ones(len(labels), bool), *(~bench.halves[number - 1] for number in sets[1:]))
    table = pd.DataFrame([
        {"kind": kind.features.kind, "feature": int(best[0]), "label": kind.features.labels[best[0]],
         "r_select": float(found[0][best[0]])}
        for kind, best, found in zip(bench.kinds, chosen, r, strict=True)
    ] + [{"kind": "probe", "feature": 0, "label": "Linear probe", "r_select": None}])  # fmt: skip
    same = _compared(bench, labels, by_set[:1], [everywhere])
    new = _compared(bench, labels, by_set[1:], outside)
    return table.assign(**same, **{f"{name}_new": values for name, values in new.items()})


def _columns(bench: Bench, kind: Tallied, wanted: np.ndarray) -> np.ndarray:
    """Activations of some features of a kind at score positions, (n, len(wanted))."""
    if kind is bench.kinds[0]:
        return dense(bench.score.codes[:, wanted])
    return kind.features.some(wanted).encode(bench.values)


def _compared(bench: Bench, labels: np.ndarray, columns: list[np.ndarray],
              inside: Sequence[np.ndarray]) -> dict[str, Any]:  # fmt: skip
    """r of each column, mean over the given sets of items, with intervals; and the first column less each.

    columns: (n, k) for each set of items; without any set, or with too few items for an interval, there is none.
    """
    y, drawn, point = labels[bench.score.item_at], [], []
    for a, items in zip(columns, inside, strict=True):
        keep = items[bench.score.item_at]
        point.append(weighted_correlation(np.ones((1, len(y)), np.float32), a, y, keep)[0])
        if (items & (labels > 0) & (bench.counts[1] > 0)).sum() >= ENOUGH_ITEMS:
            drawn.append(weighted_correlation(bench.weights.values, a, y, keep))
    if not point:
        return dict.fromkeys(NOTHING, np.nan)
    r = np.mean(point, axis=0)
    bounds = np.full((4, len(r)), np.nan)
    if len(drawn) == len(point):
        draws = np.mean(drawn, axis=0)
        bounds[:2] = np.percentile(draws, [2.5, 97.5], axis=0)
        bounds[2:] = np.percentile(draws[:, :1] - draws, [2.5, 97.5], axis=0)
    names = ("low", "high", "gap_low", "gap_high")
    return {"r": r, "gap": r[0] - r} | dict(zip(names, bounds, strict=True))


def _best_latents(bench: Bench, labels: np.ndarray, r: list[np.ndarray], z: np.ndarray | None) -> pd.DataFrame:
    """The latents with the largest r on select users, at most BEST, and each as a detector of the concept."""
    best = np.argsort(-r[0], kind="stable")[:BEST]
    best = best[r[0][best] > 0]
    codes, item_at, has = bench.score.codes[:, best], bench.score.item_at, labels > 0
    found = detection.detect(csc_array(codes), has[item_at][:, None])
    effect, effect_auc = detection.promoted(bench.effects[best], has[1:, None])
    compared = _compared(bench, labels, [dense(codes)], [np.ones(len(labels), bool)]) if len(best) else NOTHING
    chosen = [one.argmax() for one in r[1:]]
    return pd.DataFrame(
        {
            "feature": best,
            "r_select": r[0][best],
            "r": compared["r"],
            "low": compared["low"],
            "high": compared["high"],
            "z": np.nan if z is None else z[best],
            "chosen": [chosen.count(latent) for latent in best],
            **{name: values[:, 0] for name, values in vars(found).items()},
            "effect": effect[:, 0],
            "effect_auc": effect_auc[:, 0],
        }
    )
