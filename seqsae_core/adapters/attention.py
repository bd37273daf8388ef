"""Multi-head attention whose queries and keys may come from different tensors, for all positions or for the last."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Attention(nn.Module):
    """Scaled dot-product attention (Vaswani et al., 2017, section 3.2); `qkv` holds the three projections in a row."""

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.heads = heads
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)

    def forward(self, query: Tensor, source: Tensor, visible: Tensor) -> Tensor:
        """query: (batch, length, width); source: (batch, keys, width), what keys and values are made of.

        visible: (batch, 1, length, keys), added to the logits: 0 where a query sees a key, −∞ where it does not.
        """
        mixed = F.scaled_dot_product_attention(self._query(query), *self._keys(source), attn_mask=visible)
        return self.out(mixed.transpose(1, 2).flatten(2))

    def last(self, query: Tensor, before: Tensor, own: Tensor, visible: Tensor) -> Tensor:
        """For variants of the last position: query and own (batch, variants, width), its query and its key's source.

        Each sees its own key and those of `before` (batch, keys, width), with visible (batch, 1, 1, keys).
        """
        q, (k, v), (own_k, own_v) = self._query(query), self._keys(before), self._keys(own)
        scale = q.shape[-1] ** -0.5
        logits = q @ k.transpose(-1, -2) * scale + visible
        weights = torch.cat([logits, (q * own_k).sum(-1, keepdim=True) * scale], dim=-1).softmax(-1)
        mixed = weights[..., :-1] @ v + weights[..., -1:] * own_v
        return self.out(mixed.transpose(1, 2).flatten(2))

    def _query(self, x: Tensor) -> Tensor:
        width = x.shape[-1]
        return self._split(F.linear(x, self.qkv.weight[:width], self.qkv.bias[:width]))

    def _keys(self, x: Tensor) -> tuple[Tensor, Tensor]:
        width = x.shape[-1]
        k, v = F.linear(x, self.qkv.weight[width:], self.qkv.bias[width:]).chunk(2, dim=-1)
        return self._split(k), self._split(v)

    def _split(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)


def causal(real: Tensor) -> Tensor:
    """0 where a query sees a key, else −∞, (batch, 1, length, length): the real keys up to its own place.

    real: bool (batch, length).
    """
    return _logits(real[:, None, None, :] & _square(real).tril() | _diagonal(real))


def both_ways(real: Tensor) -> Tensor:
    """The same for queries that see every real key."""
    return _logits(real[:, None, None, :] | _diagonal(real))


def _logits(seen: Tensor) -> Tensor:
    return torch.zeros(seen.shape, device=seen.device).masked_fill(~seen, -torch.inf)


def _square(real: Tensor) -> Tensor:
    return torch.ones(real.shape[1], real.shape[1], dtype=torch.bool, device=real.device)


def _diagonal(real: Tensor) -> Tensor:
    """Padding sees itself, or its softmax is NaN."""
    return torch.eye(real.shape[1], dtype=torch.bool, device=real.device)
