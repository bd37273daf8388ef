"""How well features name genres, by select users alone: for choosing among dictionaries, never for quoting."""

from dataclasses import dataclass

import numpy as np

from seqsae_core.config import EvidenceConfig
from seqsae_core.data.concepts import ConceptTable
from seqsae_core.interpret import alignment, contest
from seqsae_core.interpret.alignment import ItemSums
from seqsae_core.interpret.rivals import Features
from seqsae_core.sae.activations import Activations


@dataclass(frozen=True)
class Bench:
    """What every candidate is screened on.

    halves: the rows of `select` that belong to two random halves of its users, at items; genres: item values
    (n_items + 1, g) of those with enough positives among both; item_halves: boolean masks (n_items + 1,).
    """

    select: Activations
    halves: tuple[np.ndarray, np.ndarray]
    genres: np.ndarray
    item_halves: list[np.ndarray]

    @classmethod
    def make(
        cls, select: Activations, concepts: ConceptTable, n_items: int, config: EvidenceConfig, seed: int
    ) -> "Bench":
        """select: activations of all select users."""
        positions = np.bincount(select.item_at, minlength=n_items + 1)
        genres = alignment.measured_genres(concepts, positions, config.min_positives)
        item_halves = alignment.random_halves(n_items, config.halves, seed)
        return cls(select, _halved(select, seed), concepts.values[:, genres].astype(np.float64), item_halves)


def interpretability(features: Features, bench: Bench) -> dict[str, float | None]:
    """`same_items` and `new_items`: mean over genres of the best feature's r, chosen on one half of the users and
    scored on the other, mean of both ways; None where no genre has enough positives. Definitions in docs/METHOD.md.
    """
    first, second = (alignment.item_sums(features, bench.select, len(bench.genres) - 1, half) for half in bench.halves)
    ways = ((first, second), (second, first))
    same = [_same_items(chosen, scored, bench.genres) for chosen, scored in ways]
    new = [alignment.new_items(chosen, scored, bench.genres, bench.item_halves)[0] for chosen, scored in ways]
    return {"same_items": contest.mean(np.array(same)), "new_items": contest.mean(np.array(new))}


def _same_items(chosen: ItemSums, scored: ItemSums, genres: np.ndarray) -> np.ndarray:
    best = alignment.best_features(alignment.correlation(chosen, genres))
    return alignment.correlation(scored, genres)[best, np.arange(len(best))]


def _halved(activations: Activations, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """The rows of two random halves of the users, mask tokens left out."""
    users, at_item = np.unique(activations.user_at), activations.item_at > 0
    drawn = np.random.default_rng(seed).permutation(len(users)) < len(users) // 2
    first = np.isin(activations.user_at, users[drawn])
    return np.flatnonzero(first & at_item), np.flatnonzero(~first & at_item)
