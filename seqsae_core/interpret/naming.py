"""Names from evidence: significant concepts and distinctive words of titles, or "unclear"."""

import re
from collections import Counter
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

from seqsae_core.data.concepts import ConceptTable
from seqsae_core.interpret.alignment import ItemSums
from seqsae_core.interpret.significance import Significance

UNCLEAR = "unclear"
NOTHING = "No concept is significant at 5 % family-wise error, on half of the items or on all."
GROUP_ORDER = {"decade": 0, "popularity": 1, "genre": 2}
TOP_ITEMS = 30
WORD = re.compile(r"[^\W\d_]{3,}")


@dataclass(frozen=True)
class Name:
    """text; evidence: one sentence; concepts: column indices the rule demands; score: detection balanced accuracy."""

    text: str
    evidence: str
    concepts: tuple[int, ...]
    score: float | None


def naming_half(n_items: int, seed: int) -> np.ndarray:
    """The items that names may be made from, bool (n_items + 1,); names are tested on the others."""
    half = np.random.default_rng(seed).random(n_items + 1) < 0.5
    half[0] = False
    return half


class Namer:
    """Names features from the items in `half`, and tests each name on the items outside.

    tested: significance on the items in `half` alone; everywhere: on all items.
    """

    def __init__(
        self,
        sums: ItemSums,
        table: ConceptTable,
        catalogue: pd.DataFrame,
        half: np.ndarray,
        tested: Significance,
        everywhere: Significance,
    ):
        self.table, self.tested, self.everywhere = table, tested, everywhere
        count = sums.counts[:, None]
        self.mean = np.divide(sums.total, count, out=np.zeros_like(sums.total), where=count > 0)
        seen = sums.counts > 0
        self.naming, self.checking = seen & half, seen & ~half
        titles = catalogue["title"].astype(str).str.lower()
        self.words = [set()] + [set(WORD.findall(t)) - ENGLISH_STOP_WORDS for t in titles]
        self.word_items = Counter(w for i in np.flatnonzero(self.naming) for w in self.words[i])

    def name(self, feature: int) -> Name:
        """The name of one feature. One that only all items together support is given, but has no detection score."""
        chosen = self._distinct(feature, self._ranked(feature, self.tested))
        if chosen:
            return self._named(feature, chosen, self.tested, self._detection(feature, chosen))
        chosen = self._distinct(feature, self._ranked(feature, self.everywhere))
        if chosen:
            return self._named(feature, chosen, self.everywhere, None)
        return Name(UNCLEAR, NOTHING, (), None)

    def _ranked(self, feature: int, tested: Significance) -> np.ndarray:
        """Significant concepts, the largest z first."""
        found = np.flatnonzero(tested.family_wise[feature])
        return found[np.argsort(-tested.z[feature, found], kind="stable")]

    def _named(self, feature: int, chosen: list[int], tested: Significance, score: float | None) -> Name:
        words = self._title_words(feature)
        ordered = sorted(chosen, key=lambda c: GROUP_ORDER.get(self.table.groups[c], 3))
        text = " · ".join([self.table.names[c] for c in ordered] + [f"“{w}”" for w in words])
        return Name(text, self._sentence(feature, chosen, tested, score), tuple(chosen), score)

    def _distinct(self, feature: int, ranked: np.ndarray) -> list[int]:
        """The strongest concept, and up to two more while items that have them all are fired on more strongly."""
        chosen: list[int] = []
        for concept in ranked:
            together = [*chosen, int(concept)]
            new_group = self.table.groups[concept] not in {self.table.groups[c] for c in chosen}
            if not chosen or (
                len(chosen) < 3
                and (new_group or self.table.groups[concept] == "genre")
                and self._rate(feature, together) > 1.25 * self._rate(feature, chosen)
            ):
                chosen = together
        return chosen

    def _rate(self, feature: int, concepts: list[int]) -> float:
        """Mean activation over naming items that have all these concepts; 0 when fewer than five do."""
        rows = self.naming & (self.table.values[:, concepts] > 0).all(1)
        return float(self.mean[rows, feature].mean()) if rows.sum() >= 5 else 0.0

    def _title_words(self, feature: int) -> list[str]:
        """Words in at least four of the 30 strongest naming items and ten times as frequent there as elsewhere;
        English stop words (scikit-learn's list) do not count."""
        items = np.flatnonzero(self.naming)
        strength = self.mean[items, feature]
        top = items[np.argsort(-strength, kind="stable")[:TOP_ITEMS]]
        counts = Counter(w for i in top if self.mean[i, feature] > 0 for w in self.words[i])
        share = len(top) / max(len(items), 1)
        kept = [(n, w) for w, n in counts.items() if n >= 4 and n >= 10 * share * self.word_items[w]]
        return [w for _, w in sorted(kept, reverse=True)[:2]]

    def _sentence(self, feature: int, chosen: list[int], tested: Significance, score: float | None) -> str:
        parts = [
            f"{self.table.names[c]} (z {tested.z[feature, c]:.1f}, needed {tested.threshold[c]:.1f})" for c in chosen
        ]
        where = (
            "on half of the items"
            if tested is self.tested
            else "on all items together, none is left to test the name on"
        )
        return f"Significant at 5 % family-wise error ({where}): {', '.join(parts)}."

    def _detection(self, feature: int, chosen: list[int]) -> float | None:
        """Balanced accuracy of "fires on this item" predicted by "has all named concepts", on checking items."""
        fires = self.mean[self.checking, feature] > 0
        if not fires.any() or fires.all():
            return None
        says = (self.table.values[self.checking][:, chosen] > 0).all(1)
        return float((says[fires].mean() + (~says[~fires]).mean()) / 2)
