"""One history at a time: of our models, the arithmetic without what batches, training and `nn.Module` add to it.

For so little data the calls cost as much as the products: going through modules, asking them for their weights and
looking for padding. The formulas are those of `block` and `transformer`; tests hold the two together.
"""

from typing import NamedTuple, Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from seqsae_core.recommender.block import Block
from seqsae_core.recommender.protocol import Hidden, SequenceModel
from seqsae_core.recommender.transformer import Transformer

Affine = tuple[Tensor, Tensor]


class History(Protocol):
    """What ranks one history after the other."""

    n_items: int
    max_length: int

    def scores(self, items: Tensor) -> Tensor:
        """Scores (1, n_items + 1) after `items`, int64 (length,), at most `max_length`; column 0 is -inf."""
        ...

    def hidden(self, items: Tensor, layer: int) -> Hidden:
        """Activations after `layer` as a batch of one, as `SequenceModel.hidden`."""
        ...

    def resume(self, activations: Tensor, item_at: Tensor, layer: int) -> Tensor:
        """Scores (1, n_items + 1) of activations (1, length, width) after `layer`, all of them as they are given."""
        ...


def one_history(model: SequenceModel) -> History:
    """The quick way through a model of our own, the plain way through any other model of the protocol."""
    return SingleHistory(model) if isinstance(model, Transformer) else PlainHistory(model)


class PlainHistory:
    """Scores of any model for one history, through the methods of the protocol."""

    def __init__(self, model: SequenceModel):
        self.n_items, self.max_length, self._model = model.n_items, model.max_length, model

    def scores(self, items: Tensor) -> Tensor:
        """See `History.scores`."""
        hidden = self.hidden(items, self._model.n_layers)
        return self.resume(hidden.activations, hidden.item_at, self._model.n_layers)

    def hidden(self, items: Tensor, layer: int) -> Hidden:
        """See `History.hidden`."""
        return self._model.hidden(items[None], layer)

    def resume(self, activations: Tensor, item_at: Tensor, layer: int) -> Tensor:
        """See `History.resume`."""
        return self._model.scores(self._model.resume(activations, item_at, layer))


class Weights(NamedTuple):
    """Weight and bias of each layer of a block, in the order of use."""

    norm1: Affine
    qkv: Affine
    out: Affine
    norm2: Affine
    widen: Affine
    narrow: Affine

    @classmethod
    def of(cls, block: Block) -> "Weights":
        """The block's own tensors, not copies."""
        layers = block.norm1, block.qkv, block.out, block.norm2, block.mlp[0], block.mlp[2]
        return cls(*(_affine(layer) for layer in layers))


class SingleHistory:
    """Scores of a model in evaluation mode for one history without padding.

    It holds the model's own tensors, so it follows training and loading of weights. Every block but the last runs for
    all positions, the last one for the position that is scored.
    """

    def __init__(self, model: Transformer):
        self.n_items, self.max_length = model.n_items, model.max_length
        self._heads, self._causal, self._eps = model.blocks[0].heads, model.causal, model.norm.eps
        self._items, self._bias, self._positions = model.items.weight, model.bias, model.positions.weight
        self._mask = model.mask_token[None] if model.mask_tokens else None
        self._blocks = [Weights.of(block) for block in model.blocks]
        self._norm = _affine(model.norm)

    def scores(self, items: Tensor) -> Tensor:
        """See `History.scores`."""
        return self._finish(self._embed(items), 0)

    def hidden(self, items: Tensor, layer: int) -> Hidden:
        """See `History.hidden`."""
        x = self._embed(items)
        for weights in self._blocks[:layer]:
            x = self._block(x, weights, only_last=False)
        x = self._normed(x, self._norm) if layer > len(self._blocks) else x
        item_at = items if len(items) == len(x) else F.pad(items, (0, 1))
        real = torch.ones(1, len(x), dtype=torch.bool)
        predicts = real if self._mask is None else torch.arange(len(x))[None] == len(x) - 1
        return Hidden(x[None], real, item_at[None], predicts)

    def resume(self, activations: Tensor, item_at: Tensor, layer: int) -> Tensor:
        """See `History.resume`."""
        return self._finish(activations[0], layer)

    def _embed(self, items: Tensor) -> Tensor:
        x = F.embedding(items, self._items)
        x = x if self._mask is None else torch.cat([x, self._mask])
        return x + self._positions[: len(x)]

    def _finish(self, x: Tensor, layer: int) -> Tensor:
        """Scores of activations x (length, width) after `layer`."""
        last = len(self._blocks) - 1
        for place in range(layer, last + 1):
            x = self._block(x, self._blocks[place], only_last=place == last)
        x = x[-1:]
        scores = F.linear(x if layer > last + 1 else self._normed(x, self._norm), self._items, self._bias)
        scores[:, 0] = -torch.inf
        return scores

    def _block(self, x: Tensor, weights: Weights, only_last: bool) -> Tensor:
        """x (length, width) after the block, or only its last row, which sees every key in both architectures."""
        qkv = F.linear(self._normed(x, weights.norm1), *weights.qkv)
        q, k, v = qkv.view(1, len(x), 3, self._heads, -1).permute(2, 0, 3, 1, 4).unbind(0)
        if only_last:
            x, q = x[-1:], q[:, :, -1:]
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=self._causal and not only_last)
        x = x + F.linear(mixed.transpose(1, 2).reshape(x.shape), *weights.out)
        return x + F.linear(F.gelu(F.linear(self._normed(x, weights.norm2), *weights.widen)), *weights.narrow)

    def _normed(self, x: Tensor, weights: Affine) -> Tensor:
        return F.layer_norm(x, x.shape[-1:], *weights, self._eps)


def _affine(layer: nn.Linear | nn.LayerNorm) -> Affine:
    return layer.weight, layer.bias
