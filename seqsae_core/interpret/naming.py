"""Names from evidence: concepts and title words, else the items that a latent recognises, else "unclear"."""

import re
from collections import Counter
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

from seqsae_core.data.concepts import ConceptTable
from seqsae_core.interpret.alignment import ItemSums
from seqsae_core.interpret.recognition import Recognised
from seqsae_core.interpret.rules import Rule, balanced_accuracy, best_rule
from seqsae_core.interpret.significance import Significance

UNCLEAR = "unclear"
NOTHING = "No concept is significant at 5 % family-wise error, on half of the items or on all; no few items stand out."
TOP_ITEMS, PEAK_ITEMS = 30, 5
STRONGLY = 0.5
MOST_CANDIDATES = 8
WORD = re.compile(r"[^\W\d_]{3,}")


@dataclass(frozen=True)
class Name:
    """text; kind: "concept", "items" or "unclear"; evidence: one sentence; score: detection balanced accuracy."""

    text: str
    kind: str
    evidence: str
    score: float | None = None

    @classmethod
    def of_nothing(cls) -> "Name":
        """That of a latent without evidence for any."""
        return cls(UNCLEAR, UNCLEAR, NOTHING)


def naming_half(n_items: int, seed: int) -> np.ndarray:
    """The items that names may be made from, bool (n_items + 1,); names are tested on the others."""
    half = np.random.default_rng(seed).random(n_items + 1) < 0.5
    half[0] = False
    return half


class Namer:
    """Names features from the items in `half`, and tests each name on the items outside.

    tested: significance on the items in `half` alone; everywhere: on all items; recognised: the items of each feature.
    """

    def __init__(
        self, sums: ItemSums, table: ConceptTable, catalogue: pd.DataFrame, half: np.ndarray, tested: Significance,
        everywhere: Significance, recognised: Recognised,
    ):  # fmt: skip
        self.table, self.tested, self.everywhere, self.recognised = table, tested, everywhere, recognised
        count = sums.counts[:, None]
        self.mean = np.divide(sums.total, count, out=np.zeros_like(sums.total), where=count > 0)
        seen = sums.counts > 0
        self.naming, self.checking = seen & half, seen & ~half
        self.holds = table.values > 0
        self.titles = ["", *catalogue["title"].astype(str)]
        self.words = [set(WORD.findall(t.lower())) - ENGLISH_STOP_WORDS for t in self.titles]
        self.word_items = Counter(w for i in np.flatnonzero(self.naming) for w in self.words[i])

    def name(self, feature: int) -> Name:
        """The name of one feature. One that only all items together support is given, but has no detection score."""
        for tested in (self.tested, self.everywhere):
            candidates = self._significant(feature, tested)
            if candidates:
                return self._by_concepts(feature, candidates, tested)
        return self._by_items(feature) if self.recognised.found[feature] else Name.of_nothing()

    def fires(self, feature: int) -> np.ndarray:
        """Items on which it fires strongly, bool (n_items + 1,): with half or more of the mean over its five strongest
        naming items. Where it barely fires is for nobody to tell."""
        mean = self.mean[:, feature]
        peak = np.sort(mean[self.naming])[-PEAK_ITEMS:].mean() if self.naming.any() else 0.0
        return (mean > 0) & (mean >= STRONGLY * peak)

    def _significant(self, feature: int, tested: Significance) -> list[int]:
        """Significant concepts, the largest z first."""
        found = np.flatnonzero(tested.family_wise[feature])
        return found[np.argsort(-tested.z[feature, found], kind="stable")][:MOST_CANDIDATES].tolist()

    def _by_concepts(self, feature: int, candidates: list[int], tested: Significance) -> Name:
        words = self._title_words(feature)
        has_word = {w: np.array([w in own for own in self.words]) for w in words}
        fires = self.fires(feature)
        rule = best_rule(candidates, words, self.holds, has_word, fires, self.naming)
        score = balanced_accuracy(rule.says, fires, self.checking) if tested is self.tested else None
        return Name(rule.text(self.table.names), "concept", self._sentence(feature, rule, tested), score)

    def _by_items(self, feature: int) -> Name:
        items = self.recognised.items[feature]
        text = " + ".join(self.titles[i] for i in items if i > 0)
        share = self.recognised.share[feature]
        told = f"{share:.0%} of its activation on score users falls on what select users chose: {text}."
        return Name(text, "items", f"Recognises items: {told} No concept is significant.")

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

    def _sentence(self, feature: int, rule: Rule, tested: Significance) -> str:
        parts = [
            f"{self.table.names[c]} (z {tested.z[feature, c]:.1f}, needed {tested.threshold[c]:.1f})"
            for c in rule.concepts
        ]
        where = (
            "on half of the items"
            if tested is self.tested
            else "on all items together, none is left to test the name on"
        )
        told = f"Significant at 5 % family-wise error ({where}): {', '.join(parts)}."
        return f"{told} Rule: {rule.sentence(self.table.names)}."
