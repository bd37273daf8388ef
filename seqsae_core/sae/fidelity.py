"""How much of the model survives when a dictionary stands in for a layer; held-out users throughout."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from scipy.sparse import csr_array
from torch import Tensor
from torch.nn import functional as F

from seqsae_core.data.sequences import SCORE, SELECT, Sequences, Split, windows
from seqsae_core.recommender.protocol import SequenceModel
from seqsae_core.recommender.ranking import mask_seen, ndcg, rank_of_target
from seqsae_core.sae.activations import Activations, encode_sparse
from seqsae_core.sae.autoencoders import Autoencoder

Splice = Callable[[Tensor], Tensor]
CE_USERS = 1000


def measure(
    model: SequenceModel, sae: Autoencoder, fit: Activations, held_out: Activations, sequences: Sequences, split: Split,
    layer: int, seed: int,
) -> dict[str, Any]:  # fmt: skip
    """All fidelity figures of a dictionary; definitions in docs/METHOD.md."""
    codes = encode_sparse(sae, held_out.values)
    mean = torch.from_numpy(fit.values.mean(0))
    splices: dict[str, Splice] = {"model": lambda x: x, "spliced": sae, "mean": lambda x: mean.expand_as(x)}
    users = split.users(SELECT, SCORE)
    return {
        "layer": layer,
        "latents": sae.latents,
        **explained_variance(held_out, sae, seed),
        "l0": codes.nnz / codes.shape[0],
        "dead_fraction": float((density(encode_sparse(sae, fit.values)) == 0).mean()),
        **ce_recovered(model, splices, sequences, split, users, layer),
        **ndcg_change(model, sae, sequences, split.test_at, users, layer, seed),
    }


def density(codes: csr_array) -> np.ndarray:
    """Share of positions where each latent fires, (latents,)."""
    return np.bincount(codes.indices, minlength=codes.shape[1]) / codes.shape[0]


def explained_variance(activations: Activations, sae: Autoencoder, seed: int, draws: int = 200) -> dict[str, Any]:
    """1 − Σ‖x − x̂‖² / Σ‖x − x̄‖² over real positions, with a bootstrap interval over users."""
    values = activations.values
    with torch.inference_mode():
        rebuilt = np.concatenate([sae(torch.from_numpy(v)).numpy() for v in np.array_split(values, 32)])
    lost = ((values - rebuilt) ** 2).sum(1)
    spread = ((values - values.mean(0)) ** 2).sum(1)
    _, owner = np.unique(activations.user_at, return_inverse=True)
    lost, spread = np.bincount(owner, lost), np.bincount(owner, spread)
    draw = np.random.default_rng(seed).multinomial(len(lost), np.full(len(lost), 1 / len(lost)), draws)
    interval = np.percentile(1 - (draw @ lost) / (draw @ spread), [2.5, 97.5])
    return {
        "explained_variance": float(1 - lost.sum() / spread.sum()),
        "explained_variance_ci95": interval.tolist(),
    }


@torch.inference_mode()
def ce_recovered(
    model: SequenceModel,
    splices: dict[str, Splice],
    sequences: Sequences,
    split: Split,
    users: np.ndarray,
    layer: int,
) -> dict[str, Any]:
    """(CE_mean − CE_spliced) / (CE_mean − CE_model): full catalogue, every predicting position of the contexts
    of the first CE_USERS users that have one."""
    total, positions = dict.fromkeys(splices, 0.0), 0
    users = users[split.context_end[users] > 1][:CE_USERS]
    for who in np.array_split(users[np.argsort(split.context_end[users], kind="stable")], max(1, len(users) // 64)):
        events = torch.from_numpy(windows(sequences, who, split.context_end[who], model.max_length + 1))
        hidden = model.hidden(events[:, :-1], layer)
        where = hidden.predicts
        targets = F.pad(events, (where.shape[1] - events.shape[1], 0))[where]
        for name, splice in splices.items():
            scores = model.scores(model.states(splice(hidden.activations), hidden.item_at, layer)[where])
            total[name] += float(F.cross_entropy(scores, targets, reduction="sum"))
        positions += len(targets)
    ce = {name: value / max(positions, 1) for name, value in total.items()}
    gap = ce["mean"] - ce["model"]
    return {
        "ce_recovered": (ce["mean"] - ce["spliced"]) / gap if gap > 0 else None,
        "ce": ce,
        "ce_users": len(users),
    }


@torch.inference_mode()
def ndcg_change(
    model: SequenceModel,
    sae: Autoencoder,
    sequences: Sequences,
    targets: np.ndarray,
    users: np.ndarray,
    layer: int,
    seed: int,
) -> dict[str, Any]:
    """NDCG@10 with the reconstruction at every real position / the original − 1, paired interval over users.

    targets: each user's target event, counted from the first (n_users,): `test_at` or `valid_at` of the split.
    """
    users = users[targets[users] > 0]
    if not len(users):
        return {"ndcg_change": None, "ndcg_change_ci95": None}
    users = users[np.argsort(targets[users], kind="stable")]
    batches = np.array_split(users, max(1, len(users) // 256))
    gains = np.concatenate([_both_ndcg(model, sae, sequences, targets, who, layer) for who in batches])
    draws = np.random.default_rng(seed).integers(len(gains), size=(1000, len(gains)))
    sums = gains[draws].sum(1)
    change = sums[:, 1] / np.maximum(sums[:, 0], 1e-12) - 1
    whole = gains.sum(0)
    return {
        "ndcg_change": float(whole[1] / whole[0] - 1) if whole[0] > 0 else None,
        "ndcg_change_ci95": np.percentile(change, [2.5, 97.5]).tolist() if whole[0] > 0 else None,
    }


def _both_ndcg(model, sae, sequences: Sequences, targets: np.ndarray, who: np.ndarray, layer: int) -> np.ndarray:
    """NDCG@10 of the original and the spliced model for some users, (users, 2)."""
    at = targets[who]
    items = torch.from_numpy(windows(sequences, who, at, model.max_length))
    target = torch.from_numpy(sequences.items[sequences.offsets[who] + at]).long()
    hidden = model.hidden(items, layer)
    result = []
    for activations in (hidden.activations, sae(hidden.activations)):
        scores = model.scores(model.resume(activations, hidden.item_at, layer))
        mask_seen(scores, sequences, who, at, target)
        result.append(ndcg(rank_of_target(scores, target).numpy(), 10))
    return np.stack(result, 1)
