"""Training a sparse autoencoder on activations, in memory or memory-mapped."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from seqsae_core import checkpoint
from seqsae_core.config import SaeConfig
from seqsae_core.errors import UserError
from seqsae_core.sae import sparse
from seqsae_core.sae.autoencoders import Autoencoder, make

WARM_UP, DECAY = 0.02, 0.25
CHECKPOINT_STEPS = 500
HELD_OUT_EVERY, HELD_OUT_MOST = 20, 4096

Report = Callable[[float, str, float], None]


def train(
    values: np.ndarray, config: SaeConfig, seed: int, report: Report | None = None, folder: Path | None = None
) -> Autoencoder:
    """The trained autoencoder for raw activations; `values`: float32 (n, width).

    Inputs are centred and scaled to mean square 1; that normalisation is folded in at the end. Every twentieth row is
    kept for thresholds. With a `folder` an interrupted training goes on from there, and ends with the same bits.
    `report(fraction, detail, fraction at the start)` is called every 25 steps.
    Raises UserError for activations that are not finite or all alike.
    """
    trainer = Trainer(values, config, seed)
    if folder:
        trainer.resume(folder)
    begun = trainer.step / config.steps
    while trainer.step < config.steps:
        unexplained = trainer.advance()
        if report and trainer.step % 25 == 0:
            report(trainer.step / config.steps, f"explained variance {1 - unexplained:.3f}", begun)
        if folder and trainer.step % CHECKPOINT_STEPS == 0:
            trainer.save(folder)
    return trainer.finish()


class Trainer:
    """The state of a training: weights, optimiser, generator, steps done, and since when each latent is idle."""

    def __init__(self, values: np.ndarray, config: SaeConfig, seed: int):
        self.values, self.config, self.step = values, config, 0
        self.mean, self.scale = _normalisation(values)
        torch.manual_seed(seed)
        self.sae = make(config, values.shape[1])
        self.optimiser = torch.optim.Adam(self.sae.parameters(), lr=config.learning_rate, fused=True)
        self.generator = torch.Generator().manual_seed(seed)
        self.idle = torch.zeros(config.latents, dtype=torch.long)

    def advance(self) -> float:
        """One step; the share of the batch's variance that was left unexplained."""
        x = self._batch()
        loss, unexplained = self._loss(x)
        self.optimiser.param_groups[0]["lr"] = self.config.learning_rate * _schedule(self.step / self.config.steps)
        self.optimiser.zero_grad()
        loss.backward()
        _update(self.sae, self.optimiser)
        self.step += 1
        return unexplained

    def finish(self) -> Autoencoder:
        """The dictionary in the activations' own units, for use only."""
        held_out = torch.from_numpy(_held_out(self.values))
        sae = self.sae.finished((held_out - self.mean) / self.scale)
        sae.fold(self.mean, self.scale)
        return sae.requires_grad_(False).eval()

    def save(self, folder: Path) -> None:
        """Replace the checkpoint."""
        state = {"idle": self.idle, "generator": self.generator.get_state()}
        groups = {"sae": self.sae.state_dict(), "moments": checkpoint.moments(self.optimiser), "state": state}
        checkpoint.save(folder, groups, {"step": self.step})

    def resume(self, folder: Path) -> None:
        """Go on from the checkpoint of a folder, if there is one."""
        found = checkpoint.load(folder)
        if found is None:
            return
        groups, notes = found
        self.sae.load_state_dict(groups["sae"])
        checkpoint.set_moments(self.optimiser, groups["moments"])
        self.idle = groups["state"]["idle"]
        self.generator.set_state(groups["state"]["generator"])
        self.step = notes["step"]

    def _batch(self) -> Tensor:
        """Normalised activations (batch, width) at random rows that are not held out."""
        kept = HELD_OUT_EVERY - 1
        count = len(self.values) * kept // HELD_OUT_EVERY
        drawn = torch.randint(max(count, 1), (self.config.batch_size,), generator=self.generator).numpy()
        rows = np.minimum(drawn + drawn // kept + 1, len(self.values) - 1)
        return (torch.from_numpy(np.take(self.values, rows, axis=0)) - self.mean) / self.scale

    def _loss(self, x: Tensor) -> tuple[Tensor, float]:
        codes = self.sae.codes(x)
        residuals = [x - rebuilt for rebuilt in self.sae.reconstructions(codes)]
        error = torch.stack([residual.pow(2).mean() for residual in residuals]).mean() + self.sae.penalty(codes)
        if self.sae.revived:
            error = error + self._auxiliary(x, residuals[-1].detach())
        fired = torch.bincount(codes.latents, codes.values.detach(), len(self.idle))
        self.idle = torch.where(fired > 0, 0, self.idle + 1)
        return error, float(residuals[-1].detach().pow(2).mean() / x.pow(2).mean())

    def _auxiliary(self, x: Tensor, residual: Tensor) -> Tensor | float:
        """AuxK of Gao et al. (2024), appendix A.2: latents idle for `dead_window` steps reconstruct the residual."""
        sae, config = self.sae, self.config
        dead = torch.nonzero(self.idle > config.dead_window).squeeze(1)
        if not len(dead):
            return 0.0
        choose = partial(sparse.largest_of_rows, k=min(config.aux_k, len(dead)))
        codes = sparse.encode(x, sae.W_enc[:, dead], sae.bias()[dead], choose)
        rebuilt = sparse.decode(codes, sae.W_dec[dead])
        return config.aux_weight * (residual - rebuilt).pow(2).mean() / residual.pow(2).mean().clamp(min=1e-12)


def _held_out(values: np.ndarray) -> np.ndarray:
    """At most HELD_OUT_MOST of the rows that training does not draw, evenly over all: rows come in order of history
    length, so the first are not like the rest."""
    rows = np.arange(0, len(values), HELD_OUT_EVERY)
    return values[rows[np.linspace(0, len(rows) - 1, min(len(rows), HELD_OUT_MOST)).astype(int)]]


def _normalisation(values: np.ndarray) -> tuple[Tensor, float]:
    """Mean (width,) and root mean variance, in one walk over the rows."""
    total, squares = np.zeros(values.shape[1]), np.zeros(values.shape[1])
    shift = values[:1].mean(0, dtype=np.float64)
    for start in range(0, len(values), 65536):
        rows = values[start : start + 65536] - shift
        total += rows.sum(0)
        squares += (rows * rows).sum(0)
    if not (np.isfinite(total).all() and np.isfinite(squares).all()):
        raise UserError("The activations hold NaN or infinite values: the model has diverged. Train it again.")
    mean = total / len(values)
    scale = float(np.sqrt((squares / len(values) - mean**2).clip(min=0).mean()))
    if scale < 1e-8:
        raise UserError("All activations are alike: there is nothing to explain. Train the model for longer.")
    return torch.from_numpy((mean + shift).astype(np.float32)), scale


def _schedule(done: float) -> float:
    """Linear warm-up, a plateau, and linear decay to zero over the last quarter."""
    return min(1.0, done / WARM_UP + 0.01, (1 - done) / DECAY)


def _update(sae: Autoencoder, optimiser: torch.optim.Optimizer) -> None:
    """One optimiser step that keeps decoder rows at unit norm (Bricken et al., 2023, appendix on training)."""
    with torch.no_grad():
        gradient, rows = sae.W_dec.grad, sae.W_dec
        gradient -= (gradient * rows).sum(1, keepdim=True) * rows
    torch.nn.utils.clip_grad_norm_(sae.parameters(), 1.0)
    optimiser.step()
    with torch.no_grad():
        sae.W_dec /= sae.W_dec.norm(dim=1, keepdim=True)
