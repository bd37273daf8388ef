"""How much of the model survives when a dictionary stands in for a layer; held-out users throughout."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from seqsae_core.data.sequences import SCORE, SELECT, Sequences, Split, windows
from seqsae_core.recommender.evaluation import users_at_once
from seqsae_core.recommender.protocol import SequenceModel
from seqsae_core.recommender.ranking import bootstrap_ratio
from seqsae_core.sae import splicing
from seqsae_core.sae.activations import Activations, encoded, slices
from seqsae_core.sae.autoencoders import Autoencoder

Splice = Callable[[Tensor], Tensor]
CE_USERS = 1000


def measure(
    model: SequenceModel, sae: Autoencoder, fit: Activations, held_out: Activations, sequences: Sequences, split: Split,
    layer: int, decile: np.ndarray, seed: int,
) -> dict[str, Any]:  # fmt: skip
    """All fidelity figures of a dictionary; definitions in docs/METHOD.md. decile: `splicing.by_decile`."""
    mean, densities = torch.from_numpy(_mean_row(fit.values)), density(sae, fit.values)
    splices: dict[str, Splice] = {"model": lambda x: x, "spliced": sae, "mean": lambda x: mean.expand_as(x)}
    users = split.users(SELECT, SCORE)
    ranked = splicing.rank_both(model, sae, sequences, split.test_at, users, layer)
    return {
        "layer": layer,
        "latents": sae.latents,
        "fit_mean": mean_at_items(fit).tolist(),
        **explained_variance(held_out, sae, seed),
        "l0": float(density(sae, held_out.values).sum()),
        "dead_fraction": float((densities == 0).mean()),
        "densities": density_histogram(densities, len(fit.values)),
        **ce_recovered(model, splices, sequences, split, users, layer, seed),
        **splicing.changes(ranked, seed),
        "by_decile": splicing.by_decile(ranked, decile, seed),
    }


def density(sae: Autoencoder, values: np.ndarray) -> np.ndarray:
    """Share of the positions where each latent fires, (latents,); values: (n, width), also in a file."""
    fired = sum(np.bincount(codes.indices, minlength=sae.latents) for codes in encoded(sae, values))
    return fired / max(len(values), 1)


def density_histogram(densities: np.ndarray, positions: int) -> dict[str, Any]:
    """Numbers of latents, `counts`, in bins of the share of positions where they fire, two bins a power of ten between
    the `edges`, from 1 / positions to 1; `dead` counts those that never fire. densities: (latents,)."""
    fires = densities[densities > 0]
    exponents = np.arange(np.floor(-2 * np.log10(max(positions, 2))), 1) / 2
    counts, _ = np.histogram(np.log10(fires).clip(exponents[0]), exponents)
    return {"edges": (10**exponents).tolist(), "counts": counts.tolist(), "dead": len(densities) - len(fires)}


@torch.inference_mode()
def explained_variance(activations: Activations, sae: Autoencoder, seed: int, draws: int = 200) -> dict[str, Any]:
    """1 − Σ‖x − x̂‖² / Σ‖x − x̄‖² over real positions, with a bootstrap interval over users.

    The values may lie in a file: some thousand rows are in memory at a time.
    """
    values, mean = activations.values, _mean_row(activations.values)
    squares = np.empty((len(values), 2))
    for rows in slices(len(values)):
        x = np.array(values[rows])
        squares[rows, 0] = ((x - sae(torch.from_numpy(x)).numpy()) ** 2).sum(1)
        squares[rows, 1] = ((x - mean) ** 2).sum(1)
    _, owner = np.unique(activations.user_at, return_inverse=True)
    lost, spread = (np.bincount(owner, column) for column in squares.T)
    share, interval = bootstrap_ratio(np.stack([spread - lost, spread], 1), draws, seed)
    return {"explained_variance": share, "explained_variance_ci95": interval}


def mean_at_items(activations: Activations) -> np.ndarray:
    """The mean activation without the model's own mask tokens, (width,), in double precision; also of a file."""
    total, at_item = np.zeros(activations.values.shape[1]), activations.item_at > 0
    for rows in slices(len(at_item)):
        total += activations.values[rows][at_item[rows]].sum(0, dtype=np.float64)
    return total / max(at_item.sum(), 1)


def _mean_row(values: np.ndarray) -> np.ndarray:
    """In double precision, in which few rows among many are not lost."""
    return values.mean(0, dtype=np.float64).astype(np.float32)


def ce_recovered(
    model: SequenceModel, splices: dict[str, Splice], sequences: Sequences, split: Split, users: np.ndarray, layer: int,
    seed: int,
) -> dict[str, Any]:  # fmt: skip
    """(CE_mean − CE_spliced) / (CE_mean − CE_model): full catalogue, every predicting position of the contexts
    of CE_USERS users drawn by the seed among those that have one; interval: paired bootstrap over them.

    None where the mean does not lose against the model, so that there is nothing to recover.
    """
    users = np.random.default_rng(seed).permutation(users[split.context_end[users] > 1])[:CE_USERS]
    users.sort()
    sums, positions = _cross_entropies(model, splices, sequences, users, split.context_end[users], layer)
    of = dict(zip(splices, sums.T, strict=True))
    gaps = np.stack([of["mean"] - of["spliced"], of["mean"] - of["model"]], 1)
    share, interval = bootstrap_ratio(gaps, seed=seed)
    return {
        "ce_recovered": share,
        "ce_recovered_ci95": interval,
        "ce": {name: float(column.sum() / max(positions, 1)) for name, column in of.items()},
        "ce_users": len(users),
    }


@torch.inference_mode()
def _cross_entropies(
    model: SequenceModel, splices: dict[str, Splice], sequences: Sequences, users: np.ndarray, ends: np.ndarray,
    layer: int,
) -> tuple[np.ndarray, int]:  # fmt: skip
    """Summed cross-entropy of each user under each splice (users, splices), and how many positions that is over."""
    sums, positions = np.zeros((len(users), len(splices))), 0
    size = users_at_once(64, model.max_length * sequences.n_items)
    for rows in np.array_split(np.argsort(ends, kind="stable"), max(1, len(users) // size)):
        events = torch.from_numpy(windows(sequences, users[rows], ends[rows], model.max_length + 1))
        hidden = model.hidden(events[:, :-1], layer)
        where = hidden.predicts
        targets = F.pad(events, (where.shape[1] - events.shape[1], 0))[where]
        owner = torch.nonzero(where)[:, 0].numpy()
        positions += len(owner)
        for column, splice in enumerate(splices.values()):
            scores = model.scores(model.states(splice(hidden.activations), hidden.item_at, layer)[where])
            losses = F.cross_entropy(scores, targets, reduction="none").numpy()
            sums[rows, column] = np.bincount(owner, losses, len(rows))
    return sums, positions
