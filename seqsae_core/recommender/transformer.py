"""The two architectures, made of the same blocks: SASRec reads from left to right, BERT4Rec both ways.

SASRec: Kang & McAuley (2018). BERT4Rec: Sun et al. (2019), which asks a mask token after the history for the next item.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from seqsae_core.recommender.block import Block, Dropout
from seqsae_core.recommender.protocol import Hidden


class Transformer(nn.Module):
    """What both share: tied item embeddings, places, blocks, and an output bias for each item.

    Places count from the first real item, so padding on the left changes nothing. A position is *real* when it holds
    an item or a mask token; attention never sees the others.
    """

    def __init__(
        self, n_items: int, width: int, blocks: int, heads: int, max_length: int, dropout: float = 0.0,
        attention_dropout: bool = True,
    ):  # fmt: skip
        super().__init__()
        self.n_items, self.width, self.n_layers, self.max_length = n_items, width, blocks, max_length
        self.items = nn.Embedding(n_items + 1, width, padding_idx=0)
        self.positions = nn.Embedding(max_length + self.mask_tokens, width)
        self.blocks = nn.ModuleList(Block(width, heads, dropout, attention_dropout) for _ in range(blocks))
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
        """Normed states of every position of the histories (batch, length), as in `Hidden`."""
        return self.hidden(items, self.n_layers + 1).activations

    @property
    def shape(self) -> dict[str, int]:
        """What the constructor needs to make an empty model of this size."""
        return {
            "n_items": self.n_items, "width": self.width, "blocks": self.n_layers,
            "heads": self.blocks[0].heads, "max_length": self.max_length,
        }  # fmt: skip

    def resume(self, activations: Tensor, item_at: Tensor, start: int, stop: int | None = None) -> Tensor:
        """See `SequenceModel.resume`."""
        x = self._run(activations, self._real(item_at), start, self.n_layers if stop is None else stop)
        return x if stop is not None else self._normed(x[:, -1], start)

    def states(self, activations: Tensor, item_at: Tensor, start: int) -> Tensor:
        """See `SequenceModel.states`."""
        return self._run(activations, self._real(item_at), start, self.n_layers + 1)

    def resume_last(self, activations: Tensor, last: Tensor, item_at: Tensor, start: int) -> Tensor:
        """See `SequenceModel.resume_last`; exact where no earlier position that is still read sees the last one."""
        x, real = activations, self._real(item_at)
        for index in range(start, self.n_layers):
            last = self.blocks[index].forward_last(x, last, real)
            if index + 1 < self.n_layers:
                x = self._run(x, real, index, index + 1)
        return self._normed(last, start)

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

    def _embed(self, vectors: Tensor, real: Tensor) -> Tensor:
        return self.drop(vectors + self.positions((real.cumsum(1) - 1).clamp(min=0)))

    def _run(self, x: Tensor, real: Tensor, start: int, stop: int) -> Tensor:
        if start < min(stop, self.n_layers):
            unpadded = not self.training and bool(real.all())
            allowed = None if unpadded else self._allowed(real)
            for block in self.blocks[start:stop]:
                x = block(x, allowed, unpadded and self.causal)
        return self._normed(x, start) if stop > self.n_layers else x

    def _normed(self, x: Tensor, start: int) -> Tensor:
        """The final norm's output, for activations that come from layer `start` and may have it behind them."""
        return self.norm(x) if start <= self.n_layers else x


class SASRec(Transformer):
    """Each position sees itself and what came before it, and predicts the item after it."""

    architecture, mask_tokens, causal = "sasrec", 0, True

    def hidden(self, items: Tensor, layer: int) -> Hidden:
        """See `SequenceModel.hidden`."""
        real = self._real(items)
        x = self._embed(self.items(items), real)
        return Hidden(self._run(x, real, 0, layer), real, items, real)

    def training_pairs(self, events: Tensor, mask_share: float = 0.0) -> tuple[Tensor, Tensor]:
        """Normed states (n, width) and the items (n,) they must predict: every event of a window after its first.

        events: (batch, max_length + 1), left-padded. Nothing is hidden: `mask_share` is for other architectures.
        """
        real = events[:, :-1] > 0
        return self(events[:, :-1])[real], events[:, 1:][real]

    @staticmethod
    def _real(item_at: Tensor) -> Tensor:
        return item_at > 0

    @staticmethod
    def _allowed(real: Tensor) -> Tensor:
        """Which key each query may see, bool (batch, 1, length, length); padding sees itself, or its softmax is NaN."""
        square = torch.ones(real.shape[1], real.shape[1], dtype=torch.bool, device=real.device)
        return (real[:, None, None, :] & square.tril()) | _diagonal(real)


class BERT4Rec(Transformer):
    """Every position sees every other one; a mask token after the history stands for the item to come."""

    architecture, mask_tokens, causal = "bert4rec", 1, False

    def __init__(self, *shape: int, **more):
        super().__init__(*shape, **more)
        self.mask_token = nn.Parameter(torch.randn(self.width) * 0.02)

    def hidden(self, items: Tensor, layer: int) -> Hidden:
        """See `SequenceModel.hidden`; one position more than `items`, the mask token, whose item is 0."""
        item_at = F.pad(items, (0, 1))
        real, last = self._real(item_at), _last(item_at)
        x = self._embed(self._vectors(item_at, last), real)
        return Hidden(self._run(x, real, 0, layer), real, item_at, last)

    def resume_last(self, activations: Tensor, last: Tensor, item_at: Tensor, start: int) -> Tensor:
        """See `SequenceModel.resume_last`; before the last block other positions see the last one: all run again."""
        if start >= self.n_layers - 1:
            return super().resume_last(activations, last, item_at, start)
        variants = [torch.cat([activations[:, :-1], one[:, None]], dim=1) for one in last.unbind(1)]
        return torch.stack([self.resume(x, item_at, start) for x in variants], dim=1)

    def training_pairs(self, events: Tensor, mask_share: float = 0.0) -> tuple[Tensor, Tensor]:
        """Normed states (n, width) of hidden items (n,): a share of each window's, its last always among them.

        The Cloze task of Sun et al. (2019), section 3.5. events: (batch, max_length + 1), left-padded.
        """
        real = events > 0
        hide = real & (torch.rand(events.shape, device=events.device) < mask_share) | _last(events)
        states = self.norm(self._run(self._embed(self._vectors(events, hide), real), real, 0, self.n_layers))
        return states[hide], events[hide]

    def _vectors(self, items: Tensor, hide: Tensor) -> Tensor:
        return torch.where(hide[..., None], self.mask_token, self.items(items))

    @staticmethod
    def _real(item_at: Tensor) -> Tensor:
        return (item_at > 0) | _last(item_at)

    @staticmethod
    def _allowed(real: Tensor) -> Tensor:
        return real[:, None, None, :] | _diagonal(real)


ARCHITECTURES = {cls.architecture: cls for cls in (SASRec, BERT4Rec)}


def _last(items: Tensor) -> Tensor:
    """True at the last position, bool like items."""
    return (torch.arange(items.shape[1], device=items.device) == items.shape[1] - 1).expand(items.shape)


def _diagonal(real: Tensor) -> Tensor:
    return torch.eye(real.shape[1], dtype=torch.bool, device=real.device)
