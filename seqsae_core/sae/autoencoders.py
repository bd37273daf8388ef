"""Sparse autoencoders over one layer's activations: one base, one small class a variant."""

import torch
from torch import Tensor, nn

from seqsae_core.config import SaeConfig
from seqsae_core.errors import UserError
from seqsae_core.sae import sparse


class Autoencoder(nn.Module):
    """codes = activate((x − b_dec) W_enc + b_enc); x̂ = codes W_dec + b_dec.

    W_enc: (width, latents), W_dec: (latents, width). Decoder rows have unit norm while training.
    """

    architecture = "standard"

    def __init__(self, width: int, latents: int):
        super().__init__()
        self.width, self.latents = width, latents
        directions = nn.functional.normalize(torch.randn(latents, width), dim=1)
        self.W_dec = nn.Parameter(directions)
        self.W_enc = nn.Parameter(directions.T.clone())
        self.b_enc = nn.Parameter(torch.zeros(latents))
        self.b_dec = nn.Parameter(torch.zeros(width))

    def preactivations(self, x: Tensor) -> Tensor:
        """Encoder output before the activation function, (..., latents)."""
        return x @ self.W_enc + self.bias()

    def bias(self) -> Tensor:
        """What the encoder adds to x @ W_enc, (latents,): b_enc, and b_dec by way of W_enc."""
        return self.b_enc - self.b_dec @ self.W_enc

    def activate(self, preactivations: Tensor) -> Tensor:
        """Non-negative codes from preactivations, both (..., latents)."""
        raise NotImplementedError

    def encode(self, x: Tensor) -> Tensor:
        """Non-negative codes (..., latents) of activations (..., width)."""
        return self.activate(self.preactivations(x))

    def decode(self, codes: Tensor) -> Tensor:
        """Reconstruction (..., width) of codes (..., latents)."""
        return codes @ self.W_dec + self.b_dec

    def forward(self, x: Tensor) -> Tensor:
        """Reconstruction of activations, both (..., width)."""
        return self.decode(self.encode(x))

    @torch.no_grad()
    def fold(self, mean: Tensor, scale: float) -> None:
        """Take over an input normalisation (x − mean) / scale, so that raw activations go in and come out.

        Codes come out in raw units, decoder rows with unit norm.
        """
        norms = self.W_dec.norm(dim=1).clamp(min=1e-12)
        self.W_dec /= norms[:, None]
        self.W_enc *= norms
        self.b_enc *= norms * scale
        self.b_dec.mul_(scale).add_(mean)


class TopK(Autoencoder):
    """Keeps the k largest preactivations of each position; Gao et al. (2024), eq. 3, with a ReLU after it."""

    architecture = "topk"

    def __init__(self, width: int, latents: int, k: int):
        super().__init__(width, latents)
        self.k = k

    def top(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Values (n, k) and latents (n, k) of the codes that fire for x (n, width); a value may be 0."""
        return sparse.encode(x, self.W_enc, self.bias(), self.k)

    def activate(self, preactivations: Tensor) -> Tensor:
        """See `Autoencoder.activate`."""
        values, latents = preactivations.topk(self.k, dim=-1, sorted=False)
        return torch.zeros_like(preactivations).scatter(-1, latents, values.relu())


class ReLU(Autoencoder):
    """Every positive preactivation fires; trained with an L1 penalty (the seed paper's dictionary)."""

    def activate(self, preactivations: Tensor) -> Tensor:
        """See `Autoencoder.activate`."""
        return preactivations.relu()


def make(config: SaeConfig, width: int) -> Autoencoder:
    """An untrained autoencoder. Raises UserError for an unknown variant or k outside 1..latents − 1."""
    if config.variant == "relu":
        return ReLU(width, config.latents)
    if config.variant != "topk":
        raise UserError(f"Unknown SAE variant “{config.variant}”. Choose topk or relu.")
    if not 0 < config.k < config.latents:
        raise UserError(f"k is {config.k}, but must lie between 1 and {config.latents - 1} (fewer than the latents).")
    return TopK(width, config.latents, config.k)
