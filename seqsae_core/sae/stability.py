"""How well latents re-appear when a dictionary is trained again with another seed."""

import numpy as np

ROWS = 2048


def matched_cosine(decoder: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Cosine of each decoder direction with its partner in the other dictionary, one-to-one (Hungarian), (m,).

    decoder: (m, width), other: (n, width); rows without a partner (n < m) and zero rows get 0.
    """
    from scipy.optimize import linear_sum_assignment  # a second of a page's first run, which asks for `nearest` alone

    cosine = _unit(decoder) @ _unit(other).T
    rows, columns = linear_sum_assignment(cosine, maximize=True)
    matched = np.zeros(len(decoder), np.float32)
    matched[rows] = cosine[rows, columns]
    return matched


def stability(decoder: np.ndarray, others: list[np.ndarray]) -> np.ndarray:
    """Mean matched cosine of each latent over re-trainings, (m,); a dictionary's is the mean over its live latents."""
    return np.mean([matched_cosine(decoder, other) for other in others], axis=0)


def nearest(decoder: np.ndarray, other: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each direction of `decoder` (m, width) the place of the nearest one in `other` (n, width), and their cosine,
    (m,) each; the first of equals. A few thousand rows at a time, so that no (m, n) matrix is held."""
    theirs, rows = _unit(other).T, range(0, len(decoder), ROWS)
    place, found = np.zeros(len(decoder), np.int64), np.zeros(len(decoder), np.float32)
    for start in rows:
        part, here = _unit(decoder[start : start + ROWS]) @ theirs, slice(start, start + ROWS)
        place[here], found[here] = part.argmax(1), part.max(1)
    return place, found


def cosine(one: np.ndarray, other: np.ndarray) -> float:
    """Cosine of two directions, (width,) each; 0 where either is zero."""
    return float(_unit(one[None])[0] @ _unit(other[None])[0])


def _unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
