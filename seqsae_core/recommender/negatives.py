"""Negatives that a whole batch shares, and how often each was to be expected."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Negatives:
    """A draw of `uniform` distinct items of the catalogue, and of `popular` items by their share of training events.

    share: float64 (n_items + 1,), sums to 1, column 0 is 0; cumulative: its running sum, which ends with exactly 1.
    """

    uniform: int
    popular: int
    share: np.ndarray
    cumulative: np.ndarray

    @classmethod
    def make(cls, number: int, popular_share: float, counts: np.ndarray) -> "Negatives":
        """`number` draws in all, `popular_share` of them by popularity; counts: training events, (n_items + 1,).

        Never more uniform draws than there are items.
        """
        popular = round(number * popular_share)
        running = np.cumsum(counts)
        return cls(min(number - popular, len(counts) - 1), popular, counts / running[-1], running / running[-1])

    def draw(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Distinct items, int64 (k,), and log(times drawn / times expected), float32 (k,).

        With these weights the sum over the draw is an unbiased estimate of the sum over the catalogue, whatever the
        mixture (Bengio & Senécal, 2008, section III: importance sampling; here with the mixture as its proposal).
        """
        n_items = len(self.share) - 1
        drawn = 1 + rng.choice(n_items, self.uniform, replace=False)
        if not self.popular:
            return drawn, np.full(self.uniform, np.log(n_items / self.uniform), np.float32)
        popular = np.searchsorted(self.cumulative, rng.random(self.popular), side="right")
        items, times = np.unique(np.append(drawn, popular), return_counts=True)
        expected = self.uniform / n_items + self.popular * self.share[items]
        return items, np.log(times / expected).astype(np.float32)
