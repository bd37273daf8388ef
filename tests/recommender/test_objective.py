"""The losses against closed forms and each other, and the negatives against what they estimate."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from seqsae_core.recommender.negatives import Negatives
from seqsae_core.recommender.objective import full_softmax, gbce, sampled_softmax


def test_sampled_softmax_over_all_items_is_the_full_softmax():
    g = torch.Generator().manual_seed(0)
    states, vectors, bias = (torch.randn(*s, generator=g, dtype=torch.double) for s in [(6, 4), (11, 4), (11,)])
    targets = torch.tensor([1, 2, 3, 4, 5, 10])
    leaves = [t.requires_grad_() for t in (states, vectors, bias)]
    sampled = sampled_softmax(states, targets, vectors, bias, torch.arange(1, 11), torch.zeros(10))
    full = full_softmax(states, targets, vectors, bias)
    assert sampled.item() == pytest.approx(full.item())
    pairs = zip(torch.autograd.grad(sampled, leaves), torch.autograd.grad(full, leaves), strict=True)
    assert all(torch.allclose(ours, theirs) for ours, theirs in pairs)


def test_sampled_softmax_gradient_is_summed_in_one_order():
    g = torch.Generator().manual_seed(2)
    states, vectors, bias = (torch.randn(*s, generator=g) for s in [(20000, 16), (51, 16), (51,)])
    targets = torch.randint(1, 51, (20000,), generator=g)
    leaves = [t.requires_grad_() for t in (vectors, bias)]
    drawn = (torch.arange(1, 21), torch.ones(20))
    runs = [torch.autograd.grad(sampled_softmax(states, targets, *leaves, *drawn), leaves) for _ in range(5)]
    assert all(torch.equal(a, b) for run in runs for a, b in zip(run, runs[0], strict=True))


def test_sampled_softmax_gradient_is_its_numerical_one():
    g = torch.Generator().manual_seed(1)
    leaves = [torch.randn(*s, generator=g, dtype=torch.double, requires_grad=True) for s in [(6, 4), (11, 4), (11,)]]
    targets, negatives = torch.tensor([1, 2, 3, 4, 5, 10]), torch.tensor([2, 9, 10, 7])
    weight = torch.tensor([0.5, -1.0, 2.0, 0.0], dtype=torch.double)
    assert torch.autograd.gradcheck(lambda s, v, b: sampled_softmax(s, targets, v, b, negatives, weight), leaves)


def random_case(n: int = 6) -> tuple[torch.Tensor, ...]:
    g = torch.Generator().manual_seed(4)
    states, vectors, bias = (torch.randn(*s, generator=g, dtype=torch.double) for s in [(n, 4), (11, 4), (11,)])
    return states, torch.randint(1, 11, (n,), generator=g), vectors, bias


@pytest.mark.parametrize("calibration", [0.0, 0.75, 1.0])
def test_gbce_is_its_definition(calibration):
    states, targets, vectors, bias = random_case()
    negatives = torch.tensor([2, 9, 10, 7])
    k, rate = 4, 4 / 9
    beta = rate * (calibration * (1 - 1 / rate) + 1 / rate)
    scores = states @ vectors.T + bias
    losses = []
    for row, target in zip(scores, targets.tolist(), strict=True):
        against = sum(torch.log(1 - torch.sigmoid(row[n])) for n in negatives.tolist() if n != target)
        losses.append(-(beta * torch.log(torch.sigmoid(row[target])) + against) / (1 + k))
    found = gbce(states, targets, vectors, bias, negatives, calibration)
    assert found.item() == pytest.approx(torch.stack(losses).mean().item())


def test_gbce_without_calibration_is_plain_bce():
    states, targets, vectors, bias = random_case(1)
    negatives = torch.tensor([n for n in (2, 9, 7) if n != targets.item()])
    logits = (states @ vectors.T + bias)[0, torch.cat([targets, negatives])]
    expected = F.binary_cross_entropy_with_logits(logits, F.one_hot(torch.tensor(0), len(logits)).double())
    assert gbce(states, targets, vectors, bias, negatives, 0.0).item() == pytest.approx(expected.item())


@pytest.mark.parametrize("popular_share", [0.0, 0.5, 1.0])
def test_the_weighted_negatives_estimate_the_whole_sum_without_bias(popular_share):
    rng = np.random.default_rng(0)
    counts = np.append(0, rng.zipf(1.6, 40).clip(max=1000)) * 1.0
    values = np.append(0, rng.exponential(size=40))
    negatives = Negatives.make(12, popular_share, counts)
    draws = []
    for _ in range(20_000):
        items, log_weight = negatives.draw(rng)
        assert (np.diff(np.sort(items)) > 0).all() and items.min() >= 1
        draws.append((values[items] * np.exp(log_weight)).sum())
    error = np.std(draws) / np.sqrt(len(draws))
    assert np.mean(draws) == pytest.approx(values.sum(), abs=4 * error)


@pytest.mark.parametrize("uniform", [0, 3])
def test_items_never_seen_are_no_popular_negatives_and_weights_stay_finite(uniform):
    counts = np.array([0, 0, 3, 0, 1, 7, 0, 0])
    negatives, rng = Negatives.make(uniform + 40, 40 / (uniform + 40), counts), np.random.default_rng(0)
    for _ in range(200):
        items, log_weight = negatives.draw(rng)
        assert (items >= 1).all() and (items < len(counts)).all() and np.isfinite(log_weight).all()
        assert uniform or (counts[items] > 0).all()
    assert negatives.cumulative[-1] == 1.0


def test_no_more_negatives_than_items():
    items, log_weight = Negatives.make(1024, 0.0, np.append(0, np.ones(40))).draw(np.random.default_rng(0))
    assert sorted(items) == list(range(1, 41)) and (log_weight == 0).all()
