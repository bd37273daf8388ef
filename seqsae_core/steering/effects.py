"""What one latent does: how many recommended items it replaces, and which items it promotes and demotes."""

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from seqsae_core.config import SteeringConfig
from seqsae_core.data.sequences import Sequences, Split
from seqsae_core.recommender.protocol import SequenceModel
from seqsae_core.sae.autoencoders import Autoencoder
from seqsae_core.steering.displacement import displaced_states
from seqsae_core.steering.evaluation import (
    Contexts,
    Report,
    collect_contexts,
    held_out_users,
    lists_under,
    workers,
)
from seqsae_core.steering.outcomes import interval, user_weights

MIN_COUNT = 20
LISTED = 10
LATENTS_AT_ONCE = 64


@torch.inference_mode()
def measure_effects(
    model: SequenceModel,
    sae: Autoencoder,
    layer: int,
    units: np.ndarray,
    sequences: Sequences,
    split: Split,
    counts: np.ndarray,
    config: SteeringConfig,
    seed: int,
    report: Report,
) -> pd.DataFrame:
    """One row a latent: latent, effect, effect_low, effect_high, promoted, promoted_change, demoted, demoted_change.

    The effect is the mean number of top-10 items replaced when `effect_strength` units are added at `position` to
    `effect_histories` fixed held-out histories (before the validation target), with a bootstrap interval over them.
    units: (latents,); counts: training interactions (n_items,): items with fewer than MIN_COUNT are never listed as
    promoted or demoted, because their scores are hardly trained.
    """
    users = held_out_users(sequences, split, -(-config.effect_histories // 2))[: config.effect_histories]
    contexts = collect_contexts(model, layer, sequences, users, split.valid_at[users])
    scale = torch.as_tensor(np.nan_to_num(units) * config.effect_strength, dtype=torch.float32)
    blocks = (scale[:, None] * sae.W_dec).split(LATENTS_AT_ONCE)
    replaced, shifts = [], []
    with workers() as pool:
        for one, shift in pool.map(lambda block: _block(contexts, block, config.position), blocks):
            replaced.append(one)
            shifts.append(shift)
            report(len(shifts) / len(blocks), f"{len(shifts) * LATENTS_AT_ONCE:,} of {len(scale):,} latents")
    effects = user_weights(len(users), seed) @ np.concatenate(replaced, axis=1)
    low, high = interval(effects)
    columns = {"latent": np.arange(len(scale)), "effect": effects[0], "effect_low": low, "effect_high": high}
    return pd.DataFrame(columns).assign(**_moved_items(model, torch.cat(shifts), counts))


@torch.inference_mode()
def _block(contexts: Contexts, displacements: Tensor, position: str) -> tuple[np.ndarray, Tensor]:
    """Top-10 items replaced by each displacement (histories, latents); mean move of the state (latents, width)."""
    rows = torch.cat([torch.zeros_like(displacements[:1]), displacements])
    items = lists_under(contexts, rows, position).items
    kept = (items[:, 1:, :, None] == items[:, :1, None, :]).any(3)
    return (~kept & (items[:, 1:] > 0)).sum(2), _mean_move(contexts, rows, position)


def _mean_move(contexts: Contexts, rows: Tensor, position: str) -> Tensor:
    total = torch.zeros(len(rows) - 1, rows.shape[1])
    for bucket in contexts.buckets:
        states = displaced_states(contexts.model, bucket.hidden, contexts.layer, rows, position)
        total += (states[:, 1:] - states[:, :1]).sum(0)
    return total / len(contexts.users)


def _moved_items(model: SequenceModel, moves: Tensor, counts: np.ndarray) -> dict[str, list[np.ndarray]]:
    """The items whose score rises and falls most, of mean state moves (latents, width).

    Scores are linear in the state, so the mean change of a score is the change by the mean move. Changes are relative
    to the mean over the catalogue, which moves no list.
    """
    change = moves @ model.item_vectors()[1:].T
    change = (change - change.mean(1, keepdim=True)).numpy()[:, counts >= MIN_COUNT]
    items = np.flatnonzero(counts >= MIN_COUNT).astype(np.int32) + 1
    columns: dict[str, list[np.ndarray]] = {}
    for name, sign in (("promoted", 1), ("demoted", -1)):
        order = np.argsort(-sign * change, axis=1, kind="stable")[:, :LISTED]
        kept = [row[sign * one[row] > 0] for row, one in zip(order, change, strict=True)]
        columns[name] = [items[row] for row in kept]
        columns[f"{name}_change"] = [one[row] for row, one in zip(kept, change, strict=True)]
    return columns
