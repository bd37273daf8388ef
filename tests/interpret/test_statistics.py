"""Significance, monosemanticity, clustered intervals and the two-way bootstrap against direct computation."""

import numpy as np
import pytest
from scipy.sparse import csr_array
from scipy.stats import false_discovery_control

from seqsae_core.data.concepts import ConceptTable
from seqsae_core.interpret import clustered, contest
from seqsae_core.interpret.alignment import ItemSums, item_sums, random_halves
from seqsae_core.interpret.monosemanticity import concept_entropy, monosemanticity, unit_vectors
from seqsae_core.interpret.rivals import Features
from seqsae_core.interpret.significance import balanced_thresholds, benjamini_hochberg, permutation_test
from seqsae_core.sae.activations import Activations

ITEMS = 120


def random_world(seed: int, linked: bool):
    """Item sums of 30 sparse features and 6 concepts; feature 0 follows concept 0 when `linked`."""
    rng = np.random.default_rng(seed)
    concepts = (rng.random((ITEMS + 1, 6)) < 0.25).astype(float)
    concepts[0] = 0
    counts = np.r_[0, rng.integers(5, 60, ITEMS)].astype(float)
    mean = rng.exponential(size=(ITEMS + 1, 30)) * (rng.random((ITEMS + 1, 30)) < 0.3)
    if linked:
        mean[:, 0] = concepts[:, 0] * rng.uniform(1, 2, ITEMS + 1)
    mean[0] = 0
    return ItemSums(counts, counts[:, None] * mean, counts[:, None] * mean**2), concepts


def permuted(sums, concepts, seed=0):
    strata = np.r_[0, np.arange(ITEMS) % 3]
    return permutation_test(sums, concepts, strata, np.zeros(6, bool), 300, seed)


def test_a_true_link_is_found_and_chance_is_not():
    found = permuted(*random_world(0, linked=True)).family_wise
    assert found[0, 0]
    false_alarms = [permuted(*random_world(s, linked=False), seed=s).family_wise.any() for s in range(40)]
    assert np.mean(false_alarms) <= 0.15  # nominal 5 %; 40 worlds: more than 6 alarms has probability < 1 %


def test_features_on_few_items_do_not_compete():
    sums, concepts = random_world(1, linked=True)
    few = sums.total.copy()
    few[10:, 0] = 0
    result = permuted(ItemSums(sums.counts, few, few**2), concepts)
    assert result.z[0].tolist() == [0.0] * 6 and (result.p[0] == 1).all()


def test_discoveries_equal_scipy():
    p = np.random.default_rng(0).random((50, 8)) ** 4
    assert (benjamini_hochberg(p) == (false_discovery_control(p.ravel()) <= 0.05).reshape(p.shape)).all()
    assert not benjamini_hochberg(np.ones((3, 3))).any()


def test_monosemanticity_equals_the_double_sum():
    sums, concepts = random_world(2, linked=True)
    e = unit_vectors(concepts)[1:]
    a = sums.total[1:, 0] / sums.counts[1:]
    a = (a - a.min()) / (a.max() - a.min())

    def direct(w):
        off = ~np.eye(ITEMS, dtype=bool)
        return (np.outer(w, w) * (e @ e.T))[off].sum() / np.outer(w, w)[off].sum()

    expected = direct(a) - direct(np.ones(ITEMS))
    scores = monosemanticity(sums, unit_vectors(concepts))
    assert scores[0] == pytest.approx(expected, abs=1e-9)
    assert scores[0] > np.abs(scores[1:]).max()


def test_a_feature_that_never_fires_scores_zero_similarity():
    sums, concepts = random_world(2, linked=False)
    silent = ItemSums(sums.counts, sums.total * 0, sums.square * 0)
    assert (monosemanticity(silent, unit_vectors(concepts)) == 0).all()


def test_entropy_over_concepts():
    concepts = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [1, 1, 0], [0, 0, 0]], float)
    total = np.array([[0, 0, 0, 0], [2, 1, 0, 0], [0, 1, 0, 0], [0, 0, 3, 0], [0, 5, 0, 0]], float)
    found = concept_entropy(ItemSums(np.ones(5), total, total**2), concepts)
    assert found == pytest.approx([0, 1, 1, 0]), "one concept, two, one item with both, never"


@pytest.fixture(scope="module")
def positions():
    rng = np.random.default_rng(3)
    n = 6000
    user_at = np.sort(rng.integers(0, 400, n)).astype(np.int32)
    item_at = rng.integers(1, ITEMS + 1, n).astype(np.int32)
    taste = rng.normal(size=401)
    values = np.maximum(taste[user_at] + (item_at % 4 == 0) + rng.normal(size=n), 0)[:, None].astype(np.float32)
    return Activations(values, item_at, user_at, np.arange(n, dtype=np.int32))


CONCEPT = (np.arange(ITEMS + 1) % 4 == 0)[:, None].astype(np.float32)
AS_IT_IS = Features("latents", ("a",), lambda x: x)


def test_clustered_interval_equals_a_user_bootstrap(positions):
    low, high = clustered.correlation_interval(clustered.user_sums(AS_IT_IS, positions, CONCEPT, np.array([0])))
    rng = np.random.default_rng(0)
    a, y = positions.values[:, 0], CONCEPT[positions.item_at, 0]
    rows = [np.flatnonzero(positions.user_at == u) for u in np.unique(positions.user_at)]
    drawn = []
    for _ in range(400):
        take = np.concatenate([rows[i] for i in rng.integers(len(rows), size=len(rows))])
        drawn.append(np.corrcoef(a[take], y[take])[0, 1])
    expected = np.percentile(drawn, [2.5, 97.5])
    assert (low[0], high[0]) == pytest.approx(tuple(expected), abs=0.2 * (expected[1] - expected[0]))


def test_sums_by_user_are_the_same_for_sparse_features(positions):
    sparse = Features("latents", ("a",), csr_array)
    one = clustered.user_sums(AS_IT_IS, positions, CONCEPT, np.array([0]))
    other = clustered.user_sums(sparse, positions, CONCEPT, np.array([0]))
    for name in ("n", "a", "aa", "ay", "y", "yy", "fires", "highest"):
        assert getattr(other, name) == pytest.approx(getattr(one, name))


def test_enrichment_interval_equals_a_user_bootstrap(positions):
    table = ConceptTable(("c",), ("genre",), CONCEPT)
    found = clustered.enrichment(csr_array(positions.values), positions, table, np.array([[0.3]])).iloc[0]
    fires, y = positions.values[:, 0] > 0, CONCEPT[positions.item_at, 0]
    sums = np.array([(y[u & fires].sum(), (u & fires).sum(), y[u].sum(), u.sum()) for u in
                     (positions.user_at == u for u in np.unique(positions.user_at))])  # fmt: skip
    rng = np.random.default_rng(0)
    t, f, all_y, n = sums[rng.integers(len(sums), size=(2000, len(sums)))].sum(1).T
    expected = np.percentile(t / f / (all_y / n), [2.5, 97.5])
    assert (found["low"], found["high"]) == pytest.approx(tuple(expected), abs=0.1 * (expected[1] - expected[0]))


def test_a_concept_that_nobody_met_is_left_out(positions):
    table = ConceptTable(("c", "never"), ("genre", "genre"), np.hstack([CONCEPT, 0 * CONCEPT]))
    found = clustered.enrichment(csr_array(positions.values), positions, table, np.array([[0.3, 0.0]]))
    assert found["concept"].tolist() == ["c"]


def test_enrichment_is_the_ratio_of_shares(positions):
    table = ConceptTable(("c",), ("genre",), CONCEPT)
    found = clustered.enrichment(csr_array(positions.values), positions, table, np.array([[0.3]])).iloc[0]
    fires, y = positions.values[:, 0] > 0, CONCEPT[positions.item_at, 0]
    assert found["lift"] == pytest.approx(y[fires].mean() / y.mean())
    assert found["low"] < found["lift"] < found["high"] and found["correlation"] == pytest.approx(0.3)


def test_weighted_correlation_equals_repeated_rows(positions):
    a, y = positions.values[:500], CONCEPT[positions.item_at[:500]]
    weights = np.random.default_rng(0).integers(0, 4, (1, 500)).astype(np.float32)
    expected = np.corrcoef(np.repeat(a[:, 0], weights[0].astype(int)), np.repeat(y[:, 0], weights[0].astype(int)))[0, 1]
    assert contest._correlations(weights, a, y)[0, 0] == pytest.approx(expected, abs=1e-4)


def test_two_way_weights_are_products_of_users_and_items(positions):
    weights = contest.Weights.draw(positions, ITEMS, 50, seed=0).values
    assert weights.shape == (50, 6000) and weights.mean() == pytest.approx(1.0, abs=0.05)
    same = (positions.user_at == positions.user_at[0]) & (positions.item_at == positions.item_at[0])
    assert (weights[:, same] == weights[:, [0]]).all()


def test_thresholds_are_balanced_and_exceeded_in_one_permutation_of_twenty():
    rng = np.random.default_rng(0)
    highest = np.column_stack([rng.gumbel(3, 0.3, 2000), rng.gumbel(8, 3, 2000), rng.gumbel(5, 0.5, 2000)])
    threshold = balanced_thresholds(highest, np.array([True, True, False]))
    exceeded = highest >= threshold
    assert exceeded.any(1).mean() == pytest.approx(0.05, abs=0.002)
    assert exceeded[:, 0].mean() == pytest.approx(exceeded[:, 1].mean(), abs=0.01)
    assert np.isinf(threshold[2]) and not exceeded[:, 2].any()


def test_a_contest_without_genres_has_no_figures(positions):
    sums = item_sums(AS_IT_IS, positions, ITEMS)
    nothing, halves = np.empty((ITEMS + 1, 0)), random_halves(ITEMS, 2, seed=0)
    entrant = contest.enter(AS_IT_IS, sums, sums, positions, nothing, halves)
    probe = contest.enter_probe(positions, positions, nothing, [], halves)
    weights = contest.Weights.draw(positions, ITEMS, 5, seed=0)
    drawn = {e.kind: contest.bootstrap(e, weights, positions, nothing, halves) for e in (entrant, probe)}
    figures = contest.headline(entrant, drawn["latents"])
    assert figures["mean_max_correlation"] is None and figures["ci95"] is None and figures["concepts"] == 0
    assert contest.difference(entrant, probe, drawn)["new_items"]["mean"] is None
