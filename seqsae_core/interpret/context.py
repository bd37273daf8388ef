"""What a feature says beyond the item: where in a history it fires, when, and after what.

A latent that fires on one film says much about whoever watches that film, so context is measured *within items*: the
activation's deviation from that item's mean against the concept's deviation from that item's mean.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from seqsae_core.data.concepts import ConceptTable
from seqsae_core.data.sequences import Sequences
from seqsae_core.interpret.alignment import ItemSums, dense
from seqsae_core.interpret.rivals import Features
from seqsae_core.sae.activations import Activations

DAY = 86400
YEAR = 365.2425 * DAY
MIN_USERS = 10
FLIPS = 500


@dataclass(frozen=True)
class ContextTable:
    """values: float32 (n, c) at positions; one name and one group a column."""

    names: tuple[str, ...]
    groups: tuple[str, ...]
    values: np.ndarray


def context_concepts(
    at: Activations, sequences: Sequences, concepts: ConceptTable, year: np.ndarray, genres: np.ndarray
) -> ContextTable:
    """Place in the history, its length, time since the event before, age of the item, repetition, likeness to the item
    before, and the share of each genre so far. What is the same at all positions is left out.

    year: release of each item (n_items + 1,), NaN where unknown; genres: columns of `concepts` to take the share of.
    """
    event = sequences.offsets[at.user_at] + at.event_at
    before = np.where(at.event_at > 0, event - 1, -1)
    found: dict[tuple[str, str], np.ndarray] = {
        ("history", "later in the history"): np.log1p(at.event_at),
        ("history", "longer history"): np.log1p(sequences.lengths[at.user_at]),
        ("history", "watched before"): _repeated(sequences)[event],
    }
    found |= _times(at, event, before, sequences, year)
    values = concepts.values[:, genres]
    here, last = values[at.item_at], values[np.where(before >= 0, sequences.items[before], 0)]
    found["history", "shares a genre with the item before"] = ((here * last).sum(1) > 0).astype(float)
    for column, share in zip(genres, _shares(values, sequences, event, at).T, strict=True):
        found["taste", f"more {concepts.names[column]} so far"] = share
    kept = {name: value for name, value in found.items() if len(value) and np.ptp(value) > 0}
    groups, names = zip(*kept, strict=True) if kept else ((), ())
    columns = np.column_stack(list(kept.values())) if kept else np.empty((len(event), 0))
    return ContextTable(names, groups, columns.astype(np.float32))


def _times(
    at: Activations, event: np.ndarray, before: np.ndarray, sequences: Sequences, year: np.ndarray
) -> dict[tuple[str, str], np.ndarray]:
    """What needs timestamps, seconds since 1970."""
    if sequences.times is None:
        return {}
    now = sequences.times[event].astype(np.float64)
    since = np.where(before >= 0, now - sequences.times[before], 0.0)
    age = 1970 + now / YEAR - year[at.item_at]
    return {
        ("time", "longer since the event before"): np.log1p(since.clip(min=0) / DAY),
        ("time", "later date"): now,
        ("time", "within a year of release"): (age < 2).astype(float),
    }


def _repeated(sequences: Sequences) -> np.ndarray:
    """Whether the same user had the item before, at every event."""
    user = np.repeat(np.arange(len(sequences)), sequences.lengths)
    return pd.DataFrame({"user": user, "item": sequences.items}).duplicated().to_numpy(float)


def _shares(values: np.ndarray, sequences: Sequences, event: np.ndarray, at: Activations) -> np.ndarray:
    """Share of each genre among the user's earlier events, (n, g); 0 at the first one."""
    total = np.vstack([np.zeros((1, values.shape[1])), np.cumsum(values[sequences.items], axis=0, dtype=np.float64)])
    earlier = total[event] - total[sequences.offsets[at.user_at]]
    return earlier / np.maximum(at.event_at, 1)[:, None]


def measure_context(
    features: Features, at: Activations, sums: ItemSums, table: ContextTable, seed: int
) -> pd.DataFrame:
    """One row for each feature × concept: r over all positions, r within items, z, and whether |z| is significant.

    z = Σ_u s_u / √Σ_u s_u² with s_u the sum over a user's positions of (a − item's mean a)·(y − item's mean y): a
    score test clustered by user. Significant at 5 % over all features × concepts of the kind: |z| above the 95th
    percentile of its maximum under random signs of whole users (wild bootstrap; Cameron, Gelbach & Miller, 2008).
    Features that fire for fewer than ten users, or never differ within an item, do not compete (z = 0). sums: of
    `features` at the items of `at`.
    """
    within = _Within.of(features.encode(at.values), at, sums)
    signs = np.random.default_rng(seed).choice(np.array([-1, 1], np.float32), (FLIPS, within.users))
    highest, parts = np.zeros(FLIPS, np.float32), []
    columns = zip(table.names, table.groups, table.values.T, _pearson(within.a, table.values).T, strict=True)
    for name, group, y, r in columns:
        by_user, left = within.by_user(y)
        norm = np.where(within.varies & (left > 1e-4 * np.linalg.norm(y)), np.linalg.norm(by_user, axis=0), 0)
        by_user *= _ratio(np.ones_like(norm), norm)
        z = by_user.sum(0, dtype=np.float64)
        highest = np.maximum(highest, np.abs(signs @ by_user).max(1, initial=0))
        r_within = _ratio(z * norm, within.spread * left)
        parts.append(pd.DataFrame({"concept": name, "group": group, "r": r, "r_within": r_within, "z": z}))
    return _judged(parts, features, float(np.quantile(highest, 0.95)))


@dataclass(frozen=True)
class _Within:
    """Activations a (n, f) and what is left of them within items. mean: (n_items + 1, f); spread: (f,), the norm of a −
    mean; varies: bool (f,)."""

    a: np.ndarray | csr_array
    user: np.ndarray
    item: np.ndarray
    counts: np.ndarray
    mean: np.ndarray | csr_array
    spread: np.ndarray
    varies: np.ndarray
    users: int

    @classmethod
    def of(cls, a: np.ndarray | csr_array, at: Activations, sums: ItemSums) -> "_Within":
        users, user = np.unique(at.user_at, return_inverse=True)
        counts = sums.counts.clip(min=1)[:, None]
        mean = (sums.total / counts).astype(np.float32)
        spread = np.sqrt((sums.square - sums.total**2 / counts).sum(0).clip(min=0))
        fires = dense(_sums_by(user, len(users), np.ones(len(user), np.float32)) @ (a > 0))
        varies = ((fires > 0).sum(0) >= MIN_USERS) & (spread > 1e-3 * np.sqrt(sums.square.sum(0)))
        mean = mean if isinstance(a, np.ndarray) else csr_array(mean)
        return cls(a, user, at.item_at, sums.counts, mean, spread, varies, len(users))

    def by_user(self, y: np.ndarray) -> tuple[np.ndarray, float]:
        """Each user's sum of (a − item's mean a)·(y − item's mean y), (users, f), and the norm of the latter."""
        means = np.bincount(self.item, y, len(self.counts)) / self.counts.clip(min=1)
        left = (y - means[self.item]).astype(np.float32)
        sums = dense(_sums_by(self.user, self.users, left) @ self.a)
        sums -= dense(csr_array((left, (self.user, self.item)), (self.users, len(self.counts))) @ self.mean)
        return sums, float(np.linalg.norm(left))


def _sums_by(user: np.ndarray, users: int, weights: np.ndarray) -> csr_array:
    """The matrix whose product with values at positions is each user's weighted sum of them, (users, n)."""
    return csr_array((weights, (user, np.arange(len(user)))), (users, len(user)))


def _judged(parts: list[pd.DataFrame], features: Features, threshold: float) -> pd.DataFrame:
    columns = {"concept": str, "group": str, "r": float, "r_within": float, "z": float}
    empty = pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in columns.items()})
    table = pd.concat(parts) if parts else empty
    table.insert(0, "feature", table.index.to_numpy(np.int32))
    table.insert(0, "kind", features.kind)
    table["significant"] = (table["z"].abs() > threshold) & (table["z"] != 0)
    return table.sort_values(["feature", "concept"], ignore_index=True)


def _pearson(a: np.ndarray | csr_array, y: np.ndarray) -> np.ndarray:
    """Correlation (f, c) of the columns of a (n, f) and y (n, c); 0 where either is constant."""
    n, y = max(len(y), 1), y - y.mean(0)
    variance = (a * a).sum(0, dtype=np.float64) / n - (a.sum(0, dtype=np.float64) / n) ** 2
    return _ratio(np.asarray(a.T @ y, np.float64) / n, np.outer(np.sqrt(variance.clip(min=0)), y.std(0)))


def _ratio(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.divide(a, b, out=np.zeros(np.shape(a)), where=b > 1e-9)
