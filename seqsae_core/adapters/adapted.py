"""What the families share: the model protocol over embeddings, blocks and a last norm."""

from collections.abc import Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from seqsae_core.recommender.protocol import Hidden


class Adapted(nn.Module):
    """A model of the protocol `SequenceModel`; a family says how it embeds, what its blocks are and who sees whom.

    A block takes x (batch, length, width) and what `_visible` gave; where the model is causal, it also has
    `last(x, last, visible)`: variants (batch, variants, width) of the last position beside the positions before it.
    """

    architecture: ClassVar[str]
    mask_tokens, causal = 0, True

    def __init__(self, shape: dict[str, Any], blocks: Sequence[nn.Module], norm: nn.Module):
        super().__init__()
        self.shape = shape
        self.n_items, self.width, self.max_length = (shape[name] for name in ("n_items", "width", "max_length"))
        self.n_layers = len(blocks)
        self.items = nn.Embedding(self.n_items + 1, self.width)
        self.bias = nn.Parameter(torch.zeros(self.n_items + 1))
        self.blocks, self.norm = nn.ModuleList(blocks), norm

    def hidden(self, items: Tensor, layer: int) -> Hidden:
        """See `SequenceModel.hidden`."""
        item_at = F.pad(items, (0, self.mask_tokens))
        real = self._real(item_at)
        x = self._run(self._embed(item_at, real), real, 0, layer)
        return Hidden(x, real, item_at, real if self.causal else _last(item_at))

    def resume(self, activations: Tensor, item_at: Tensor, start: int, stop: int | None = None) -> Tensor:
        """See `SequenceModel.resume`."""
        x = self._run(activations, self._real(item_at), start, self.n_layers if stop is None else stop)
        return x if stop is not None else self._normed(x[:, -1], start)

    def states(self, activations: Tensor, item_at: Tensor, start: int) -> Tensor:
        """See `SequenceModel.states`."""
        return self._run(activations, self._real(item_at), start, self.n_layers + 1)

    def resume_last(self, activations: Tensor, last: Tensor, item_at: Tensor, start: int) -> Tensor:
        """See `SequenceModel.resume_last`; all positions run again where earlier ones see the last one."""
        if not self.causal:
            variants = [torch.cat([activations[:, :-1], one[:, None]], dim=1) for one in last.unbind(1)]
            return torch.stack([self.resume(x, item_at, start) for x in variants], dim=1)
        x, visible = activations, self._visible(self._real(item_at))
        for index in range(start, self.n_layers):
            last = self.blocks[index].last(x, last, visible)
            if index + 1 < self.n_layers:
                x = self.blocks[index](x, visible)
        return self._normed(last, start)

    def scores(self, state: Tensor) -> Tensor:
        """See `SequenceModel.scores`."""
        scores = F.linear(state, self.item_vectors(), self.bias)
        scores[..., 0] = -torch.inf
        return scores

    def item_vectors(self) -> Tensor:
        """See `SequenceModel.item_vectors`."""
        return self.items.weight

    def item_bias(self) -> Tensor:
        """See `SequenceModel.item_bias`."""
        return self.bias

    def _embed(self, item_at: Tensor, real: Tensor) -> Tensor:
        """Layer 0, (batch, length, width)."""
        raise NotImplementedError

    def _visible(self, real: Tensor) -> Any:
        """What the blocks need to know of padding and order."""
        raise NotImplementedError

    def _real(self, item_at: Tensor) -> Tensor:
        """Positions that hold an item or the mask token, bool (batch, length)."""
        return (item_at > 0) | _last(item_at) if self.mask_tokens else item_at > 0

    def _run(self, x: Tensor, real: Tensor, start: int, stop: int) -> Tensor:
        if start < min(stop, self.n_layers):
            visible = self._visible(real)
            for block in self.blocks[start:stop]:
                x = block(x, visible)
        return self._normed(x, start) if stop > self.n_layers else x

    def _normed(self, x: Tensor, start: int) -> Tensor:
        """The final norm's output, for activations that come from layer `start` and may have it behind them."""
        return self.norm(x) if start <= self.n_layers else x


def from_the_start(real: Tensor) -> Tensor:
    """The place of each position counted from the first real one, int64 (batch, length); 0 at padding."""
    return (real.cumsum(1) - 1).clamp(min=0)


def _last(items: Tensor) -> Tensor:
    """True at the last position, bool like items."""
    return (torch.arange(items.shape[1], device=items.device) == items.shape[1] - 1).expand(items.shape)
