"""This project's TopK autoencoder, as the default study trains it."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from contender import Job, Reconstruct, run

from seqsae_core.config import SaeConfig
from seqsae_core.sae import training


def train(job: Job, steps: int) -> Reconstruct:
    """Settings as in the default preset, but for size, k and steps."""
    rate = SaeConfig().learning_rate * job.rate_factor
    config = SaeConfig(latents=job.latents, k=job.k, batch_size=job.batch_size, steps=steps, learning_rate=rate)
    sae = training.train(job.rows("train"), config, job.seed, lambda done, *_: job.mark(round(done * steps)))
    return lambda rows: (sae(rows), sae.encode(rows))


if __name__ == "__main__":
    run(train)
