"""saprmarks' dictionary_learning: its TopK trainer, one `update` a batch."""

import numpy as np
import torch
from contender import Job, Reconstruct, run
from dictionary_learning.trainers.top_k import TopKTrainer


def train(job: Job, steps: int) -> Reconstruct:
    """Its defaults: Adam at 2e-4 / sqrt(latents / 2^14), AuxK; rows scaled to mean square norm 1, as its own loop does.

    The warm-up is its default of 1,000 steps, or a fiftieth of a shorter training.
    """
    rows = job.rows("train")
    scale = float(np.sqrt((rows**2).sum(1).mean()))
    trainer = TopKTrainer(
        steps=steps, activation_dim=rows.shape[1], dict_size=job.latents, k=job.k, layer=0, lm_name="none",
        lr=2e-4 / (job.latents / 2**14) ** 0.5 * job.rate_factor, warmup_steps=min(1000, max(1, steps // 50)),
        decay_start=max(2, int(0.8 * steps)), device="cpu", seed=job.seed,
    )  # fmt: skip
    for step, batch in enumerate(job.batches(steps)):
        trainer.update(step, batch / scale)

    def reconstruct(batch: torch.Tensor):
        codes = trainer.ae.encode(batch / scale, use_threshold=False)
        return trainer.ae.decode(codes) * scale, codes

    return reconstruct


if __name__ == "__main__":
    run(train)
