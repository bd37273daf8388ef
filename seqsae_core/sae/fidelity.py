"""How much of the model survives when a dictionary stands in for a layer; held-out users throughout."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from scipy.sparse import csr_array
from torch import Tensor
from torch.nn import functional as F

from seqsae_core.data.sequences import SCORE, SELECT, Sequences, Split, windows
from seqsae_core.recommender.protocol import SequenceModel
from seqsae_core.sae import splicing
from seqsae_core.sae.activations import Activations, encode_sparse
from seqsae_core.sae.autoencoders import Autoencoder

Splice = Callable[[Tensor], Tensor]
CE_USERS, CHUNK = 1000, 8192
DENSITY_EDGES = np.logspace(-5, 0, 11)


def measure(
    model: SequenceModel, sae: Autoencoder, fit: Activations, held_out: Activations, sequences: Sequences, split: Split,
    layer: int, decile: np.ndarray, seed: int,
) -> dict[str, Any]:  # fmt: skip
    """All fidelity figures of a dictionary; definitions in docs/METHOD.md. decile: `splicing.by_decile`."""
    codes = encode_sparse(sae, held_out.values)
    mean = torch.from_numpy(_mean_row(fit.values))
    splices: dict[str, Splice] = {"model": lambda x: x, "spliced": sae, "mean": lambda x: mean.expand_as(x)}
    users = split.users(SELECT, SCORE)
    ranked = splicing.rank_both(model, sae, sequences, split.test_at, users, layer)
    return {
        "layer": layer,
        "latents": sae.latents,
        **explained_variance(held_out, sae, seed),
        "l0": codes.nnz / codes.shape[0],
        "dead_fraction": float((density(encode_sparse(sae, fit.values)) == 0).mean()),
        "densities": density_histogram(density(codes)),
        **ce_recovered(model, splices, sequences, split, users, layer, seed),
        **splicing.changes(ranked, seed),
        "by_decile": splicing.by_decile(ranked, decile, seed),
    }


def density(codes: csr_array) -> np.ndarray:
    """Share of positions where each latent fires, (latents,)."""
    return np.bincount(codes.indices, minlength=codes.shape[1]) / codes.shape[0]


def density_histogram(densities: np.ndarray) -> dict[str, Any]:
    """Numbers of latents in bins of the share of positions where they fire, ten bins to a half power of ten from 1e-5.

    `below` counts those that fire more rarely, `silent` those that never do.
    """
    fires = densities[densities > 0]
    return {
        "edges": DENSITY_EDGES.tolist(),
        "counts": np.histogram(fires, DENSITY_EDGES)[0].tolist(),
        "below": int((fires < DENSITY_EDGES[0]).sum()),
        "silent": int((densities == 0).sum()),
    }


def explained_variance(activations: Activations, sae: Autoencoder, seed: int, draws: int = 200) -> dict[str, Any]:
    """1 − Σ‖x − x̂‖² / Σ‖x − x̄‖² over real positions, with a bootstrap interval over users."""
    mean, lost, spread = _mean_row(activations.values), [], []
    for rows in _chunks(activations.values):
        with torch.inference_mode():
            rebuilt = sae(torch.from_numpy(rows)).numpy()
        lost.append(((rows - rebuilt) ** 2).sum(1))
        spread.append(((rows - mean) ** 2).sum(1))
    _, owner = np.unique(activations.user_at, return_inverse=True)
    lost, spread = (np.bincount(owner, np.concatenate(part)) for part in (lost, spread))
    draw = np.random.default_rng(seed).multinomial(len(lost), np.full(len(lost), 1 / len(lost)), draws)
    interval = np.percentile(1 - (draw @ lost) / (draw @ spread), [2.5, 97.5])
    return {
        "explained_variance": float(1 - lost.sum() / spread.sum()),
        "explained_variance_ci95": interval.tolist(),
    }


def _chunks(values: np.ndarray) -> Iterator[np.ndarray]:
    """Copies of the rows in order, some at a time: they may lie in a file."""
    return (np.array(values[start : start + CHUNK]) for start in range(0, len(values), CHUNK))


def _mean_row(values: np.ndarray) -> np.ndarray:
    total = sum(rows.sum(0, dtype=np.float64) for rows in _chunks(values))
    return (total / len(values)).astype(np.float32)


@torch.inference_mode()
def ce_recovered(
    model: SequenceModel,
    splices: dict[str, Splice],
    sequences: Sequences,
    split: Split,
    users: np.ndarray,
    layer: int,
    seed: int,
    draws: int = 1000,
) -> dict[str, Any]:
    """(CE_mean − CE_spliced) / (CE_mean − CE_model): full catalogue, every predicting position of the contexts
    of the first CE_USERS users that have one; interval: paired bootstrap over them."""
    users = users[split.context_end[users] > 1][:CE_USERS]
    users = users[np.argsort(split.context_end[users], kind="stable")]
    batches = np.array_split(users, max(1, len(users) // 64))
    parts = [_cross_entropies(model, splices, sequences, split, who, layer) for who in batches]
    sums, positions = (np.concatenate(part) for part in zip(*parts, strict=True))
    ce = dict(zip(splices, (sums.sum(0) / max(positions.sum(), 1)).tolist(), strict=True))
    recovered = _recovered(sums.sum(0, keepdims=True), list(splices))
    weights = np.random.default_rng(seed).multinomial(len(sums), np.full(len(sums), 1 / max(len(sums), 1)), draws)
    drawn = _recovered(weights @ sums, list(splices))
    whole = bool(np.isfinite(drawn).all()) and len(users) > 0
    return {
        "ce_recovered": float(recovered[0]) if np.isfinite(recovered[0]) else None,
        "ce_recovered_ci95": np.percentile(drawn, [2.5, 97.5]).tolist() if whole else None,
        "ce": ce,
        "ce_users": len(users),
    }


def _recovered(sums: np.ndarray, names: list[str]) -> np.ndarray:
    """NaN where the mean does not lose against the model, so that there is nothing to recover; sums: (n, splices)."""
    model, spliced, mean = (sums[:, names.index(name)] for name in ("model", "spliced", "mean"))
    return np.divide(mean - spliced, mean - model, out=np.full(len(sums), np.nan), where=mean > model)


def _cross_entropies(
    model: SequenceModel, splices: dict[str, Splice], sequences: Sequences, split: Split, who: np.ndarray, layer: int
) -> tuple[np.ndarray, np.ndarray]:
    """Summed cross-entropy of each user under each splice (users, splices), and the positions summed over (users,)."""
    if not len(who):
        return np.zeros((0, len(splices))), np.zeros(0)
    events = torch.from_numpy(windows(sequences, who, split.context_end[who], model.max_length + 1))
    hidden = model.hidden(events[:, :-1], layer)
    where = hidden.predicts
    targets = F.pad(events, (where.shape[1] - events.shape[1], 0))[where]
    user = torch.nonzero(where)[:, 0].numpy()
    sums = []
    for splice in splices.values():
        scores = model.scores(model.states(splice(hidden.activations), hidden.item_at, layer)[where])
        sums.append(np.bincount(user, F.cross_entropy(scores, targets, reduction="none"), len(who)))
    return np.stack(sums, 1), np.bincount(user, minlength=len(who))
