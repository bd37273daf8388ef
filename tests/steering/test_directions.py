"""Directions of every method on activations whose answer is known."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import Ridge

from seqsae_core.errors import UserError
from seqsae_core.sae.activations import Activations
from seqsae_core.steering import directions as d
from seqsae_core.steering.designs import Landscape
from seqsae_core.steering.steerer import Steerer
from seqsae_core.steering.sureness import sureness


@pytest.fixture(scope="module")
def world() -> tuple[np.ndarray, np.ndarray]:
    """Activations (2000, 8): coordinate 2 falls by 3 where the concept is there."""
    rng = np.random.default_rng(0)
    has = rng.random(2000) < 0.2
    values = rng.normal(size=(2000, 8)).astype(np.float32)
    values[has, 2] -= 3
    return values, has


def test_mean_difference_neuron_and_probe_find_the_coordinate(world):
    values, has = world
    assert np.allclose(d.mean_difference(values, has), values[has].mean(0) - values[~has].mean(0))
    assert d.best_neuron(values, has).tolist() == [0, 0, -1, 0, 0, 0, 0, 0]
    ridge = Ridge(alpha=d.RIDGE * len(values) * values.var(0).mean()).fit(values, has)
    assert np.allclose(d.probe(values, has), ridge.coef_, rtol=1e-3)


def test_a_direction_is_one_standard_deviation_long(world):
    values, _ = world
    direction = d.vector_direction(np.eye(8)[2] * 7, values, "probe", 5)
    assert direction.displacement[2] == pytest.approx(values[:, 2].std(), rel=1e-4)
    assert not direction.boost.any()


def test_directions_without_length_or_contrast_stay_zero(world):
    values, _ = world
    nobody = np.zeros(len(values), bool)
    found = [method(values, nobody) for method in (d.mean_difference, d.best_neuron, d.probe)]
    for vector in (np.zeros(8), *found):
        assert not d.vector_direction(vector, values, "random", 5).displacement.any()
    constant = np.ones((10, 8), np.float32)
    assert d.vector_direction(np.ones(8), constant, "random", 5).displacement.abs().max() < 1e-12


def test_latents_are_the_best_correlated_ones_that_fire():
    decoder = torch.eye(4)
    units = np.array([1.0, 2.0, np.nan, 4.0])
    r = np.array([[0.1], [0.4], [0.9], [0.2]])
    sae = type("Decoder", (), {"W_dec": decoder})()
    several = d.latents_direction(d.Dictionary.of(sae, units, r), 0, 3, "latents", 5)
    assert several.latents == (1, 3, 0)
    assert several.weights == pytest.approx((1, 0.5, 0.25))
    assert several.displacement.tolist() == pytest.approx([0.25, 2.0, 0.0, 2.0])
    nothing = d.latents_direction(d.Dictionary.of(sae, units, -r), 0, 3, "latents", 5)
    assert nothing.latents == ()
    assert not nothing.displacement.any()


def test_a_concept_as_an_edit_is_its_direction(model, sae, units):
    r = np.random.default_rng(0).uniform(-0.5, 0.5, (32, 2))
    dictionary = d.Dictionary.of(sae, units, r)
    edit = d.concept_edit(dictionary, 1, 5, 3.0)
    direction = d.latents_direction(dictionary, 1, 5, "latents", 40)
    assert edit.latents == direction.latents
    moved = Steerer(model, sae, 1, units).displacement([edit])
    assert torch.allclose(moved, 3.0 * direction.displacement, atol=1e-6)
    with pytest.raises(UserError, match="choose another"):
        d.concept_edit(d.Dictionary.of(sae, units, -np.abs(r)), 1, 5, 3.0)


def test_every_method_is_there_once_and_draws_with_the_seed(world):
    values, has = world
    item_at = np.where(has, 1, 2).astype(np.int32)
    activations = Activations(values, item_at, item_at, item_at)
    dictionary = d.Dictionary(torch.eye(8), np.ones(8), np.full((8, 2), 0.3))
    labels = np.array([0, 1, 0], np.float32)
    chances, vectors = torch.full((4, 3), 1 / 3), torch.randn(3, 8)
    landscape = Landscape(chances, torch.eye(8).repeat(4, 1, 1), vectors, torch.eye(8))
    one, two, other = (
        d.all_directions(dictionary, 1, labels, activations, activations, landscape, 5, 0.5, seed)
        for seed in (1, 1, 2)
    )
    assert tuple(direction.method for direction in one) == d.METHODS
    assert all(torch.equal(a.displacement, b.displacement) for a, b in zip(one, two, strict=True))
    changed = [a.method for a, b in zip(one, other, strict=True) if not torch.equal(a.displacement, b.displacement)]
    assert changed == ["random"]
    by_name = {direction.method: direction for direction in one}
    for name in ("latents_by_correlation", "latents_learned", "probe", "rerank"):
        base, own = by_name[name], by_name[name + d.SURE]
        assert torch.equal(base.displacement, own.displacement) and torch.equal(base.boost, own.boost)
        assert (base.latents, base.weights, base.usual_sureness) == (own.latents, own.weights, None)
        assert own.usual_sureness == pytest.approx(float(sureness(chances).median()))
    assert by_name["rerank"].boost.tolist() == [0, 0.5, 0]
    assert not by_name["rerank"].displacement.any()
