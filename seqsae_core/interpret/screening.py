"""How well features name genres, by select users alone: for choosing among dictionaries, never for quoting."""

from dataclasses import dataclass, fields

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

    halves: activations of two random halves of the select users; genres: item values (n_items + 1, g) of those with
    enough positives among both; item_halves: boolean masks (n_items + 1,).
    """

    halves: tuple[Activations, Activations]
    genres: np.ndarray
    item_halves: list[np.ndarray]

    @classmethod
    def make(
        cls, select: Activations, concepts: ConceptTable, n_items: int, config: EvidenceConfig, seed: int
    ) -> "Bench":
        """select: activations of all select users at items."""
        positions = np.bincount(select.item_at, minlength=n_items + 1)
        genres = alignment.measured_genres(concepts, positions, config.min_positives)
        item_halves = alignment.random_halves(n_items, config.halves, seed)
        return cls(_halved(select, seed), concepts.values[:, genres].astype(np.float64), item_halves)


def interpretability(features: Features, bench: Bench) -> dict[str, float | None]:
    """`same_items` and `new_items`: mean over genres of the best feature's r, chosen on one half of the users and
    scored on the other, mean of both ways; None where no genre has enough positives. Definitions in docs/METHOD.md.
    """
    first, second = (alignment.item_sums(features, half, len(bench.genres) - 1) for half in bench.halves)
    ways = ((first, second), (second, first))
    same = [_same_items(chosen, scored, bench.genres) for chosen, scored in ways]
    new = [alignment.new_items(chosen, scored, bench.genres, bench.item_halves)[0] for chosen, scored in ways]
    return {"same_items": contest.mean(np.array(same)), "new_items": contest.mean(np.array(new))}


def _same_items(chosen: ItemSums, scored: ItemSums, genres: np.ndarray) -> np.ndarray:
    best = alignment.best_features(alignment.correlation(chosen, genres))
    return alignment.correlation(scored, genres)[best, np.arange(len(best))]


def _halved(activations: Activations, seed: int) -> tuple[Activations, Activations]:
    """The positions of two random halves of the users."""
    users = np.unique(activations.user_at)
    drawn = np.random.default_rng(seed).permutation(len(users)) < len(users) // 2
    first = np.isin(activations.user_at, users[drawn])
    return tuple(
        Activations(*(getattr(activations, f.name)[rows] for f in fields(activations))) for rows in (first, ~first)
    )
