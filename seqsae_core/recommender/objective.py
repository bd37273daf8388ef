"""Next-item losses over real positions."""

import math

import torch
from torch import Tensor
from torch.nn import functional as F


def full_softmax(states: Tensor, targets: Tensor, vectors: Tensor, bias: Tensor) -> Tensor:
    """Mean cross-entropy over the whole catalogue. states: (n, width); targets: (n,) items 1..n_items."""
    return F.cross_entropy(F.linear(states, vectors[1:], bias[1:]), targets - 1)


def sampled_softmax(states: Tensor, targets: Tensor, vectors: Tensor, bias: Tensor, negatives: Tensor) -> Tensor:
    """Mean cross-entropy over the target and uniform negatives shared by the batch.

    Each negative's logit gains log(n_items / k), which makes the partition sum unbiased (Bengio & Senécal, 2008,
    importance sampling with a uniform proposal); negatives equal to the target are left out.
    """
    positive = (states * vectors[targets]).sum(-1) + bias[targets]
    log_q = math.log((len(vectors) - 1) / len(negatives))
    logits = F.linear(states, vectors[negatives], bias[negatives] + log_q)
    logits = logits.masked_fill(negatives == targets[:, None], -torch.inf)
    return (torch.logaddexp(torch.logsumexp(logits, 1), positive) - positive).mean()
