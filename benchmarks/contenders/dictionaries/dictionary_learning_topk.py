"""saprmarks' dictionary_learning: its TopK trainer, one `update` a batch."""

import sys
from types import ModuleType

# Its reader of language models, not used here, asks for a torchvision that a torch for the CPU cannot load.
sys.modules["nnsight"] = ModuleType("nnsight")
sys.modules["nnsight"].LanguageModel = object

import numpy as np  # noqa: E402
import torch  # noqa: E402
from contender import Job, Reconstruct, run  # noqa: E402
from dictionary_learning.trainers.top_k import TopKTrainer  # noqa: E402


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
    run(train, "dictionary-learning")
