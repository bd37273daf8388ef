"""Training a sparse autoencoder on activations."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from seqsae_core.config import SaeConfig
from seqsae_core.errors import UserError
from seqsae_core.sae import sparse
from seqsae_core.sae.autoencoders import Autoencoder, TopK, make

WARM_UP, DECAY = 0.02, 0.25


def train(
    values: np.ndarray, config: SaeConfig, seed: int, report: Callable[[float, str], None] | None = None
) -> Autoencoder:
    """The trained autoencoder for raw activations; `values`: float32 (n, width).

    Inputs are centred and scaled to mean square 1; that normalisation is folded in at the end.
    Raises UserError for activations that are not finite or all alike.
    """
    mean, scale = _normalisation(values)
    torch.manual_seed(seed)
    sae, data = make(config, values.shape[1]), torch.from_numpy(values)
    optimiser = torch.optim.Adam(sae.parameters(), lr=config.learning_rate, betas=(0.9, 0.999), fused=True)
    generator = torch.Generator().manual_seed(seed)
    idle = torch.zeros(config.latents, dtype=torch.long)
    for step in range(config.steps):
        x = (data[torch.randint(len(data), (config.batch_size,), generator=generator)] - mean) / scale
        optimiser.param_groups[0]["lr"] = config.learning_rate * _schedule(step / config.steps)
        loss, error = _loss(sae, x, config, idle)
        optimiser.zero_grad()
        loss.backward()
        _step(sae, optimiser)
        if report and step % 25 == 0:
            report(step / config.steps, f"explained variance {1 - error:.3f}")
    sae.fold(mean, scale)
    return sae.requires_grad_(False).eval()


def _normalisation(values: np.ndarray) -> tuple[Tensor, float]:
    if not np.isfinite(values).all():
        raise UserError("The activations hold NaN or infinite values: the model has diverged. Train it again.")
    mean = torch.from_numpy(values.mean(0))
    scale = float(np.sqrt(values.var(0).mean()))
    if scale < 1e-8:
        raise UserError("All activations are alike: there is nothing to explain. Train the model for longer.")
    return mean, scale


def _schedule(done: float) -> float:
    """Linear warm-up, a plateau, and linear decay to zero over the last quarter."""
    return min(1.0, done / WARM_UP + 0.01, (1 - done) / DECAY)


def _loss(sae: Autoencoder, x: Tensor, config: SaeConfig, idle: Tensor) -> tuple[Tensor, float]:
    """Loss and the share of variance left unexplained; `idle` counts steps since each latent last fired."""
    if isinstance(sae, TopK):
        values, latents = sae.top(x)
        residual = x - sparse.decode(values, latents, sae.W_dec) - sae.b_dec
        fired = torch.zeros_like(idle, dtype=torch.bool)
        fired[latents[values > 0]] = True
        extra = _auxiliary(sae, x, residual.detach(), idle, config)
    else:
        codes = sae.encode(x)
        residual = x - sae.decode(codes)
        fired = (codes > 0).any(0)
        extra = config.l1 * codes.sum(-1).mean() / sae.width
    idle.add_(1)[fired] = 0
    error = residual.pow(2).mean()
    return error + extra, float(error.detach() / x.pow(2).mean())


def _auxiliary(sae: TopK, x: Tensor, residual: Tensor, idle: Tensor, config: SaeConfig) -> Tensor | float:
    """AuxK of Gao et al. (2024), appendix A.2: latents idle for `dead_window` steps reconstruct the residual."""
    dead = torch.nonzero(idle > config.dead_window).squeeze(1)
    if not len(dead):
        return 0.0
    values, latents = sparse.encode(x, sae.W_enc[:, dead], sae.bias()[dead], min(config.aux_k, len(dead)))
    rebuilt = sparse.decode(values, latents, sae.W_dec[dead])
    return config.aux_weight * (residual - rebuilt).pow(2).mean() / residual.pow(2).mean().clamp(min=1e-12)


def _step(sae: Autoencoder, optimiser: torch.optim.Optimizer) -> None:
    """One optimiser step that keeps decoder rows at unit norm (Bricken et al., 2023, appendix on training)."""
    with torch.no_grad():
        gradient, rows = sae.W_dec.grad, sae.W_dec
        gradient -= (gradient * rows).sum(1, keepdim=True) * rows
    torch.nn.utils.clip_grad_norm_(sae.parameters(), 1.0)
    optimiser.step()
    with torch.no_grad():
        sae.W_dec /= sae.W_dec.norm(dim=1, keepdim=True)
