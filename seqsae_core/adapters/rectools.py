"""The transformers of RecTools 0.19 (Python package `rectools`, modules `rectools.models.nn.transformers`)."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from seqsae_core.adapters.adapted import Adapted
from seqsae_core.adapters.attention import Attention, both_ways, causal
from seqsae_core.adapters.blocks import PreNorm


class SASRecBlock(nn.Module):
    """RecTools' `SASRecTransformerLayer`: queries are normed, keys and values are not; one key stands for padding."""

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.attention = Attention(width, heads)
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.mlp = nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, width))

    def forward(self, x: Tensor, visible: Tensor) -> Tensor:
        """x: (batch, length, width); visible: (batch, 1, length, 1 + length)."""
        query = self.norm1(x)
        return self._finish(query + self.attention(query, _with_padding(x), visible))

    def last(self, x: Tensor, last: Tensor, visible: Tensor) -> Tensor:
        """Only the last position, in `last` (batch, variants, width)."""
        query = self.norm1(last)
        seen = visible[..., -1:, :-1]
        return self._finish(query + self.attention.last(query, _with_padding(x[:, :-1]), last, seen))

    def _finish(self, mixed: Tensor) -> Tensor:
        x = self.norm2(mixed)
        return x + self.mlp(x)


class RecToolsSASRec(Adapted):
    """RecTools' `SASRecModel`: places count from the last item, and padding is attended to.

    RecTools pads every history to `max_length` with positions that it sets to zero before each block, and lets items
    attend to them unless `use_key_padding_mask` is set. Zero vectors all have the same key, so n of them weigh as one
    whose logit is greater by ln n.
    """

    architecture = "rectools-sasrec"

    def __init__(
        self, n_items: int, width: int, blocks: int, heads: int, max_length: int, scale: float = 1.0,
        sees_padding: bool = True,
    ):  # fmt: skip
        shape = {"n_items": n_items, "width": width, "blocks": blocks, "heads": heads, "max_length": max_length,
                 "scale": scale, "sees_padding": sees_padding}  # fmt: skip
        super().__init__(shape, [SASRecBlock(width, heads) for _ in range(blocks)], nn.LayerNorm(width, eps=1e-8))
        self.scale, self.sees_padding = scale, sees_padding
        self.positions = nn.Embedding(max_length, width)

    def _embed(self, item_at: Tensor, real: Tensor) -> Tensor:
        return self.items(item_at) * self.scale + _from_the_end(self.positions, item_at.shape[1])

    def _visible(self, real: Tensor) -> Tensor:
        padding = self.max_length - real.sum(1) if self.sees_padding else torch.zeros(len(real), device=real.device)
        weight = padding.float().log()[:, None, None, None].expand(-1, 1, real.shape[1], 1)
        return torch.cat([weight, causal(real)], dim=-1)


class RecToolsBERT4Rec(Adapted):
    """RecTools' `BERT4RecModel`: a mask token after the history, places counted from it, no norm after the blocks."""

    architecture, mask_tokens, causal = "rectools-bert4rec", 1, False

    def __init__(
        self, n_items: int, width: int, blocks: int, heads: int, max_length: int, scale: float = 1.0,
        widening: int = 4,
    ):  # fmt: skip
        shape = {"n_items": n_items, "width": width, "blocks": blocks, "heads": heads, "max_length": max_length,
                 "scale": scale, "widening": widening}  # fmt: skip
        parts = [PreNorm(width, heads, widening * width, "gelu") for _ in range(blocks)]
        super().__init__(shape, parts, nn.Identity())
        self.scale = scale
        self.positions = nn.Embedding(max_length + self.mask_tokens, width)
        self.mask_token = nn.Parameter(torch.zeros(width))

    def _embed(self, item_at: Tensor, real: Tensor) -> Tensor:
        vectors = torch.cat([self.items(item_at[:, :-1]), self.mask_token.expand(len(item_at), 1, -1)], dim=1)
        return vectors * self.scale + _from_the_end(self.positions, item_at.shape[1])

    def _visible(self, real: Tensor) -> Tensor:
        return both_ways(real)


def _with_padding(x: Tensor) -> Tensor:
    """A zero vector before the positions of x (batch, length, width)."""
    return F.pad(x, (0, 0, 1, 0))


def _from_the_end(positions: nn.Embedding, length: int) -> Tensor:
    """Vectors of the places length − 1, …, 0, (length, width)."""
    return positions.weight[:length].flip(0)
