"""Rules in words that predict on which items a feature fires: concepts joined by "and" or "or", and words of titles."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

MOST_CONCEPTS = 3
LEAST_GAIN = 0.01
JOINT = {"and": " · ", "or": " / "}


@dataclass(frozen=True)
class Rule:
    """concepts: column indices; joins: "and" or "or" before each concept but the first, read from left to right; words:
    of titles, each of which is enough; says: which items fulfil it, bool (n_items + 1,)."""

    concepts: tuple[int, ...]
    joins: tuple[str, ...]
    words: tuple[str, ...]
    says: np.ndarray

    def text(self, names: Sequence[str]) -> str:
        """As a name: "2010s · Horror" for and, "Animation / Family" for or, title words in quotation marks."""
        parts = [JOINT[join] + names[c] for join, c in zip(("and", *self.joins), self.concepts, strict=True)]
        return "".join(parts).removeprefix(JOINT["and"]) + "".join(f" · “{w}”" for w in self.words)

    def sentence(self, names: Sequence[str]) -> str:
        """As a test that a reader can repeat by hand."""
        first, *rest = (names[c] for c in self.concepts)
        told = first + "".join(f", {join} {name}" for join, name in zip(self.joins, rest, strict=True))
        return told + "".join(f", or “{w}” in the title" for w in self.words)


def best_rule(
    concepts: Sequence[int], words: Sequence[str], holds: np.ndarray, has_word: dict[str, np.ndarray],
    fires: np.ndarray, where: np.ndarray,
) -> Rule:  # fmt: skip
    """Start from the first concept; join other concepts, then words, while balanced accuracy on the items in `where`
    gains a hundredth or more.

    concepts: candidates, the strongest first; holds: bool (n_items + 1, c); has_word: bool (n_items + 1,) each;
    fires: what is to be predicted, where: the items to look at, bool (n_items + 1,).
    """

    def score(rule: Rule) -> float:
        return balanced_accuracy(rule.says, fires, where) or 0.0

    rule = Rule((concepts[0],), (), (), holds[:, concepts[0]])
    rule = _improved(rule, lambda one: _longer(one, concepts, holds), score)
    return _improved(rule, lambda one: _with_words(one, words, has_word), score)


def _improved(rule: Rule, longer: Callable[[Rule], list[Rule]], score: Callable[[Rule], float]) -> Rule:
    while candidates := longer(rule):
        better = max(candidates, key=score)
        if score(better) < score(rule) + LEAST_GAIN:
            break
        rule = better
    return rule


def balanced_accuracy(says: np.ndarray, fires: np.ndarray, where: np.ndarray) -> float | None:
    """Mean of the shares of firing and of silent items in `where` that are told right; None without either."""
    says, fires = says[where], fires[where]
    if not fires.any() or fires.all():
        return None
    return float((says[fires].mean() + (~says[~fires]).mean()) / 2)


def _longer(rule: Rule, concepts: Sequence[int], holds: np.ndarray) -> list[Rule]:
    """The rule with one more concept, joined by "and" or "or"."""
    if len(rule.concepts) == MOST_CONCEPTS:
        return []
    found = []
    for c in concepts:
        if c not in rule.concepts:
            for join, says in (("and", rule.says & holds[:, c]), ("or", rule.says | holds[:, c])):
                found.append(Rule((*rule.concepts, c), (*rule.joins, join), (), says))
    return found


def _with_words(rule: Rule, words: Sequence[str], has_word: dict[str, np.ndarray]) -> list[Rule]:
    return [
        replace(rule, words=(*rule.words, word), says=rule.says | has_word[word])
        for word in words
        if word not in rule.words
    ]
