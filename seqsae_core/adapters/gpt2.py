"""GPT-2 over items, as Hugging Face's transformers build it: the form of Klenitskiy et al. (2025), section 4."""

from torch import Tensor, nn

from seqsae_core.adapters.adapted import Adapted, from_the_start
from seqsae_core.adapters.attention import causal
from seqsae_core.adapters.blocks import PreNorm


class GPT2(Adapted):
    """`GPT2LMHeadModel` whose tokens are items, token 0 padding; places count from the first item, outputs are tied."""

    architecture = "gpt2"

    def __init__(
        self, n_items: int, width: int, blocks: int, heads: int, max_length: int, inner: int,
        activation: str = "gelu_new", eps: float = 1e-5,
    ):  # fmt: skip
        shape = {"n_items": n_items, "width": width, "blocks": blocks, "heads": heads, "max_length": max_length,
                 "inner": inner, "activation": activation, "eps": eps}  # fmt: skip
        parts = [PreNorm(width, heads, inner, activation, eps) for _ in range(blocks)]
        super().__init__(shape, parts, nn.LayerNorm(width, eps=eps))
        self.positions = nn.Embedding(max_length, width)

    def _embed(self, item_at: Tensor, real: Tensor) -> Tensor:
        return self.items(item_at) + self.positions(from_the_start(real))

    def _visible(self, real: Tensor) -> Tensor:
        return causal(real)
