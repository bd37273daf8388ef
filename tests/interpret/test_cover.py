"""The greedy cover, against scikit-learn's pursuit on positions, least squares, and planted concepts."""

import numpy as np
import pytest
from scipy.sparse import csc_array
from sklearn.linear_model import OrthogonalMatchingPursuit

from seqsae_core.interpret.cover import Codes, candidates, cover, moments, pursue

ITEMS, N, LATENTS = 60, 4000, 12
EVERYWHERE = np.ones(ITEMS + 1, bool)


def users(seed: int, levels: np.ndarray) -> Codes:
    """Noisy non-negative activations of latents with these levels at items, (ITEMS + 1, latents)."""
    rng = np.random.default_rng(seed)
    item_at = rng.integers(1, ITEMS + 1, N)
    noise = rng.random((N, levels.shape[1])) < 0.9
    return Codes(csc_array(levels[item_at] * noise * rng.uniform(0.5, 1.5, noise.shape)), item_at)


def correlations(found: Codes, concept: np.ndarray, inside: np.ndarray) -> np.ndarray:
    keep = inside[found.item_at]
    a, y = found.codes.toarray()[keep], concept[found.item_at][keep]
    with np.errstate(invalid="ignore"):
        return np.nan_to_num(np.corrcoef(a.T, y)[-1, :-1])


def covered(levels: np.ndarray, concept: np.ndarray, steps: int = 5):
    select, score = users(0, levels), users(1, levels)
    halves = [np.arange(ITEMS + 1) % 2 == 0, np.arange(ITEMS + 1) % 3 == 0]
    r = [correlations(select, concept, inside) for inside in (EVERYWHERE, *halves)]
    return select, score, cover(select, score, concept, r, halves, steps)


@pytest.fixture(scope="module")
def world():
    rng = np.random.default_rng(2)
    levels = rng.exponential(size=(ITEMS + 1, LATENTS)) * (rng.random((ITEMS + 1, LATENTS)) < 0.4)
    concept = (levels[:, 3] + 0.7 * levels[:, 5] + 0.4 * levels[:, 7] > 0.5).astype(float)
    return levels, concept


def test_the_path_is_scikit_learns_pursuit_on_standardised_positions(world):
    levels, concept = world
    found = users(0, levels)
    few = np.array([1, 3, 5, 7, 8, 11])
    path = pursue(moments(found, concept, EVERYWHERE, few), few, steps=4)
    a, y = found.codes.toarray()[:, few], concept[found.item_at]
    for size in range(1, 5):
        reference = OrthogonalMatchingPursuit(n_nonzero_coefs=size).fit((a - a.mean(0)) / a.std(0), y)
        assert set(path.latents[:size]) == set(few[np.flatnonzero(reference.coef_)])
        x = np.column_stack([np.ones(N), found.codes.toarray()[:, path.latents[:size]]])
        fitted = np.linalg.lstsq(x, y, rcond=None)[0]
        assert path.intercepts[size - 1] == pytest.approx(fitted[0])
        assert path.coefficients[:size, size - 1] == pytest.approx(fitted[1:])
        assert not path.coefficients[size:, size - 1].any()


def test_moments_are_those_of_the_positions_at_the_items_inside(world):
    levels, concept = world
    found, inside, few = users(0, levels), np.arange(ITEMS + 1) % 2 == 0, np.array([3, 5])
    got, keep = moments(found, concept, inside, few), inside[found.item_at]
    a, y = found.codes.toarray()[keep][:, few], concept[found.item_at][keep]
    whole = np.cov(np.column_stack([a, y]).T, bias=True)
    assert got.covariance == pytest.approx(whole[:2, :2])
    assert got.cross == pytest.approx(whole[:2, 2])
    assert (got.n, got.concept_mean, got.concept_variance) == pytest.approx((keep.sum(), y.mean(), y.var()))
    both = np.array([[1.0, 0.5], [0.0, -2.0]])
    assert got.correlation(both) == pytest.approx([np.corrcoef(a @ w, y)[0, 1] for w in both.T])


def test_each_step_is_scored_on_the_other_users(world):
    levels, concept = world
    _, score, found = covered(levels, concept)
    y, a = concept[score.item_at], score.codes.toarray()[:, found.path.latents]
    expected = [np.corrcoef(a @ found.path.coefficients[:, k], y)[0, 1] for k in range(len(found.path))]
    assert found.same == pytest.approx(expected)
    assert found.same[0] == pytest.approx(correlations(score, concept, EVERYWHERE)[found.path.latents[0]])


def test_two_latents_that_share_a_concept_are_both_found_and_carry_over_to_new_items():
    levels = np.zeros((ITEMS + 1, LATENTS))
    concept = (np.arange(ITEMS + 1) % 5 < 2).astype(float)
    levels[np.arange(ITEMS + 1) % 5 == 0, 2] = 1.0
    levels[np.arange(ITEMS + 1) % 5 == 1, 9] = 30.0
    levels[::7, 4] = 1.0
    _, _, found = covered(levels, concept)
    assert set(found.path.latents[:2]) == {2, 9}
    assert found.same[1] > found.same[0] + 0.2 and found.new[1] > found.new[0] + 0.2
    assert found.weights(2) == pytest.approx([1.0, 1.0], abs=0.1)


def test_latents_that_know_single_items_add_nothing_on_new_items():
    levels, concept = np.zeros((ITEMS + 1, LATENTS)), (np.arange(ITEMS + 1) > 30).astype(float)
    for latent in range(LATENTS):
        levels[31 + 2 * latent, latent] = 1.0
    _, _, found = covered(levels, concept)
    assert (np.diff(found.same) > 0.02).all()
    assert np.abs(found.new).max() < 0.05


def test_the_scale_of_a_latent_does_not_matter(world):
    levels, concept = world
    scaled = levels * np.where(np.arange(LATENTS) == 5, 1000.0, 1.0)
    plain, other = covered(levels, concept)[2], covered(scaled, concept)[2]
    assert plain.path.latents.tolist() == other.path.latents.tolist()
    assert plain.new == pytest.approx(other.new)


def test_candidates_are_positive_and_the_best_come_first():
    assert candidates(np.array([0.1, -0.5, 0.3, 0.0, 0.3]), 2).tolist() == [2, 4]
    assert candidates(np.zeros(3)).tolist() == []


def test_nothing_covers_a_constant_or_unknown_concept_and_twins_end_the_path(world):
    levels, concept = world
    found = users(0, levels)
    everything = np.arange(LATENTS)
    assert len(pursue(moments(found, np.ones(ITEMS + 1), EVERYWHERE, everything), everything)) == 0
    assert len(pursue(moments(found, concept, EVERYWHERE, everything[:0]), everything[:0])) == 0
    twins = Codes(csc_array(found.codes[:, [3, 3, 3]]), found.item_at)
    assert len(pursue(moments(twins, concept, EVERYWHERE, np.arange(3)), np.arange(3))) == 1


def test_halves_that_end_early_stay_at_what_they_reached():
    levels, concept = np.zeros((ITEMS + 1, 3)), (np.arange(ITEMS + 1) % 6 == 0).astype(float)
    levels[concept > 0, 0] = levels[::4, 1] = 1.0
    concept[3] = 1.0
    levels[3, 2] = 1.0
    _, _, found = covered(levels, concept)
    assert len(found.new) == len(found.same) == len(found.path)
    assert np.isfinite(found.new).all()


def test_without_a_half_there_is_no_figure_of_new_items(world):
    levels, concept = world
    found = users(0, levels)
    assert cover(found, found, concept, [correlations(found, concept, EVERYWHERE)], []).new is None
