"""The causal transformer: SASRec (Kang & McAuley, 2018) with pre-norm GPT-2 blocks."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from seqsae_core.recommender.protocol import Hidden


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
    """Pre-norm self-attention and a two-layer MLP, both residual."""

    def __init__(self, width: int, heads: int, dropout: float):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))
        self.drop = Dropout(dropout)

    def forward(self, x: Tensor, allowed: Tensor) -> Tensor:
        """x: (batch, length, width); allowed: bool (batch, 1, length, length), True where query may see key."""
        q, k, v = (self._split(t) for t in self.qkv(self.norm1(x)).chunk(3, dim=-1))
        if not self.training:
            return self._finish(x, F.scaled_dot_product_attention(q, k, v, attn_mask=allowed))
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


class Transformer(nn.Module):
    """A next-item model with tied item embeddings and an output bias for each item.

    Positions count from the first real item, so padding on the left changes nothing.
    """

    def __init__(self, n_items: int, width: int, blocks: int, heads: int, max_length: int, dropout: float = 0.0):
        super().__init__()
        self.n_items, self.width, self.n_layers, self.max_length = n_items, width, blocks, max_length
        self.items = nn.Embedding(n_items + 1, width, padding_idx=0)
        self.positions = nn.Embedding(max_length, width)
        self.blocks = nn.ModuleList(Block(width, heads, dropout) for _ in range(blocks))
        self.norm = nn.LayerNorm(width)
        self.bias = nn.Parameter(torch.zeros(n_items + 1))
        self.drop = Dropout(dropout)
        self.apply(self._initialise)

    @staticmethod
    def _initialise(module: nn.Module) -> None:
        if isinstance(module, nn.Linear | nn.Embedding):
            nn.init.normal_(module.weight, std=0.02)
        if isinstance(module, nn.Linear):
            nn.init.zeros_(module.bias)

    def forward(self, items: Tensor) -> Tensor:
        """Final normed states at every position, (batch, length, width)."""
        return self.states(self.hidden(items, 0).activations, items, 0)

    def hidden(self, items: Tensor, layer: int) -> Hidden:
        """See `SequenceModel.hidden`."""
        mask = items > 0
        place = (mask.cumsum(1) - 1).clamp(min=0)
        x = self.drop(self.items(items) + self.positions(place))
        return Hidden(self._run(x, items, 0, layer), mask, items)

    def resume(self, activations: Tensor, items: Tensor, start: int, stop: int | None = None) -> Tensor:
        """See `SequenceModel.resume`."""
        x = self._run(activations, items, start, self.n_layers if stop is None else stop)
        return self.norm(x[:, -1]) if stop is None else x

    def states(self, activations: Tensor, items: Tensor, start: int) -> Tensor:
        """See `SequenceModel.states`."""
        return self.norm(self._run(activations, items, start, self.n_layers))

    def resume_last(self, activations: Tensor, last: Tensor, items: Tensor, start: int) -> Tensor:
        """See `SequenceModel.resume_last`; exact because no earlier position sees the last one."""
        x, visible = activations, items > 0
        for index in range(start, self.n_layers):
            last = self.blocks[index].forward_last(x, last, visible)
            if index + 1 < self.n_layers:
                x = self._run(x, items, index, index + 1)
        return self.norm(last)

    def scores(self, state: Tensor) -> Tensor:
        """See `SequenceModel.scores`."""
        scores = F.linear(state, self.items.weight, self.bias)
        scores[..., 0] = -torch.inf
        return scores

    def item_vectors(self) -> Tensor:
        """See `SequenceModel.item_vectors`."""
        return self.items.weight

    def item_bias(self) -> Tensor:
        """See `SequenceModel.item_bias`."""
        return self.bias

    def _run(self, x: Tensor, items: Tensor, start: int, stop: int) -> Tensor:
        if start < stop:
            allowed = _causal(items > 0)
            for block in self.blocks[start:stop]:
                x = block(x, allowed)
        return x


def _causal(mask: Tensor) -> Tensor:
    """Each position sees itself and the real positions before it, bool (batch, 1, length, length)."""
    length = mask.shape[1]
    square = torch.ones(length, length, dtype=torch.bool, device=mask.device)
    return (mask[:, None, None, :] & square.tril()) | torch.eye(length, dtype=torch.bool, device=mask.device)
