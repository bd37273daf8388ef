"""Transformer blocks with the norm before each part (GPT-2) or after it (BERT), as several libraries build them."""

from functools import partial

from torch import Tensor, nn

from seqsae_core.adapters.attention import Attention

ACTIVATIONS = {
    "gelu": nn.GELU, "gelu_new": partial(nn.GELU, approximate="tanh"), "relu": nn.ReLU, "swish": nn.SiLU,
    "tanh": nn.Tanh, "sigmoid": nn.Sigmoid,
}  # fmt: skip


class _Block(nn.Module):
    def __init__(self, width: int, heads: int, inner: int, activation: str, eps: float = 1e-5):
        super().__init__()
        self.attention = Attention(width, heads)
        self.norm1, self.norm2 = nn.LayerNorm(width, eps=eps), nn.LayerNorm(width, eps=eps)
        self.mlp = nn.Sequential(nn.Linear(width, inner), ACTIVATIONS[activation](), nn.Linear(inner, width))


class PreNorm(_Block):
    """x + attention(norm(x)), then x + MLP(norm(x)): Xiong et al. (2020), figure 1 (b)."""

    def forward(self, x: Tensor, visible: Tensor) -> Tensor:
        """x: (batch, length, width); visible: (batch, 1, length, length), added to the logits."""
        normed = self.norm1(x)
        return self._finish(x, self.attention(normed, normed, visible))

    def last(self, x: Tensor, last: Tensor, visible: Tensor) -> Tensor:
        """Only the last position, in `last` (batch, variants, width); x supplies the positions before it."""
        normed = self.norm1(last)
        return self._finish(last, self.attention.last(normed, self.norm1(x[:, :-1]), normed, visible[..., -1:, :-1]))

    def _finish(self, x: Tensor, mixed: Tensor) -> Tensor:
        x = x + mixed
        return x + self.mlp(self.norm2(x))


class PostNorm(_Block):
    """norm(x + attention(x)), then norm(x + MLP(x)): Vaswani et al. (2017)."""

    def forward(self, x: Tensor, visible: Tensor) -> Tensor:
        """As of `PreNorm`."""
        return self._finish(x, self.attention(x, x, visible))

    def last(self, x: Tensor, last: Tensor, visible: Tensor) -> Tensor:
        """As of `PreNorm`."""
        return self._finish(last, self.attention.last(last, x[:, :-1], last, visible[..., -1:, :-1]))

    def _finish(self, x: Tensor, mixed: Tensor) -> Tensor:
        x = self.norm1(x + mixed)
        return self.norm2(x + self.mlp(x))
