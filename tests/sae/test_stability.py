"""Matched cosine on dictionaries whose partners are known."""

import numpy as np
import pytest

from seqsae_core.sae.stability import matched_cosine, stability


def test_a_shuffled_rescaled_copy_is_perfectly_stable():
    rng = np.random.default_rng(0)
    decoder = rng.normal(size=(30, 8))
    copy = decoder[rng.permutation(30)] * rng.uniform(0.5, 2.0, (30, 1))
    assert stability(decoder, [copy, decoder]) == pytest.approx(np.ones(30), abs=1e-6)


def test_a_partner_serves_only_one_latent():
    decoder = np.array([[1.0, 0.0], [1.0, 0.1], [0.0, 0.0]])
    other = np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]])
    matched = matched_cosine(decoder, other)
    assert matched[0] == pytest.approx(1.0) and matched[1] == pytest.approx(0.1, abs=0.01) and matched[2] == 0.0
