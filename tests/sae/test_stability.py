"""Matched cosine on dictionaries whose partners are known."""

import numpy as np
import pytest

from seqsae_core.sae.recurrence import recurrence
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


@pytest.mark.parametrize(
    ("value", "words"),
    [(1.0, "re-appears"), (0.8, "re-appears"), (0.79, "partly re-appears"), (0.5, "partly re-appears"),
     (0.49, "not found again"), (0.0, "not found again")],
)  # fmt: skip
def test_words_change_at_the_thresholds(value, words):
    assert recurrence(value) == words
