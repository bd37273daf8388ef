"""Losses of states against the items that they must predict."""

import torch
from torch import Tensor
from torch.nn import functional as F


def full_softmax(states: Tensor, targets: Tensor, vectors: Tensor, bias: Tensor) -> Tensor:
    """Mean cross-entropy over the whole catalogue. states: (n, width); targets: (n,) items 1..n_items."""
    return F.cross_entropy(F.linear(states, vectors[1:], bias[1:]), targets - 1)


def sampled_softmax(
    states: Tensor, targets: Tensor, vectors: Tensor, bias: Tensor, negatives: Tensor, log_weight: Tensor
) -> Tensor:
    """Mean cross-entropy over the target and distinct negatives (k,) shared by the batch.

    Each negative's logit gains its `log_weight` (k,), which makes the partition sum unbiased (see `Negatives.draw`);
    a negative equal to the target is left out.
    """
    positive = _positive(states, targets, vectors, bias)
    row, column = _hits(targets, negatives, len(vectors))
    return _SharedSoftmax.apply(states, vectors[negatives], bias[negatives] + log_weight, positive, row, column)


def gbce(
    states: Tensor, targets: Tensor, vectors: Tensor, bias: Tensor, negatives: Tensor, calibration: float
) -> Tensor:
    """Generalised binary cross-entropy with k uniform negatives shared by the batch, mean over 1 + k.

    The positive's sigmoid has the power β = α(t(1 − 1/α) + 1/α) with the sampling rate α = k / (n_items − 1) and the
    calibration t: 0 is plain BCE, 1 is calibrated as the softmax is (Petrov & Macdonald, 2023, eq. 11 and 14).
    """
    rate = min(1.0, len(negatives) / max(len(vectors) - 2, 1))
    power = rate * (calibration * (1 - 1 / rate) + 1 / rate)
    positive = _positive(states, targets, vectors, bias)
    logits = torch.addmm(bias[negatives], states, vectors[negatives].T)
    row, column = _hits(targets, negatives, len(vectors))
    against = F.softplus(logits).index_put((row, column), logits.new_zeros(()))
    return (power * F.softplus(-positive) + against.sum(1)).mean() / (1 + len(negatives))


def _positive(states: Tensor, targets: Tensor, vectors: Tensor, bias: Tensor) -> Tensor:
    """Each state's score of its target, by lookups whose gradients are summed in one order; indexing's are not."""
    return (states * F.embedding(targets, vectors)).sum(-1) + bias.index_select(0, targets)


def _hits(targets: Tensor, negatives: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """Rows and columns where a target is among the distinct negatives, without comparing all pairs."""
    place = negatives.new_full((size,), -1)
    place[negatives] = torch.arange(len(negatives), device=negatives.device)
    column = place[targets]
    row = torch.nonzero(column >= 0).squeeze(1)
    return row, column[row]


class _SharedSoftmax(torch.autograd.Function):
    """Mean of logsumexp(positive, states @ vectorsᵀ + bias) − positive, with [row, column] left out.

    The (n, k) logits are written once and turned into the gradient in place: half the time of autograd's own way.
    """

    @staticmethod
    def forward(ctx, states, vectors, bias, positive, row, column):
        weights = torch.addmm(bias, states, vectors.T)
        weights[row, column] = -torch.inf
        top = torch.maximum(weights.amax(1), positive)
        weights.sub_(top[:, None]).exp_()
        own = (positive - top).exp()
        total = weights.sum(1) + own
        ctx.save_for_backward(states, vectors, weights, own, total)
        return (total.log() + top - positive).mean()

    @staticmethod
    def backward(ctx, gradient):
        states, vectors, weights, own, total = ctx.saved_tensors
        mean = gradient / len(total)
        scale = mean / total
        to_vectors, to_bias = weights.T @ (states * scale[:, None]), weights.T @ scale
        return (weights @ vectors) * scale[:, None], to_vectors, to_bias, own * scale - mean, None, None
