"""The warm start."""

import numpy as np
import pytest

from seqsae_core.recommender.spectral import cooccurrence, ppmi, spectral_embeddings


def test_cooccurrence_counts_by_distance_within_a_user():
    counts = cooccurrence(np.array([1, 2, 3, 1]), np.array([0, 0, 0, 1]), 3, window=2).toarray()
    assert counts[1, 2] == counts[2, 1] == 1.0 and counts[1, 3] == 0.5
    assert counts[3, 1] == 0.5  # the next user's item 1 is no neighbour of item 3
    matrix = ppmi(cooccurrence(np.array([1, 2, 3, 1]), np.array([0, 0, 0, 1]), 3, window=2)).toarray()
    assert matrix[1, 2] == pytest.approx(np.log(5.0 * 1.0 / (1.5 * 2.0)))


def test_spectral_vectors_place_companions_together():
    rng = np.random.default_rng(0)
    items = np.concatenate([rng.permutation(np.arange(1, 11)) + 10 * (u % 2) for u in range(200)])
    vectors = spectral_embeddings(items, np.repeat(np.arange(200), 10), 20, 4, seed=0)[1:]
    cosine = (vectors @ vectors.T) / np.outer(*[np.linalg.norm(vectors, axis=1)] * 2)
    assert cosine[:10, :10].mean() > 0.7 and abs(cosine[:10, 10:]).max() < 0.3
    assert vectors.std() == pytest.approx(0.1, rel=1e-4)
