"""Names need evidence, rules tell how they are tested, and a few items are no concept."""

import numpy as np
import pandas as pd
import pytest

from seqsae_core.data.concepts import ConceptTable
from seqsae_core.interpret.alignment import ItemSums
from seqsae_core.interpret.naming import UNCLEAR, Namer, naming_half
from seqsae_core.interpret.recognition import recognised
from seqsae_core.interpret.rules import balanced_accuracy, best_rule
from seqsae_core.interpret.significance import Significance, permutation_test

ITEMS = 120
HALF = naming_half(ITEMS, seed=0)
NOTHING = Significance(np.zeros((30, 6)), np.ones((30, 6)), np.full(6, np.inf), np.zeros((30, 6), bool))


@pytest.fixture(scope="module")
def world():
    """Item sums of 30 features, the first of which follows the first of 6 concepts, and the concepts."""
    rng = np.random.default_rng(0)
    concepts = (rng.random((ITEMS + 1, 6)) < 0.25).astype(float)
    counts = np.r_[0, rng.integers(5, 60, ITEMS)].astype(float)
    mean = rng.exponential(size=(ITEMS + 1, 30)) * (rng.random((ITEMS + 1, 30)) < 0.3)
    mean[:, 0] = concepts[:, 0] * rng.uniform(1, 2, ITEMS + 1)
    concepts[0], mean[0] = 0, 0
    return ItemSums(counts, counts[:, None] * mean, counts[:, None] * mean**2), concepts


def permuted(sums: ItemSums, concepts: np.ndarray) -> Significance:
    return permutation_test(sums, concepts, np.r_[0, np.arange(ITEMS) % 3], np.zeros(6, bool), 300, 0)


def namer(sums: ItemSums, concepts: np.ndarray, tested: Significance, everywhere: Significance, titles=None) -> Namer:
    table = ConceptTable(tuple("ABCDEF"), ("genre",) * 6, concepts.astype(np.float32))
    titles = titles or [f"Film {i}" for i in range(ITEMS)]
    known = recognised(sums, sums)
    return Namer(sums, table, pd.DataFrame({"title": titles}), HALF, tested, everywhere, known)


def test_a_true_concept_names_and_predicts(world):
    sums, concepts = world
    name = namer(sums, concepts, permuted(sums.only(HALF), concepts), permuted(sums, concepts)).name(0)
    assert (name.text, name.kind) == ("A", "concept") and name.score > 0.95
    assert "needed" in name.evidence and "Rule: A." in name.evidence


def test_without_significance_there_is_no_name(world):
    sums, concepts = world
    silent = namer(sums, concepts, NOTHING, NOTHING)
    names = [silent.name(i) for i in range(30)]
    assert all(n.kind != "concept" and n.score is None for n in names)
    assert all((n.text == UNCLEAR) == (n.kind == UNCLEAR) for n in names)


def test_a_name_that_needs_all_items_is_not_tested_on_any(world):
    sums, concepts = world
    name = namer(sums, concepts, NOTHING, permuted(sums, concepts)).name(0)
    assert name.text == "A" and name.score is None


def test_few_items_that_hold_most_activation_name_a_latent(world):
    sums, concepts = world
    total = sums.total.copy()
    total[7, 3] += 10 * total[:, 3].sum()
    name = namer(ItemSums(sums.counts, total, total**2), concepts, NOTHING, NOTHING).name(3)
    assert (name.text, name.kind, name.score) == ("Film 6", "items", None)
    assert "91%" in name.evidence or "92%" in name.evidence


def test_items_are_chosen_on_one_half_of_the_users_and_scored_on_the_other():
    counts = np.ones(6)
    select = np.array([[0, 0, 0], [6, 1, 0], [3, 1, 0], [1, 1, 0], [0, 1, 0], [0, 1, 0]], float)
    score = np.array([[0, 0, 0], [1, 1, 1], [8, 1, 0], [1, 0, 0], [0, 0, 0], [0, 0, 0]], float)
    found = recognised(ItemSums(counts, select, select), ItemSums(counts, score, score))
    assert found.items.tolist() == [[1, 0, 0], [1, 2, 3], [0, 0, 0]]
    assert found.share == pytest.approx([0.1, 1.0, 0.0])
    assert found.found.tolist() == [False, True, False]


def test_rules_join_what_predicts_better():
    rng = np.random.default_rng(0)
    holds = rng.random((401, 4)) < 0.4
    where = np.r_[False, np.ones(400, bool)]
    word = {"saga": rng.random(401) < 0.1}
    fires = ((holds[:, 0] & holds[:, 2]) | word["saga"]) & where
    rule = best_rule([0, 1, 2], ["saga"], holds, word, fires, where)
    assert (rule.concepts, rule.joins, rule.words) == ((0, 2), ("and",), ("saga",))
    assert balanced_accuracy(rule.says, fires, where) == 1.0
    assert rule.text("abcd") == "a · c · “saga”" and rule.sentence("abcd") == "a, and c, or “saga” in the title"
    either = best_rule([0, 1, 2], [], holds, {}, (holds[:, 0] | holds[:, 1]) & where, where)
    assert either.text("abcd") == "a / b"


def test_balanced_accuracy_equals_scikit_learn():
    from sklearn.metrics import balanced_accuracy_score

    rng = np.random.default_rng(1)
    says, fires, where = (rng.random(300) < p for p in (0.3, 0.2, 0.7))
    expected = balanced_accuracy_score(fires[where], says[where])
    assert balanced_accuracy(says, fires, where) == pytest.approx(expected)
    assert balanced_accuracy(says, np.zeros(300, bool), where) is None
