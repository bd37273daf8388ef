"""Intervals that respect that one user's positions belong together: delta method, clustered by user.

The variance of a smooth statistic is Σ over users of (Σ of its influence over that user's positions)²
(Cameron & Miller, 2015, section II.B).
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from seqsae_core.data.concepts import ConceptTable
from seqsae_core.interpret.alignment import CHUNK, dense
from seqsae_core.interpret.rivals import Features
from seqsae_core.sae.activations import Activations

Z95 = 1.959964


@dataclass(frozen=True)
class UserSums:
    """Sums over each user's positions, (users, f): a, aa = a², ay, y, yy, for one concept y a feature; n: (users, 1).

    fires, highest: (f,) firing positions and largest activation over all users.
    """

    n: np.ndarray
    a: np.ndarray
    aa: np.ndarray
    ay: np.ndarray
    y: np.ndarray
    yy: np.ndarray
    fires: np.ndarray
    highest: np.ndarray


def user_sums(features: Features, activations: Activations, concepts: np.ndarray, top: np.ndarray) -> UserSums:
    """One pass over positions. concepts: item values (n_items + 1, c); top: the concept of each feature, (f,)."""
    users, user = np.unique(activations.user_at, return_inverse=True)
    sums = {name: np.zeros((len(users), features.count)) for name in ("a", "aa", "ay")}
    fires, highest = np.zeros(features.count, np.int64), np.zeros(features.count)
    for start in range(0, len(user), CHUNK):
        part = slice(start, start + CHUNK)
        present, row = np.unique(user[part], return_inverse=True)
        pick = _picks(row, len(present))
        a = features.encode(activations.values[part])
        for name, value in (("a", a), ("aa", a * a), ("ay", _times(a, concepts[activations.item_at[part]], top))):
            sums[name][present] += dense(pick @ value)
        fires += (a > 0).sum(0)
        highest = np.maximum(highest, dense(a.max(0)))
    pick = _picks(user, len(users))
    y = concepts[activations.item_at].astype(np.float64)
    n = np.bincount(user, minlength=len(users)).astype(float)[:, None]
    return UserSums(n=n, y=(pick @ y)[:, top], yy=(pick @ y**2)[:, top], fires=fires, highest=highest, **sums)


def _picks(row: np.ndarray, rows: int) -> csr_array:
    """The matrix whose product with values at positions sums them by `row`, (rows, n)."""
    return csr_array((np.ones(len(row)), (row, np.arange(len(row)))), (rows, len(row)))


def _times(a: np.ndarray | csr_array, y: np.ndarray, top: np.ndarray) -> np.ndarray | csr_array:
    """a · y of each feature's concept. a: (n, f); y: (n, c)."""
    if isinstance(a, np.ndarray):
        return a * y[:, top]
    row = np.repeat(np.arange(a.shape[0]), np.diff(a.indptr))
    return csr_array((a.data * y[row, top[a.indices]], a.indices, a.indptr), a.shape)


def correlation_interval(u: UserSums) -> tuple[np.ndarray, np.ndarray]:
    """95 % interval of each feature's Pearson r with its concept, (f,) and (f,), cut to [−1, 1].

    Influence of a position on r: z_a·z_y − r (z_a² + z_y²)/2 (Devlin, Gnanadesikan & Kettenring, 1975, eq. 2.3).
    """
    n = u.n.sum()
    mean_a, mean_y = u.a.sum(0) / n, u.y.sum(0) / n
    var_a, var_y = u.aa.sum(0) / n - mean_a**2, u.yy.sum(0) / n - mean_y**2
    ok = (var_a > 1e-12) & (var_y > 1e-12)
    sd_a, sd_y = np.sqrt(np.where(ok, var_a, 1.0)), np.sqrt(np.where(ok, var_y, 1.0))
    za_zy = (u.ay - mean_a * u.y - mean_y * u.a + u.n * mean_a * mean_y) / (sd_a * sd_y)
    za_za = (u.aa - 2 * mean_a * u.a + u.n * mean_a**2) / sd_a**2
    zy_zy = (u.yy - 2 * mean_y * u.y + u.n * mean_y**2) / sd_y**2
    r = za_zy.sum(0) / n
    error = np.sqrt(((za_zy - r * (za_za + zy_zy) / 2) ** 2).sum(0)) / n
    low, high = np.where(ok, r - Z95 * error, 0.0), np.where(ok, r + Z95 * error, 0.0)
    return low.clip(-1, 1), high.clip(-1, 1)


def enrichment(codes: csr_array, activations: Activations, concepts: ConceptTable, r_score: np.ndarray) -> pd.DataFrame:
    """How much more often a latent's firing positions show a concept than all positions do, with a 95 % interval.

    lift = share among firing positions / share among all; interval on log lift. One row for each latent × concept with
    at least five firing positions of the concept. codes: (n, f) at `activations`' positions; r_score: (f, c).
    """
    _, user = np.unique(activations.user_at, return_inverse=True)
    pick = _picks(user, user.max() + 1)
    fires = csr_array((np.ones(codes.nnz), codes.indices, codes.indptr), codes.shape)
    fired, n = pick @ fires, pick @ np.ones(len(user))
    parts = []
    for column, (name, group) in enumerate(zip(concepts.names, concepts.groups, strict=True)):
        y = concepts.values[activations.item_at, column].astype(np.float64)
        if not y.any():
            continue
        weighted = csr_array((y[pick.indices], pick.indices, pick.indptr), pick.shape)
        part = _lift(fired, weighted @ fires, pick @ y, n)
        parts.append(part.assign(concept=name, group=group, correlation=r_score[part["feature"], column]))
    return pd.concat(parts, ignore_index=True).sort_values(
        ["feature", "lift"], ascending=[True, False], ignore_index=True
    )


def _lift(fired: csr_array, together: csr_array, y: np.ndarray, n: np.ndarray, least: int = 5) -> pd.DataFrame:
    """fired, together: (users, f) firing positions, and those with the concept; y, n: (users,) concept and all.

    Log lift has the influence (t − share·f) / (F·share) − b for a user with t of f firing positions, F in all, and
    b = (y − base·n) / (N·base); its sum of squares is expanded, so that only the non-zero t and f are visited.
    """
    keep = np.flatnonzero(together.sum(0) >= least)
    fired, together = fired[:, keep], together[:, keep]
    share, base = together.sum(0) / fired.sum(0), y.sum() / n.sum()
    b, scale = (y - base * n) / (n.sum() * base), 1 / (fired.sum(0) * share)
    own = (together**2).sum(0) - 2 * share * together.multiply(fired).sum(0) + share**2 * (fired**2).sum(0)
    error = np.sqrt((own * scale**2 - 2 * scale * (b @ together - share * (b @ fired)) + b @ b).clip(min=0))
    lift = share / base
    return pd.DataFrame(
        {
            "feature": keep.astype(np.int32), "share_firing": share, "share_base": base, "lift": lift,
            "low": lift * np.exp(-Z95 * error), "high": lift * np.exp(Z95 * error),
        }
    )  # fmt: skip
