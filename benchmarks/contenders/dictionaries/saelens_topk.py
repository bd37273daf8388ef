"""SAELens: its TopK training class in its own trainer."""

from contender import Job, Reconstruct, run
from sae_lens.config import LoggingConfig, SAETrainerConfig
from sae_lens.saes import TopKTrainingSAE, TopKTrainingSAEConfig
from sae_lens.training.sae_trainer import SAETrainer


def train(job: Job, steps: int) -> Reconstruct:
    """Its defaults: Adam at 3e-4, constant; auxiliary loss; inputs scaled as it recommends for training."""
    width = job.rows("train").shape[1]
    sae = TopKTrainingSAE(
        TopKTrainingSAEConfig(
            d_in=width, d_sae=job.latents, k=job.k, normalize_activations="expected_average_only_in"
        )
    )
    rate = 3e-4 * job.rate_factor
    settings = SAETrainerConfig(
        total_training_samples=steps * job.batch_size, train_batch_size_samples=job.batch_size,
        lr=rate, lr_end=rate / 10, n_batches_for_norm_estimate=10, logger=LoggingConfig(log_to_wandb=False),
    )  # fmt: skip
    sae = SAETrainer(settings, sae, job.batches(steps + 10)).fit()
    return lambda rows: (sae.decode(codes := sae.encode(rows)), codes)


if __name__ == "__main__":
    run(train, "sae-lens")
