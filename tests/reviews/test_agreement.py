"""κ against scikit-learn, α against Krippendorff's published examples."""

import warnings

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from seqsae_core.reviews import agreement
from seqsae_core.reviews.agreement import MISSING
from seqsae_core.reviews.events import Event

NOMINAL = """1 2 3 3 2 1 4 1 2 . . .
1 2 3 3 2 2 4 1 2 5 . 3
. 3 3 3 2 3 4 2 2 5 1 .
1 2 3 3 2 4 4 1 2 5 1 ."""
BINARY = "0 1 0 0 0 0 0 0 1 0\n1 1 1 0 0 1 0 0 0 0"


def units(text: str) -> np.ndarray:
    """Answers (units, reviewers) of a table with one row a reviewer and dots where nothing was said."""
    return np.array([[MISSING if c == "." else int(c) for c in row.split()] for row in text.split("\n")]).T


@pytest.mark.parametrize(("text", "expected"), [(NOMINAL, 0.743), (BINARY, 0.095)])
def test_alpha_is_that_of_krippendorffs_examples(text, expected):
    assert agreement.alpha(units(text)) == pytest.approx(expected, abs=5e-4)


@pytest.mark.parametrize("seed", range(20))
def test_kappa_is_scikit_learns(seed):
    rng = np.random.default_rng(seed)
    a = rng.integers(0, 4, 50)
    b = np.where(rng.random(50) < 0.6, a, rng.integers(0, 4, 50))
    assert agreement.kappa(a, b) == pytest.approx(cohen_kappa_score(a, b), abs=1e-12)
    b[:10] = MISSING
    assert agreement.kappa(a, b) == pytest.approx(cohen_kappa_score(a[10:], b[10:]), abs=1e-12)


def test_kappa_of_one_answer_is_undefined_as_in_scikit_learn():
    same = np.zeros(5, int)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert np.isnan(cohen_kappa_score(same, same))
    assert np.isnan(agreement.kappa(same, same))
    assert agreement.everybody(np.zeros((5, 2), int)) == agreement.Estimate(None, None, None, 5)


def test_alpha_by_its_definition_over_pairs():
    rng = np.random.default_rng(3)
    values = rng.integers(0, 3, (30, 4))
    values[rng.random(values.shape) < 0.3] = MISSING
    kept = [row[row != MISSING] for row in values]
    kept = [row for row in kept if len(row) > 1]
    pooled = np.concatenate(kept)
    n = len(pooled)
    observed = sum((row[:, None] != row).sum() / (len(row) - 1) for row in kept) / n
    expected = (pooled[:, None] != pooled).sum() / (n * (n - 1))
    assert agreement.alpha(values) == pytest.approx(1 - observed / expected)


def test_full_agreement_is_one_and_chance_is_about_nought():
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 4, (2, 20_000))
    assert agreement.alpha(np.stack([a, a], 1)) == 1
    assert agreement.kappa(a, a) == 1
    assert agreement.alpha(np.stack([a, b], 1)) == pytest.approx(0, abs=0.02)


def test_intervals_hold_the_estimate_and_narrow_with_more_latents():
    rng = np.random.default_rng(1)
    a = rng.integers(0, 3, 400)
    b = np.where(rng.random(400) < 0.7, a, rng.integers(0, 3, 400))
    few, many = (agreement.everybody(np.stack([a[:n], b[:n]], 1)) for n in (25, 400))
    for found in (few, many):
        assert found.low < found.value < found.high
    assert many.high - many.low < few.high - few.low


def test_the_table_has_a_row_a_latent_and_gaps_where_nobody_spoke():
    said = [("Ada", 5, "confirm"), ("Bob", 5, "reject"), ("Ada", 9, "confirm")]
    values, reviewers, latents = agreement.table([Event(w, "f", f, "verdict", v) for w, f, v in said])
    assert (reviewers, latents) == (["Ada", "Bob"], [5, 9])
    assert values.tolist() == [[0, 1], [0, MISSING]]
    assert agreement.pairs(values, reviewers)["Ada", "Bob"].latents == 1
