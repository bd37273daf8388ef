"""Names from evidence: significant concepts and distinctive words of titles, or "unclear"."""

import re
from collections import Counter
from dataclasses import dataclass

import numpy as np
import pandas as pd

from seqsae_core.data.concepts import ConceptTable
from seqsae_core.interpret.alignment import ItemSums
from seqsae_core.interpret.significance import Significance

UNCLEAR = "unclear"
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


class Namer:
    """Names features from `sums` of one set of users, and tests each name on items that took no part in naming."""

    def __init__(self, sums: ItemSums, table: ConceptTable, catalogue: pd.DataFrame, tested: Significance, seed: int):
        self.table, self.tested = table, tested
        self.mean = np.divide(
            sums.total, sums.counts[:, None], out=np.zeros_like(sums.total), where=sums.counts[:, None] > 0
        )
        seen = sums.counts > 0
        naming = np.random.default_rng(seed).random(len(seen)) < 0.5
        self.naming, self.checking = seen & naming, seen & ~naming
        self.words = [set()] + [{w.lower() for w in WORD.findall(t)} for t in catalogue["title"].astype(str)]
        self.word_items = Counter(w for i in np.flatnonzero(self.naming) for w in self.words[i])

    def name(self, feature: int) -> Name:
        """The name of one feature."""
        found = np.flatnonzero(self.tested.family_wise[feature])
        chosen = self._distinct(feature, found[np.argsort(-self.tested.z[feature, found], kind="stable")])
        if not chosen:
            return Name(UNCLEAR, "No concept is significant at 5 % family-wise error.", (), None)
        words = self._title_words(feature)
        ordered = sorted(chosen, key=lambda c: GROUP_ORDER.get(self.table.groups[c], 3))
        text = " · ".join([self.table.names[c] for c in ordered] + [f"“{w}”" for w in words])
        return Name(text, self._sentence(feature, chosen), tuple(chosen), self._detection(feature, chosen))

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
        """Words in at least four of the 30 strongest naming items and ten times as frequent there as elsewhere."""
        items = np.flatnonzero(self.naming)
        strength = self.mean[items, feature]
        top = items[np.argsort(-strength, kind="stable")[:TOP_ITEMS]]
        counts = Counter(w for i in top if self.mean[i, feature] > 0 for w in self.words[i])
        share = len(top) / max(len(items), 1)
        kept = [(n, w) for w, n in counts.items() if n >= 4 and n >= 10 * share * self.word_items[w]]
        return [w for _, w in sorted(kept, reverse=True)[:2]]

    def _sentence(self, feature: int, chosen: list[int]) -> str:
        parts = [f"{self.table.names[c]} (z {self.tested.z[feature, c]:.1f})" for c in chosen]
        return f"Significant at 5 % family-wise error (z ≥ {self.tested.threshold:.1f}): {', '.join(parts)}."

    def _detection(self, feature: int, chosen: list[int]) -> float | None:
        """Balanced accuracy of "fires on this item" predicted by "has one of the named concepts", on checking items."""
        fires = self.mean[self.checking, feature] > 0
        says = (
            (self.table.values[self.checking][:, chosen] > 0).any(1)
            if len(chosen) == 1
            else ((self.table.values[self.checking][:, chosen] > 0).all(1))
        )
        if not fires.any() or fires.all():
            return None
        return float((says[fires].mean() + (~says[~fires]).mean()) / 2)
