"""How sure a recommender is of its list, and the factor that scales a strength by it, for each user.

An item that gives way costs what the model expected of it, so the same edit costs most where the list is sure.
"""

import torch
from torch import Tensor

K = 10
LEAST, MOST = 0.4, 2.5


def sureness(chances: Tensor) -> Tensor:
    """The NDCG@10 that the model expects of its own list, (batch,): Σ p₍ᵣ₎ / log₂(r + 1), r = 1 … 10.

    chances: softmax of the scores over unseen items, (batch, n_items + 1); p₍ᵣ₎ the r-th largest.
    """
    best = chances.topk(min(K, chances.shape[1]), dim=1).values
    return best @ (1 / torch.log2(torch.arange(best.shape[1], dtype=best.dtype) + 2))


def factor(own: Tensor, usual: float) -> Tensor:
    """What strengths are multiplied by, (batch,): usual / own sureness, at least LEAST, at most MOST."""
    return (usual / own.clamp(min=torch.finfo(own.dtype).tiny)).clamp(LEAST, MOST)
