"""Two models of RecBole 1.2 (Python package `recbole`, modules `recbole.model.sequential_recommender`)."""

import torch
from torch import Tensor, nn

from seqsae_core.adapters.adapted import Adapted, from_the_start
from seqsae_core.adapters.attention import causal
from seqsae_core.adapters.blocks import PostNorm
from seqsae_core.errors import UserError
from seqsae_core.recommender.protocol import Hidden


class RecBoleSASRec(Adapted):
    """RecBole's `SASRec`: post-norm blocks over normed embeddings, places counted from the first item, no last norm."""

    architecture = "recbole-sasrec"

    def __init__(
        self, n_items: int, width: int, blocks: int, heads: int, max_length: int, inner: int, activation: str = "gelu",
        eps: float = 1e-12,
    ):  # fmt: skip
        shape = {"n_items": n_items, "width": width, "blocks": blocks, "heads": heads, "max_length": max_length,
                 "inner": inner, "activation": activation, "eps": eps}  # fmt: skip
        parts = [PostNorm(width, heads, inner, activation, eps) for _ in range(blocks)]
        super().__init__(shape, parts, nn.Identity())
        self.positions, self.first_norm = nn.Embedding(max_length, width), nn.LayerNorm(width, eps=eps)

    def _embed(self, item_at: Tensor, real: Tensor) -> Tensor:
        return self.first_norm(self.items(item_at) + self.positions(from_the_start(real)))

    def _visible(self, real: Tensor) -> Tensor:
        return causal(real)


class Recurrence(nn.Module):
    """One layer of gated recurrent units without biases, so that zeros before the history leave the state at zero."""

    def __init__(self, reads: int, width: int):
        super().__init__()
        self.gru = nn.GRU(reads, width, bias=False, batch_first=True)

    def forward(self, x: Tensor, real: Tensor) -> Tensor:
        """x: (batch, length, reads); real: 1 at items, 0 at padding, (batch, length, 1)."""
        return self.gru(x * real)[0]

    def last(self, x: Tensor, last: Tensor, real: Tensor) -> Tensor:
        """Only the last step, for each of `last` (batch, variants, reads); x supplies those before it."""
        count = last.shape[1]
        before = self.gru((x * real)[:, :-1])[0][:, -1] if x.shape[1] > 1 else x.new_zeros(len(x), self.gru.hidden_size)
        steps, _ = self.gru(last.flatten(0, 1)[:, None], before.repeat_interleave(count, dim=0)[None].contiguous())
        return steps[:, 0].unflatten(0, (-1, count))


class RecBoleGRU4Rec(Adapted):
    """RecBole's `GRU4Rec`. Its last linear layer is folded into the items' output vectors and biases.

    Scores are e · (W h + b) = (Wᵀ e) · h + e · b, so that what is scored is the state of the last recurrent layer. The
    embeddings may be of another width than the states: then layer 0 cannot be read.
    """

    architecture = "recbole-gru4rec"

    def __init__(self, n_items: int, width: int, blocks: int, max_length: int, embedding: int):
        shape = {"n_items": n_items, "width": width, "blocks": blocks, "max_length": max_length, "embedding": embedding}
        parts = [Recurrence(width if number else embedding, width) for number in range(blocks)]
        super().__init__(shape, parts, nn.Identity())
        self.embedding = embedding
        self.items = nn.Embedding(n_items + 1, embedding)
        self.outputs = nn.Parameter(torch.zeros(n_items + 1, width))

    def hidden(self, items: Tensor, layer: int) -> Hidden:
        """See `SequenceModel.hidden`. Raises UserError for layer 0 where it is not of the states' width."""
        if layer == 0 and self.embedding != self.width:
            raise UserError(
                f"The embeddings of this model have width {self.embedding}, its states {self.width}, so layer 0 cannot "
                f"be read. Choose a layer from 1."
            )
        return super().hidden(items, layer)

    def item_vectors(self) -> Tensor:
        """See `SequenceModel.item_vectors`."""
        return self.outputs

    def _embed(self, item_at: Tensor, real: Tensor) -> Tensor:
        return self.items(item_at)

    def _visible(self, real: Tensor) -> Tensor:
        return real[..., None].float()
