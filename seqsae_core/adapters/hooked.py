"""Any `torch.nn.Module` behind the model protocol: hooks read activations, replace them, and the module runs again."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from seqsae_core.errors import UserError
from seqsae_core.recommender.protocol import Hidden

Score = Callable[[nn.Module, Tensor], Tensor]
ROWS = 256


class Hooked(nn.Module):
    """A module, the paths of the submodules that are its layers, and a function that scores with it.

    layers: layer 0 first; the output of each, or its first part, is (batch, length, width), and the last one's last
    position is what the items are scored from. score(module, items): (batch, n_items + 1) after histories int64
    (batch, length) of one length, without padding. A module that pads by itself says on which `padding` side; one that
    adds tokens of its own after the history says how many (`mask_tokens`).

    Items are scored by an affine map of the last layer, `vectors` and `bias`, which `measure` finds; golden scores tell
    whether it is one. `order` (n_items + 1,) gives the module's number of each item.
    """

    architecture = "own"

    def __init__(
        self, module: nn.Module, score: Score, n_items: int, width: int, max_length: int, layers: Sequence[str],
        padding: str = "left", mask_tokens: int = 0, blocks: int | None = None,
    ):  # fmt: skip
        super().__init__()
        self.module, self.score, self.padding, self.mask_tokens = module, score, padding, mask_tokens
        self.layers = list(layers) if len(layers) > 1 else [*layers, *layers]
        self.n_items, self.width, self.max_length, self.n_layers = n_items, width, max_length, len(self.layers) - 1
        self.register_buffer("order", torch.arange(n_items + 1))
        self.register_buffer("vectors", torch.zeros(n_items + 1, width))
        self.register_buffer("bias", torch.zeros(n_items + 1))

    @property
    def shape(self) -> dict[str, Any]:
        """What the constructor needs beside the module and the function."""
        return {
            "n_items": self.n_items, "width": self.width, "blocks": self.n_layers, "max_length": self.max_length,
            "layers": self.layers, "padding": self.padding, "mask_tokens": self.mask_tokens,
        }  # fmt: skip

    @torch.no_grad()
    def measure(self) -> None:
        """Set `vectors` and `bias`: scores when the last layer gives zeros, and how each unit vector changes them.

        Raises UserError where the function gives another number of scores.
        """
        states = torch.cat([torch.zeros(1, self.width), torch.eye(self.width)])
        at_each = F.pad(states[:, None], (0, 0, self.mask_tokens, 0))
        scores, _ = self._run(torch.ones(len(states), 1, dtype=torch.int64), (self.n_layers, at_each), None)
        if scores.shape != (len(states), self.n_items + 1):
            raise UserError(
                f"score gives {tuple(scores.shape)} for {len(states)} histories and {self.n_items} items: it must give "
                f"one score more than there are items, the first of padding."
            )
        self.bias.copy_(scores[0])
        self.vectors.copy_((scores[1:] - scores[0]).T)

    def hidden(self, items: Tensor, layer: int) -> Hidden:
        """See `SequenceModel.hidden`; only the last position is known to predict."""
        item_at = F.pad(items, (0, self.mask_tokens))
        real = self._real(item_at)
        last = torch.arange(real.shape[1], device=real.device) == real.shape[1] - 1
        return Hidden(self._forward(item_at, None, self._index(layer)), real, item_at, last.expand(real.shape))

    def resume(self, activations: Tensor, item_at: Tensor, start: int, stop: int | None = None) -> Tensor:
        """See `SequenceModel.resume`: the whole module runs again with the activations in place."""
        start, end = self._index(start), self.n_layers if stop is None else self._index(stop)
        x = activations if end <= start else self._forward(item_at, (start, activations), end)
        return x if stop is not None else x[:, -1]

    def states(self, activations: Tensor, item_at: Tensor, start: int) -> Tensor:
        """See `SequenceModel.states`."""
        return self.resume(activations, item_at, start, stop=self.n_layers)

    def resume_last(self, activations: Tensor, last: Tensor, item_at: Tensor, start: int) -> Tensor:
        """See `SequenceModel.resume_last`; every variant is a run of its own."""
        size = max(1, ROWS // len(item_at))
        return torch.cat([self._variants(activations, some, item_at, start) for some in last.split(size, 1)], dim=1)

    def scores(self, state: Tensor) -> Tensor:
        """See `SequenceModel.scores`."""
        scores = F.linear(state, self.vectors, self.bias)
        scores[..., 0] = -torch.inf
        return scores

    def item_vectors(self) -> Tensor:
        """See `SequenceModel.item_vectors`."""
        return self.vectors

    def item_bias(self) -> Tensor:
        """See `SequenceModel.item_bias`."""
        return self.bias

    def _variants(self, activations: Tensor, last: Tensor, item_at: Tensor, start: int) -> Tensor:
        count = last.shape[1]
        before = activations[:, None, :-1].expand(-1, count, -1, -1)
        moved = torch.cat([before, last[:, :, None]], dim=2).flatten(0, 1)
        return self.resume(moved, item_at.repeat_interleave(count, dim=0), start).unflatten(0, (-1, count))

    def _forward(self, item_at: Tensor, given: tuple[int, Tensor] | None, wanted: int) -> Tensor:
        """Activations (batch, length, width) of a layer, 0 at padding; given: a layer and what it is to give."""
        found = torch.zeros(*item_at.shape, self.width)
        for rows, items in self._by_length(item_at):
            real = items.shape[1] + self.mask_tokens
            own = None if given is None else (given[0], given[1][rows, -real:])
            found[rows, -real:] = self._run(self.order[items], own, wanted)[1]
        return found

    def _by_length(self, item_at: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
        """Rows and histories (rows, length) of each length, without padding."""
        lengths, end = (item_at > 0).sum(1), item_at.shape[1] - self.mask_tokens
        for length in lengths.unique().tolist():
            rows = torch.nonzero(lengths == length)[:, 0]
            yield rows, item_at[rows, end - length : end]

    def _run(
        self, items: Tensor, given: tuple[int, Tensor] | None, wanted: int | None
    ) -> tuple[Tensor, Tensor | None]:
        """The function's scores of histories in the module's numbers, and the activations of the layer `wanted`."""
        kept: list[Tensor] = []
        count = items.shape[1] + self.mask_tokens

        def put(_: nn.Module, __: Any, output: Any) -> Any:
            values = self._spliced(_first(output), given[1])
            return (values, *output[1:]) if isinstance(output, tuple) else values

        def keep(_: nn.Module, __: Any, output: Any) -> None:
            kept.append(_first(output)[:, self._where(_first(output), count)])

        with ExitStack() as hooks:
            for layer, hook in ((given and given[0], put), (wanted, keep)):
                if layer is not None:
                    hooks.callback(self._module_of(layer).register_forward_hook(hook).remove)
            scores = self.score(self.module, items)
        if wanted is not None and len(kept) != 1:
            raise UserError(f"The layer {self.layers[wanted]} ran {len(kept)} times in one scoring: name one that runs "
                            f"once.")  # fmt: skip
        return scores, kept[0] if kept else None

    def _module_of(self, layer: int) -> nn.Module:
        try:
            return self.module.get_submodule(self.layers[layer])
        except AttributeError:
            known = ", ".join(name for name, _ in self.module.named_modules() if name)
            raise UserError(f"The model has no module “{self.layers[layer]}”. It has: {known}.") from None

    def _spliced(self, values: Tensor, given: Tensor) -> Tensor:
        """The module's own values with those of its real positions replaced."""
        where = self._where(values, given.shape[1])
        return torch.cat([values[:, : where.start], given, values[:, where.stop :]], dim=1)

    def _where(self, values: Tensor, count: int) -> slice:
        if values.ndim != 3 or values.shape[1] < count or values.shape[2] != self.width:
            raise UserError(
                f"A layer of {', '.join(self.layers)} gives {tuple(values.shape)}, but must give (batch, at least "
                f"{count} positions, {self.width}), the width of the last one. Name other layers."
            )
        start = values.shape[1] - count if self.padding == "left" else 0
        return slice(start, start + count)

    def _index(self, layer: int) -> int:
        """There is no norm after the last layer that was named."""
        return min(layer, self.n_layers)

    def _real(self, item_at: Tensor) -> Tensor:
        own = torch.arange(item_at.shape[1], device=item_at.device) >= item_at.shape[1] - self.mask_tokens
        return (item_at > 0) | own


def _first(output: Any) -> Tensor:
    return output[0] if isinstance(output, tuple) else output
