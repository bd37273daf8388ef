"""Strengths by how sure the model is of a user's list."""

import numpy as np
import pytest
import torch

from seqsae_core.steering.sureness import LEAST, MOST, K, factor, sureness


def test_sureness_is_the_ndcg_that_the_model_expects_of_its_list():
    chances = torch.tensor(np.random.default_rng(0).dirichlet(np.full(40, 0.3), 5), dtype=torch.float64)
    for row, found in zip(chances.numpy(), sureness(chances), strict=True):
        ranked = np.sort(row)[::-1][:K]
        assert float(found) == pytest.approx(sum(p / np.log2(r + 1) for r, p in enumerate(ranked, 1)))


def test_a_certain_list_has_1_and_an_even_one_the_least():
    certain, even = torch.zeros(1, 30), torch.full((1, 30), 1 / 30)
    certain[0, 7] = 1
    assert float(sureness(certain)) == 1
    assert float(sureness(even)) == pytest.approx(sum(1 / np.log2(r + 1) for r in range(1, K + 1)) / 30)
    assert sureness(torch.full((2, 4), 0.25)).shape == (2,)  # fewer items than a list has places


def test_the_factor_is_usual_over_own_within_its_bounds():
    own = torch.tensor([0.0, 1e-9, 0.05, 0.1, 0.2, 0.9])
    assert factor(own, 0.1).tolist() == pytest.approx([MOST, MOST, 2.0, 1.0, 0.5, LEAST])
