"""Next-item losses over real positions."""

import math

import torch
from torch import Tensor
from torch.nn import functional as F


def full_softmax(states: Tensor, targets: Tensor, vectors: Tensor, bias: Tensor) -> Tensor:
    """Mean cross-entropy over the whole catalogue. states: (n, width); targets: (n,) items 1..n_items."""
    return F.cross_entropy(F.linear(states, vectors[1:], bias[1:]), targets - 1)


def sampled_softmax(states: Tensor, targets: Tensor, vectors: Tensor, bias: Tensor, negatives: Tensor) -> Tensor:
    """Mean cross-entropy over the target and distinct uniform negatives (k,) shared by the batch.

    Each negative's logit gains log(n_items / k), which makes the partition sum unbiased (Bengio & Senécal, 2008,
    importance sampling with a uniform proposal); a negative equal to the target is left out. Rows are looked up by
    operations whose gradients are summed in one order: indexing would add them up as threads come.
    """
    positive = (states * F.embedding(targets, vectors)).sum(-1) + bias.index_select(0, targets)
    log_q = math.log((len(vectors) - 1) / len(negatives))
    row, column = _hits(targets, negatives, len(vectors))
    return _SharedSoftmax.apply(states, vectors[negatives], bias[negatives] + log_q, positive, row, column)


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
