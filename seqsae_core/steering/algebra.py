"""What edits do to codes, and what that adds to hidden states: many strengths of the same edits at once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from seqsae_core.recommender.protocol import Hidden
from seqsae_core.sae.autoencoders import Autoencoder
from seqsae_core.steering.displacement import positions
from seqsae_core.steering.edits import TOWARDS, Edit
from seqsae_core.steering.taste import affinity, averaged

Change = Callable[[Tensor, Edit, Tensor, Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class Variants:
    """Edits, each at a strength of its own in every variant; they apply in order, each to what the one before left.

    strengths: (edits, variants). units: (latents,). usual: (latents,), mean codes over all users' positions, which
    edits by taste need.
    """

    sae: Autoencoder
    units: Tensor
    edits: tuple[Edit, ...]
    strengths: Tensor
    usual: Tensor | None = None

    @classmethod
    def one(
        cls, sae: Autoencoder, units: Tensor, edits: Sequence[Edit], usual: Tensor | None = None
    ) -> "Variants":
        """A single variant: each edit at its own strength."""
        own = torch.tensor([float(edit.strength) for edit in edits], dtype=torch.float32)
        return cls(sae, units, tuple(edits), own[:, None], usual)

    def __len__(self) -> int:
        return self.strengths.shape[1]

    def of(self, hidden: Hidden, position: str) -> Tensor:
        """(edited codes − codes) · W_dec, (batch, variants, positions, width), as `displaced_states` takes it.

        Exactly 0 where no code changes and where `position` edits nothing.
        """
        whole = position != "last" or any(edit.by_taste for edit in self.edits)
        codes = self.sae.encode(hidden.activations if whole else hidden.activations[:, -1:])
        strengths = self.for_users(codes, hidden.item_at)
        codes = codes[:, -1:] if position == "last" else codes
        columns = self._columns(codes)
        change = changes(codes[..., columns], columns, self.edits, strengths, self.units)
        moved = change @ self.sae.W_dec[columns]
        return moved if position == "last" else positions(hidden, position)[:, None, :, None] * moved

    def for_users(self, codes: Tensor, item_at: Tensor) -> Tensor:
        """The strengths, those of edits by taste times each user's factor: (edits, 1 or batch, variants).

        codes: of the whole history, (batch, length, latents), where any edit is by taste; item_at: (batch, length).
        """
        if not any(edit.by_taste for edit in self.edits):
            return self.strengths[:, None]
        if self.usual is None:
            raise ValueError("edits by taste need the usual codes")
        means = averaged(codes, item_at)
        ones = torch.ones(len(codes))
        factors = [affinity(means, e, self.units, self.usual) if e.by_taste else ones for e in self.edits]
        return torch.stack(factors)[..., None] * self.strengths[:, None]

    def _columns(self, codes: Tensor) -> Tensor:
        """The latents whose codes may change, ascending."""
        touched = torch.zeros(codes.shape[-1], dtype=torch.bool)
        touched[[latent for edit in self.edits for latent in edit.latents]] = True
        if any(edit.kind == "mass" for edit in self.edits):
            touched |= codes.flatten(0, -2).any(0)
        return torch.nonzero(touched)[:, 0]


def beside_plain(displacements: Tensor | Variants) -> Tensor | Variants:
    """The same with a variant that moves nothing in front: displacements (variants, width) or variants of edits."""
    if isinstance(displacements, Variants):
        strengths = displacements.strengths
        return replace(displacements, strengths=torch.cat([torch.zeros_like(strengths[:, :1]), strengths], dim=1))
    return torch.cat([torch.zeros(1, displacements.shape[1]), displacements])


def changes(codes: Tensor, columns: Tensor, edits: Sequence[Edit], strengths: Tensor, units: Tensor) -> Tensor:
    """Edited codes − codes, (batch, variants, positions, columns), of codes (batch, positions, columns).

    columns: the latents of the codes' columns, all that the edits name among them; strengths: (edits, variants), or
    (edits, batch, variants) where users have their own; units: (latents,). The formulas are those of `Edit`. Where
    every strength is 0 the change is exactly 0.
    """
    codes, units = codes[:, None], units[columns]
    change = torch.zeros(len(codes), strengths.shape[-1], *codes.shape[2:])
    for edit, strength in zip(edits, strengths, strict=True):
        weights = torch.zeros(len(columns))
        weights[torch.searchsorted(columns, torch.tensor(edit.latents))] = torch.tensor([w for _, w in edit.parts])
        change = change + CHANGES[edit.kind](codes + change, edit, strength[..., None, None], weights, units)
    return change


def _added(codes: Tensor, edit: Edit, strength: Tensor, weights: Tensor, units: Tensor) -> Tensor:
    return strength * weights * units


def _scaled(codes: Tensor, edit: Edit, strength: Tensor, weights: Tensor, units: Tensor) -> Tensor:
    return codes * ((1 + strength * weights).clamp(min=0) - 1)


def _moved_towards(codes: Tensor, edit: Edit, strength: Tensor, weights: Tensor, units: Tensor) -> Tensor:
    low, high = (level * units.clamp(min=torch.finfo(units.dtype).tiny) for level in (edit.low, edit.high))
    reach = torch.where(strength.isinf(), strength, strength.nan_to_num(posinf=0.0) * weights * units)
    moved = (codes.clamp(low, high) - codes).clamp(-reach, reach)
    return torch.where(weights != 0, moved, 0.0)


def _mass_kept(codes: Tensor, edit: Edit, strength: Tensor, weights: Tensor, units: Tensor) -> Tensor:
    """Gains of the latents named, and the others' losses: in proportion to their codes, at most all they have."""
    there = codes.clamp(min=0)
    others = torch.where(weights == 0, there, 0.0)
    gain = torch.where(weights != 0, torch.maximum(strength * weights * units, -there), 0.0)
    total, mass = gain.sum(-1, keepdim=True), others.sum(-1, keepdim=True)
    gain = gain * torch.where((total > mass) | (mass == 0), mass / total.clamp(min=1e-30), 1.0)
    share = gain.sum(-1, keepdim=True) / mass.clamp(min=1e-30)
    return gain - others * share


CHANGES: dict[str, Change] = {
    "add": _added, "scale": _scaled, "mass": _mass_kept, **dict.fromkeys(TOWARDS, _moved_towards),
}  # fmt: skip
