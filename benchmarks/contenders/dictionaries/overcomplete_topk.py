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
from overcomplete.sae import TopKSAE, losses  # noqa: E402
from overcomplete.sae.train import train_sae  # noqa: E402


def train(job: Job, steps: int) -> Reconstruct:
    """Adam at 5e-4 on the mean squared error, as its README trains TopK dictionaries; one epoch.

    Option `loss`: the name of one of its own criteria instead.
    """
    width = job.rows("train").shape[1]
    sae = TopKSAE(width, nb_concepts=job.latents, top_k=job.k, device="cpu")
    optimiser = torch.optim.Adam(sae.parameters(), lr=5e-4 * job.rate_factor)
    criterion = getattr(losses, job.options["loss"]) if "loss" in job.options else squared_error
    train_sae(sae, job.batches(steps), criterion, optimiser, nb_epochs=1, device="cpu")
    # Its encoder ends in a batch normalisation: without this, codes would depend on what else is in the batch.
    sae.eval()

    def reconstruct(rows: torch.Tensor):
        _, codes = sae.encode(rows)
        return sae.decode(codes), codes

    return reconstruct


def squared_error(x: torch.Tensor, rebuilt: torch.Tensor, *_) -> torch.Tensor:
    """The criterion of the README."""
    return (x - rebuilt).square().mean()


if __name__ == "__main__":
    run(train, "overcomplete")
