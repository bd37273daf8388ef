"""Kempner's overcomplete: its TopK module in its own training loop."""

import sys
from types import ModuleType

import matplotlib
import matplotlib.cm

# It imports torchvision and an old name of matplotlib for pictures, which are not used here.
for name in ("torchvision", "torchvision.transforms"):
    sys.modules.setdefault(name, ModuleType(name))
matplotlib.cm.get_cmap = matplotlib.colormaps.get_cmap

import torch  # noqa: E402
from contender import Job, Reconstruct, run  # noqa: E402
from overcomplete.sae import TopKSAE  # noqa: E402
from overcomplete.sae.losses import top_k_auxiliary_loss  # noqa: E402
from overcomplete.sae.train import train_sae  # noqa: E402


def train(job: Job, steps: int) -> Reconstruct:
    """Adam at 5e-4 and its auxiliary criterion, as its documentation trains TopK dictionaries; one epoch."""
    width = job.rows("train").shape[1]
    sae = TopKSAE(width, nb_concepts=job.latents, top_k=job.k, device="cpu")
    optimiser = torch.optim.Adam(sae.parameters(), lr=5e-4 * job.rate_factor)
    train_sae(sae, list(job.batches(steps)), top_k_auxiliary_loss, optimiser, nb_epochs=1, device="cpu")

    def reconstruct(rows: torch.Tensor):
        _, codes = sae.encode(rows)
        return sae.decode(codes), codes

    return reconstruct


if __name__ == "__main__":
    run(train)
