"""Few labels: drawn with the seed, and correlations against numpy."""

import numpy as np
import pytest
import torch
from scipy.sparse import csr_array

from seqsae_core.steering.directions import Dictionary
from seqsae_core.steering.labels import LEAST_SEEN, FewLabels, Regions, correlations, draw_labels


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


def test_a_region_stands_for_the_items_it_is_most_active_at(codes):
    item_at = np.repeat(np.arange(1, 11), 30)
    codes = codes.copy()
    codes[item_at == 4, 2] += 5
    codes[item_at == 7, 3] += 2
    codes[(item_at == 9) & (np.arange(300) % 30 >= LEAST_SEEN - 1), 2] = 0
    item_at[(item_at == 9) & (np.arange(300) % 30 >= LEAST_SEEN - 1)] = 10
    codes[item_at == 9, 2] += 50
    dictionary = Dictionary(torch.eye(6), np.ones(6), np.full((6, 2), 0.5))
    known = Regions(csr_array(codes), item_at, np.ones(6), {1: [2, 3]}, count=2)
    found, items = known.of(dictionary, 1, np.zeros(11, np.float32))
    assert np.flatnonzero(items).tolist() == [4, 7], "item 9 is at too few positions"
    expected = correlations(csr_array(codes), items[item_at] > 0.5)
    assert found.correlation[:, 1] == pytest.approx(np.where(np.isin(np.arange(6), [2, 3]), expected, 0))
    assert (found.correlation[:, 0] == 0.5).all()
    doubled = Regions(csr_array(codes), item_at, np.array([1, 1, 1e3, 1, 1, 1]), {1: [2, 3]}, count=1)
    assert np.flatnonzero(doubled.of(dictionary, 1, np.zeros(11, np.float32))[1]).tolist() == [7]
    nothing = known.of(dictionary, 0, np.zeros(11, np.float32))
    assert not nothing[1].any() and not nothing[0].correlation[:, 0].any()
