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

    architecture, revived = "standard", True

    def __init__(self, width: int, latents: int):
        super().__init__()
        self.width, self.latents = width, latents
        directions = nn.functional.normalize(torch.randn(latents, width), dim=1)
        self.W_dec = nn.Parameter(directions)
        self.W_enc = nn.Parameter(directions.T.contiguous())
        self.b_enc = nn.Parameter(torch.zeros(latents))
        self.b_dec = nn.Parameter(torch.zeros(width))

    def preactivations(self, x: Tensor) -> Tensor:
        """Encoder output before the activation function, (..., latents)."""
        return x @ self.W_enc + self.bias()

    def bias(self) -> Tensor:
        """What the encoder adds to x @ W_enc, (latents,): b_enc, and b_dec by way of W_enc."""
        return self.b_enc - self.b_dec @ self.W_enc

    def choose(self, preactivations: Tensor) -> Tensor:
        """Flat places, ascending, of the preactivations (n, latents) that may fire: after a ReLU they are the codes."""
        raise NotImplementedError

    def codes(self, x: Tensor) -> sparse.Codes:
        """The codes that fire for x (n, width); a value may be 0."""
        return sparse.encode(x, self.W_enc, self.bias(), self.choose)

    def activate(self, preactivations: Tensor) -> Tensor:
        """Non-negative codes from preactivations, both (..., latents)."""
        flat = preactivations.reshape(-1, self.latents)
        codes, places = torch.zeros_like(flat), self.choose(flat)
        codes.view(-1)[places] = flat.view(-1)[places].relu()
        return codes.view(preactivations.shape)

    def encode(self, x: Tensor) -> Tensor:
        """Non-negative codes (..., latents) of activations (..., width)."""
        return self.activate(self.preactivations(x))

    def decode(self, codes: Tensor) -> Tensor:
        """Reconstruction (..., width) of codes (..., latents)."""
        return codes @ self.W_dec + self.b_dec

    def forward(self, x: Tensor) -> Tensor:
        """Reconstruction of activations, both (..., width)."""
        return self.decode(self.encode(x))

    def reconstructions(self, codes: sparse.Codes) -> list[Tensor]:
        """What training makes alike to the input, each (n, width); the last is that of all codes."""
        return [sparse.decode(codes, self.W_dec) + self.b_dec]

    def penalty(self, codes: sparse.Codes) -> Tensor | float:
        """What training adds to the mean squared error of a batch."""
        return 0.0

    def finished(self, held_out: Tensor) -> "Autoencoder":
        """The dictionary to keep; held_out: normalised activations (n, width) that training has not seen."""
        return self

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


class ReLU(Autoencoder):
    """Every positive preactivation fires; trained with an L1 penalty (the seed paper's dictionary)."""

    revived = False

    def __init__(self, width: int, latents: int, l1: float = 0.0):
        super().__init__(width, latents)
        self.l1 = l1

    def choose(self, preactivations: Tensor) -> Tensor:
        """See `Autoencoder.choose`."""
        return sparse.above(preactivations, preactivations.new_zeros(()))

    def penalty(self, codes: sparse.Codes) -> Tensor:
        """The L1 norm of a position's codes, a dimension."""
        return self.l1 * codes.values.sum() / (len(codes.starts) - 1) / self.width


class JumpReLU(Autoencoder):
    """Fires above each latent's threshold; Rajamanoharan et al. (2024), eq. 3. It is not trained: the variants that
    select over a batch become one.

    threshold: (latents,), not negative.
    """

    architecture = "jumprelu"

    def __init__(self, width: int, latents: int):
        super().__init__(width, latents)
        self.threshold = nn.Parameter(torch.zeros(latents))

    def choose(self, preactivations: Tensor) -> Tensor:
        """See `Autoencoder.choose`."""
        return sparse.above(preactivations, self.threshold)

    @torch.no_grad()
    def fold(self, mean: Tensor, scale: float) -> None:
        """See `Autoencoder.fold`."""
        self.threshold *= self.W_dec.norm(dim=1) * scale
        super().fold(mean, scale)


class TopK(Autoencoder):
    """The k largest preactivations of each position fire; Gao et al. (2024), eq. 3, with a ReLU after it."""

    architecture = "topk"

    def __init__(self, width: int, latents: int, k: int):
        super().__init__(width, latents)
        self.k = k

    def choose(self, preactivations: Tensor) -> Tensor:
        """See `Autoencoder.choose`."""
        return sparse.largest_of_rows(preactivations, self.k)


class BatchTopK(TopK):
    """The k · n largest preactivations of a batch of n positions fire; Bussmann et al. (2024), eq. 6.

    A trained one becomes a `JumpReLU`, whose codes do not depend on what else is in a batch.
    """

    def choose(self, preactivations: Tensor) -> Tensor:
        """See `Autoencoder.choose`."""
        return sparse.largest_of_all(preactivations, self.k * len(preactivations))

    @torch.no_grad()
    def finished(self, held_out: Tensor) -> JumpReLU:
        """With the one threshold above which k latents a held-out position fire on average."""
        whole = JumpReLU(self.width, self.latents)
        whole.load_state_dict(self.state_dict() | {"threshold": whole.threshold})
        whole.threshold.fill_(max(0.0, sparse.kth_largest(self.preactivations(held_out), self.k * len(held_out))))
        return whole


class Matryoshka(BatchTopK):
    """A BatchTopK of which each nested prefix of the latents must reconstruct the input; Bussmann et al. (2025), eq. 5.

    The first latents learn what is general, so that a wider dictionary does not split it.
    """

    PREFIXES = (1 / 16, 1 / 4)

    def reconstructions(self, codes: sparse.Codes) -> list[Tensor]:
        """See `Autoencoder.reconstructions`; one a prefix, and the whole."""
        places = torch.arange(self.latents, device=codes.latents.device)
        prefixes = [codes.where(places < round(share * self.latents)) for share in self.PREFIXES]
        return [sparse.decode(part, self.W_dec) + self.b_dec for part in (*prefixes, codes)]


SPARSE = {"topk": TopK, "batchtopk": BatchTopK, "matryoshka": Matryoshka}
VARIANTS = (*SPARSE, "relu")


def check(config: SaeConfig) -> None:
    """Raises UserError for an unknown variant or k outside 1..latents − 1."""
    if config.variant not in VARIANTS:
        raise UserError(f"Unknown SAE variant “{config.variant}”. Choose one of: {', '.join(VARIANTS)}.")
    if config.variant in SPARSE and not 0 < config.k < config.latents:
        raise UserError(f"k is {config.k}, but must lie between 1 and {config.latents - 1} (fewer than the latents).")


def make(config: SaeConfig, width: int) -> Autoencoder:
    """An untrained autoencoder. Errors as in `check`."""
    check(config)
    if config.variant == "relu":
        return ReLU(width, config.latents, config.l1)
    return SPARSE[config.variant](width, config.latents, config.k)
