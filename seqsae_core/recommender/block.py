"""The block that every architecture is made of: pre-norm self-attention and MLP, as in GPT-2."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Dropout(nn.Module):
    """Inverted dropout whose mask costs a byte an entry: `p` is rounded to a 256th, and scaled by what it became.

    On the CPU, drawing Bernoulli floats one by one takes a fifth of the training time; random words take a hundredth.
    """

    def __init__(self, p: float):
        super().__init__()
        self.threshold = round(256 * p)

    def forward(self, x: Tensor) -> Tensor:
        """x of any shape; itself in evaluation mode."""
        if not self.training or not self.threshold:
            return x
        words = torch.empty((x.numel() + 7) // 8, dtype=torch.int64, device=x.device).random_(-(2**63), None)
        keep = words.view(torch.uint8)[: x.numel()].view(x.shape) >= self.threshold
        return x * keep * (256 / (256 - self.threshold))


class Block(nn.Module):
    """Pre-norm self-attention and a two-layer MLP, both residual.

    Without `attention_dropout` the attention weights are never written to memory, which saves a fifth of the time.
    """

    def __init__(self, width: int, heads: int, dropout: float, attention_dropout: bool = True):
        super().__init__()
        self.heads, self.attention_dropout = heads, attention_dropout
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))
        self.drop = Dropout(dropout)

    def forward(self, x: Tensor, allowed: Tensor | None, causal: bool = False) -> Tensor:
        """x: (batch, length, width); allowed: bool (batch, 1, length, length), True where query may see key.

        Without `allowed`, which attention dropout needs, a query sees every key, with `causal` none after its own place.
        """
        q, k, v = (self._split(t) for t in self.qkv(self.norm1(x)).chunk(3, dim=-1))
        if not (self.training and self.attention_dropout):
            return self._finish(x, F.scaled_dot_product_attention(q, k, v, attn_mask=allowed, is_causal=causal))
        logits = q @ k.transpose(-1, -2) * q.shape[-1] ** -0.5
        return self._finish(x, self.drop(logits.masked_fill(~allowed, -torch.inf).softmax(-1)) @ v)

    def forward_last(self, x: Tensor, last: Tensor, visible: Tensor) -> Tensor:
        """Only the last position, in `last` (batch, variants, width); x supplies the positions before it.

        visible: bool (batch, length), the keys that the last position may see.
        """
        q, own_k, own_v = (self._split(t) for t in self.qkv(self.norm1(last)).chunk(3, dim=-1))
        width = x.shape[-1]
        kv = F.linear(self.norm1(x[:, :-1]), self.qkv.weight[width:], self.qkv.bias[width:])
        k, v = (self._split(t) for t in kv.chunk(2, dim=-1))
        scale = q.shape[-1] ** -0.5
        logits = (q @ k.transpose(-1, -2) * scale).masked_fill(~visible[:, None, None, :-1], -torch.inf)
        weights = torch.cat([logits, (q * own_k).sum(-1, keepdim=True) * scale], dim=-1).softmax(-1)
        return self._finish(last, weights[..., :-1] @ v + weights[..., -1:] * own_v)

    def _split(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)

    def _finish(self, x: Tensor, mixed: Tensor) -> Tensor:
        x = x + self.drop(self.out(mixed.transpose(1, 2).flatten(2)))
        return x + self.drop(self.mlp(self.norm2(x)))
