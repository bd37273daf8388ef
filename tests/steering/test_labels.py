"""Few labels: drawn with the seed, and correlations against numpy."""

import numpy as np
import pytest
import torch
from scipy.sparse import csr_array

from seqsae_core.steering.directions import Dictionary
from seqsae_core.steering.labels import FewLabels, correlations, draw_labels


@pytest.fixture
def codes() -> np.ndarray:
    rng = np.random.default_rng(0)
    codes = np.where(rng.random((300, 6)) < 0.2, rng.random((300, 6)), 0.0)
    codes[:, 5] = 0
    return codes


def test_correlations_are_pearsons(codes):
    has = np.random.default_rng(1).random(300) < 0.3
    expected = [np.corrcoef(codes[:, n], has)[0, 1] for n in range(5)]
    assert np.allclose(correlations(csr_array(codes), has), [*expected, 0])
    assert not correlations(csr_array(codes), np.zeros(300, bool)).any()


def test_labels_are_drawn_among_those_there():
    labels = np.array([0, 1, 1, 0, 1, 1, 1], np.float32)
    one, again, other = (draw_labels(labels, 2, seed) for seed in (0, 0, 3))
    assert one.sum() == 2
    assert (one <= labels).all()
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)
    assert np.array_equal(draw_labels(labels, 99, 0), labels)


def test_only_the_concepts_own_correlations_are_measured_anew(codes):
    item_at = np.random.default_rng(2).integers(1, 41, 300)
    labels = np.append(0, np.ones(40)).astype(np.float32)
    dictionary = Dictionary(torch.eye(6), np.ones(6), np.full((6, 2), 0.5))
    known, few = FewLabels(csr_array(codes), item_at, 0).of(dictionary, 1, labels)
    assert few.sum() == 4
    assert (known.correlation[:, 0] == 0.5).all()
    assert np.array_equal(known.correlation[:, 1], correlations(csr_array(codes), few[item_at] > 0.5))
    assert FewLabels(csr_array(codes), item_at, 0, count=7).of(dictionary, 0, labels)[1].sum() == 7
