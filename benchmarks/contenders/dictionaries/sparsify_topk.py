"""EleutherAI's sparsify: its coder, with the optimiser, rate, loss and order of steps of its trainer.

The trainer itself reads activations from a language model only.
"""

from itertools import chain

from contender import Job, Reconstruct, run
from schedulefree import ScheduleFreeWrapper
from sparsify import SparseCoder
from sparsify.config import SparseCoderConfig
from sparsify.sign_sgd import SignSGD
from torch import zeros


def train(job: Job, steps: int) -> Reconstruct:
    """Sign descent without a schedule, rate 5e-3 / sqrt(latents / 2^14), loss FVU; no auxiliary loss, its default."""
    batches = job.batches(steps)
    first = next(batches)
    coder = SparseCoder(first.shape[1], SparseCoderConfig(num_latents=job.latents, k=job.k))
    coder.b_dec.data = first.mean(0)
    rate = 5e-3 / (job.latents / 2**14) ** 0.5 * job.rate_factor
    optimiser = ScheduleFreeWrapper(SignSGD(coder.parameters(), lr=rate), momentum=0.95)
    optimiser.train()
    for rows in chain([first], batches):
        coder.set_decoder_norm_to_unit_norm()
        coder(rows).fvu.backward()
        coder.remove_gradient_parallel_to_decoder_directions()
        optimiser.step()
        optimiser.zero_grad()
    optimiser.eval()
    coder.set_decoder_norm_to_unit_norm()

    def reconstruct(rows):
        top, latents, _ = coder.encode(rows)
        return coder.decode(top, latents), zeros(len(rows), job.latents).scatter(1, latents, top)

    return reconstruct


if __name__ == "__main__":
    run(train, "eai-sparsify")
