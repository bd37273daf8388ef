"""Which latents together cover one concept: greedy, chosen on some users, each step scored on others.

Orthogonal matching pursuit (Pati, Rezaiifar & Krishnaprasad, 1993; after Mallat & Zhang, 1993): each step takes the
latent that correlates most with what the earlier ones leave of the concept, then fits all of them anew by least
squares. Everything follows from second moments over positions; scikit-learn's `orthogonal_mp_gram` does the steps.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csc_array, diags_array
from sklearn.linear_model import orthogonal_mp_gram

STEPS, CANDIDATES = 10, 128


@dataclass(frozen=True)
class Codes:
    """Latents' activations of some users: codes (n, f) at positions whose input items are item_at (n,)."""

    codes: csc_array
    item_at: np.ndarray


@dataclass(frozen=True)
class Moments:
    """Second moments over positions at some of the items: covariance (m, m) of latents, cross (m,) with the concept;
    mean and the concept's own mean and variance with them. n: number of positions."""

    n: int
    mean: np.ndarray
    covariance: np.ndarray
    cross: np.ndarray
    concept_mean: float
    concept_variance: float

    @property
    def spread(self) -> np.ndarray:
        """Standard deviation of each latent, (m,)."""
        return np.sqrt(np.diag(self.covariance).clip(min=0))

    def correlation(self, coefficients: np.ndarray) -> np.ndarray:
        """Pearson r of each combination of latents with the concept, (s,); 0 where either is constant.

        coefficients: (m, s).
        """
        variance = np.einsum("ms,mk,ks->s", coefficients, self.covariance, coefficients).clip(min=0)
        scale = np.sqrt(variance * self.concept_variance)
        return np.divide(coefficients.T @ self.cross, scale, out=np.zeros_like(scale), where=scale > 1e-12)


@dataclass(frozen=True)
class Path:
    """Latents in the order chosen, (s,); coefficients after each step, (s, s): column k those after k + 1 steps, 0 for
    later latents; intercepts (s,)."""

    latents: np.ndarray
    coefficients: np.ndarray
    intercepts: np.ndarray

    def __len__(self) -> int:
        return len(self.latents)


@dataclass(frozen=True)
class Cover:
    """path: chosen on select users' positions at all items; spread: standard deviation of its latents there, (s,).

    same and new: r on score users of the first 1, 2, … latents, (s,), on the same items and, chosen on one half of the
    items and scored on the other, on new ones; new is None where no half can be measured.
    """

    path: Path
    spread: np.ndarray
    same: np.ndarray
    new: np.ndarray | None

    def weights(self, size: int) -> np.ndarray:
        """What each of the first `size` latents contributes, in standard deviations, relative to the largest."""
        size = min(size, len(self.path))
        contribution = self.path.coefficients[:size, size - 1] * self.spread[:size]
        return contribution / np.abs(contribution).max(initial=1e-12)


def moments(users: Codes, concept: np.ndarray, inside: np.ndarray, latents: np.ndarray) -> Moments:
    """Moments of some latents, (m,), and a concept over positions whose item is `inside`.

    concept: item values (n_items + 1,); inside: bool (n_items + 1,).
    """
    keep, y = inside[users.item_at].astype(np.float64), concept[users.item_at].astype(np.float64)
    n = max(keep.sum(), 1.0)
    a = csc_array(users.codes[:, latents], dtype=np.float64)
    kept = diags_array(keep) @ a
    mean, level = kept.sum(0) / n, float(keep @ y / n)
    gram = (a.T @ kept).toarray()
    variance = float(keep @ y**2 / n - level**2)
    return Moments(
        int(keep.sum()), mean, gram / n - np.outer(mean, mean), kept.T @ y / n - mean * level, level, max(variance, 0.0)
    )


def pursue(found: Moments, latents: np.ndarray, steps: int = STEPS) -> Path:
    """The greedy path of at most `steps` of these latents, (m,): fewer where the rest adds nothing new.

    Latents enter centred and scaled to unit variance, so that the choice does not depend on their scale.
    """
    spread = found.spread
    live = np.flatnonzero(spread > 1e-9)
    steps = min(steps, len(live))
    if not steps or found.concept_variance <= 0:
        return Path(np.empty(0, int), np.empty((0, 0)), np.empty(0))
    gram = found.covariance[np.ix_(live, live)] / np.outer(spread[live], spread[live])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # the path ends early where latents depend on each other
        path = orthogonal_mp_gram(gram, found.cross[live] / spread[live], n_nonzero_coefs=steps, return_path=True)
    path = path.reshape(len(live), -1)
    entered = np.where((path != 0).any(1), (path != 0).argmax(1), path.shape[1])
    order = np.argsort(entered, kind="stable")[: (entered < path.shape[1]).sum()]
    coefficients = path[order][:, : len(order)] / spread[live[order], None]
    return Path(latents[live[order]], coefficients, found.concept_mean - found.mean[live[order]] @ coefficients)


def candidates(r: np.ndarray, count: int = CANDIDATES) -> np.ndarray:
    """The latents that may take part: those with the largest positive r, best first; ties: the lower one."""
    order = np.argsort(-r, kind="stable")[:count]
    return order[r[order] > 0]


def cover(select: Codes, score: Codes, concept: np.ndarray, r: Sequence[np.ndarray], halves: Sequence[np.ndarray],
          steps: int = STEPS) -> Cover:  # fmt: skip
    """The greedy cover of a concept, chosen on select users and scored on score users.

    concept: item values (n_items + 1,); r: correlation of each latent with it on select users, at all items and then
    at those of each half, (f,) each; halves: item masks (n_items + 1,).
    """
    everywhere = np.ones(len(concept), bool)
    few = [candidates(one) for one in r]
    found = [moments(select, concept, items, m) for items, m in zip([everywhere, *halves], few, strict=True)]
    first, *others = [pursue(one, m, steps) for one, m in zip(found, few, strict=True)]
    spread = found[0].spread[[int(np.flatnonzero(few[0] == latent)[0]) for latent in first.latents]]
    new = [_padded(_scored(path, score, concept, ~half), len(first)) for path, half in zip(others, halves, strict=True)]
    return Cover(first, spread, _scored(first, score, concept, everywhere), np.mean(new, axis=0) if new else None)


def _scored(path: Path, users: Codes, concept: np.ndarray, inside: np.ndarray) -> np.ndarray:
    return moments(users, concept, inside, path.latents).correlation(path.coefficients)


def _padded(r: np.ndarray, steps: int) -> np.ndarray:
    """A path that ended early stays at what it reached; one without any latent correlates with nothing."""
    return np.pad(r, (0, max(steps - len(r), 0)), mode="edge" if len(r) else "constant")[:steps]
