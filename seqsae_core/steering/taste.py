"""How much a user's own history has of what an edit turns, and the factor that scales a personal edit by it."""

import torch
from torch import Tensor

from seqsae_core.recommender.protocol import Hidden
from seqsae_core.sae.autoencoders import Autoencoder
from seqsae_core.steering.edits import Edit

LEAST, MOST = 0.5, 1.5


def mean_codes(sae: Autoencoder, hidden: Hidden) -> Tensor:
    """Mean code of each latent over a history's items, (batch, latents); 0 for a history without items."""
    return averaged(sae.encode(hidden.activations), hidden.item_at)


def averaged(codes: Tensor, item_at: Tensor) -> Tensor:
    """Mean over the positions of items, (batch, latents); codes (batch, length, latents), item_at (batch, length)."""
    there = (item_at > 0).to(codes.dtype)
    return torch.einsum("blf,bl->bf", codes, there) / there.sum(1, keepdim=True).clamp(min=1)


def affinity(means: Tensor, edit: Edit, units: Tensor, usual: Tensor) -> Tensor:
    """The factor of an edit's strength for each user, (batch,): LEAST + (MOST − LEAST) · r / (1 + r).

    r = Σ|w|m/u / Σ|w|m̄/u over the edit's latents: m the mean codes of the user's history, means (batch, latents), m̄
    those of all users' positions, usual (latents,), u the units (latents,). So LEAST where the history has nothing of
    it, 1 at the usual amount, below MOST whatever the amount. A latent without a unit does not count.
    """
    latents = torch.tensor(edit.latents)
    weights = torch.tensor([abs(weight) for _, weight in edit.parts], dtype=means.dtype)
    weights = torch.where(units[latents] > 0, weights / units[latents].clamp(min=torch.finfo(units.dtype).tiny), 0.0)
    own, most = means[:, latents] @ weights, usual[latents] @ weights
    share = own / (own + most).clamp(min=torch.finfo(own.dtype).tiny)
    return LEAST + (MOST - LEAST) * share
