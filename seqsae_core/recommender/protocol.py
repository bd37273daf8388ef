"""What a model must offer to be explained and steered."""

from typing import NamedTuple, Protocol

from torch import Tensor


class Hidden(NamedTuple):
    """Activations of one layer: (batch, length, width), with mask, item_at and predicts, all (batch, length).

    `mask` is False at padding; `item_at` is the input item at each position, 0 at padding and at a model's own mask
    token, which may make `length` longer than the input; `predicts` is True where the state is scored for the item
    that follows. Positions are aligned on the right: the last one predicts the item after the history.
    """

    activations: Tensor
    mask: Tensor
    item_at: Tensor
    predicts: Tensor


class SequenceModel(Protocol):
    """Layer 0 is the embeddings, layer l the output of block l, layer n_layers + 1 that of the final norm.

    `hidden` takes the histories, int64 (batch, length), left-padded with 0; every other method takes activations and
    the `item_at` that came with them. `mask_tokens` is the number of positions of its own that it adds to a history.
    """

    n_items: int
    mask_tokens: int
    n_layers: int
    width: int
    max_length: int

    def hidden(self, items: Tensor, layer: int) -> Hidden:
        """Activations after `layer`."""
        ...

    def resume(self, activations: Tensor, item_at: Tensor, start: int, stop: int | None = None) -> Tensor:
        """From after layer `start` to the state (batch, width) that is scored, or to the activations after `stop`."""
        ...

    def states(self, activations: Tensor, item_at: Tensor, start: int) -> Tensor:
        """From after layer `start` to the scored state of every position, (batch, length, width)."""
        ...

    def resume_last(self, activations: Tensor, last: Tensor, item_at: Tensor, start: int) -> Tensor:
        """States (batch, variants, width) for `last`, variants (batch, variants, width) of the last position."""
        ...

    def scores(self, state: Tensor) -> Tensor:
        """Scores (..., n_items + 1) of states (..., width); item bias included; column 0 is -inf."""
        ...

    def item_vectors(self) -> Tensor:
        """Output vectors of the items, (n_items + 1, width)."""
        ...

    def item_bias(self) -> Tensor:
        """Output bias of the items, (n_items + 1,)."""
        ...
