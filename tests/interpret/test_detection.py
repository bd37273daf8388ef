"""Features as detectors, against scikit-learn and closed forms."""

import numpy as np
import pytest
from scipy.sparse import csc_array
from sklearn.metrics import average_precision_score, precision_recall_curve, roc_auc_score

from seqsae_core.interpret.detection import detect, promoted


@pytest.fixture(scope="module")
def drawn():
    """Codes with many zeros and ties, and concepts of several sizes."""
    rng = np.random.default_rng(0)
    codes = np.round(rng.exponential(size=(400, 7)), 1) * (rng.random((400, 7)) < 0.3)
    concepts = rng.random((400, 5)) < [0.5, 0.1, 0.02, 0.3, 0.9]
    return codes.astype(np.float32), concepts


def test_areas_and_precisions_are_those_of_scikit_learn(drawn):
    codes, concepts = drawn
    found = detect(csc_array(codes), concepts)
    for feature, a in enumerate(codes.T):
        for concept, y in enumerate(concepts.T):
            place = feature, concept
            assert found.roc_auc[place] == pytest.approx(roc_auc_score(y, a))
            assert found.average_precision[place] == pytest.approx(average_precision_score(y, a))
            precision, recall, _ = precision_recall_curve(y, a)
            best = np.nanmax(2 * precision * recall / np.maximum(precision + recall, 1e-12))
            assert found.f1[place] == pytest.approx(best)
            assert found.mean_in[place] == pytest.approx(a[y].mean(), rel=1e-5)
            assert found.mean_out[place] == pytest.approx(a[~y].mean(), rel=1e-5)


def test_a_feature_that_never_fires_knows_nothing():
    concepts = np.arange(10)[:, None] < [3, 10, 0]
    found = detect(csc_array((10, 2), dtype=np.float32), concepts)
    assert found.roc_auc[:, 0].tolist() == [0.5, 0.5]
    assert found.average_precision[:, 0] == pytest.approx(0.3)
    assert found.f1[:, 0] == pytest.approx(6 / 13)
    assert found.mean_in[:, 0].tolist() == found.mean_out[:, 0].tolist() == [0, 0]


def test_a_concept_of_all_positions_or_none_has_no_figures_and_the_table_says_so():
    codes, concepts = np.eye(10, 2, dtype=np.float32), np.arange(10)[:, None] < [3, 10, 0]
    table = detect(csc_array(codes), concepts).table(("some", "all", "none"))
    assert table["concept"].tolist() == ["some", "all", "none"] * 2 and table["feature"].tolist() == [0] * 3 + [1] * 3
    assert table.set_index("concept")["roc_auc"].isna().tolist() == [False, True, True] * 2


def test_codes_stored_as_zero_do_not_fire(drawn):
    codes, concepts = drawn
    stored = csc_array(codes)
    stored.data[:20] = 0
    whole = detect(csc_array(stored.toarray()), concepts)
    assert np.array_equal(detect(stored, concepts).roc_auc, whole.roc_auc)


def test_promotion_is_the_difference_of_means_and_the_area_over_items(drawn):
    _, concepts = drawn
    effects = np.random.default_rng(1).normal(size=(3, 400)).round(1)
    effects[2] = 1.0
    difference, area = promoted(effects, concepts)
    for feature, effect in enumerate(effects[:2]):
        for concept, y in enumerate(concepts.T):
            expected = (effect[y].mean() - effect[~y].mean()) / effect.std()
            assert difference[feature, concept] == pytest.approx(expected)
            assert area[feature, concept] == pytest.approx(roc_auc_score(y, effect))
    assert (difference[2] == 0).all() and area[2] == pytest.approx(0.5)
    nothing = promoted(effects, np.zeros((400, 1), bool))
    assert np.isnan(nothing).all()
