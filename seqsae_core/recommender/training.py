"""Training a transformer, whichever its architecture and its objective."""

import time
from collections.abc import Callable

import numpy as np
import torch

from seqsae_core.config import RecommenderConfig
from seqsae_core.data.sequences import Sequences, Split
from seqsae_core.device import best_device
from seqsae_core.recommender.batching import batches, item_counts, training_events
from seqsae_core.recommender.evaluation import target_ranks
from seqsae_core.recommender.negatives import Negatives
from seqsae_core.recommender.objective import full_softmax, gbce, sampled_softmax
from seqsae_core.recommender.ranking import ndcg
from seqsae_core.recommender.spectral import spectral_embeddings
from seqsae_core.recommender.transformer import ARCHITECTURES, Transformer

VALIDATED = 20_000
Report = Callable[[float, str], None]
Loss = Callable[[Transformer, torch.Tensor, np.random.Generator], torch.Tensor]


def make_model(
    sequences: Sequences, split: Split, config: RecommenderConfig, max_length: int, seed: int
) -> Transformer:
    """An untrained model; with `warm_start`, spectral embeddings; with `popularity_bias`, log-popularity as its bias.

    The bias is centred; an item without training events counts as one with a single event less than the rarest.
    """
    torch.manual_seed(seed)
    shape = (sequences.n_items, config.width, config.blocks, config.heads, max_length, config.dropout)
    model = ARCHITECTURES[config.architecture](*shape)
    if config.warm_start:
        vectors = spectral_embeddings(*training_events(sequences, split), sequences.n_items, config.width, seed)
        model.items.weight.data.copy_(torch.from_numpy(vectors))
    if config.popularity_bias:
        popularity = np.log(item_counts(sequences, split) + 1.0)
        popularity[0] = popularity[1:].mean()
        model.bias.data.copy_(torch.from_numpy(popularity - popularity[1:].mean()))
    return model


def train(
    sequences: Sequences,
    split: Split,
    config: RecommenderConfig,
    max_length: int,
    seed: int,
    report: Report | None = None,
) -> tuple[Transformer, list[dict[str, float]]]:
    """The trained model in evaluation mode, with the weights of its best validation NDCG@10, and one log row a pass.

    Stops after `passes`, after `patience` passes without a better validation, or when the next pass would
    end beyond `seconds`. `report(fraction, detail)` is called about four times a second.
    """
    model = make_model(sequences, split, config, max_length, seed).to(best_device())
    optimiser = torch.optim.AdamW(
        model.parameters(), config.learning_rate, betas=(0.9, 0.98), weight_decay=0.01, fused=True
    )
    loss_of = make_loss(config, item_counts(sequences, split))
    rng = np.random.default_rng(seed)
    log: list[dict[str, float]] = []
    best, best_weights, began = -1.0, None, time.monotonic()
    for number in range(config.passes):
        loss = _run_pass(model, optimiser, loss_of, sequences, split, config, rng, number, report)
        score = validate(model, sequences, split)
        seconds = time.monotonic() - began
        log.append({"pass": number + 1, "loss": loss, "ndcg@10": score, "seconds": seconds})
        if score > best:
            best, best_weights = score, {k: v.clone() for k, v in model.state_dict().items()}
        stale = number - int(np.argmax([row["ndcg@10"] for row in log])) >= config.patience
        if stale or (config.seconds and seconds * (number + 2) / (number + 1) > config.seconds):
            break
    model.load_state_dict(best_weights)
    return model.cpu().eval(), log


def validate(model: Transformer, sequences: Sequences, split: Split) -> float:
    """Mean NDCG@10 on the validation targets, of VALIDATED users, always the same, where there are more."""
    users = np.flatnonzero(split.valid_at >= 1)
    if len(users) > VALIDATED:
        users = np.sort(np.random.default_rng(0).choice(users, VALIDATED, replace=False))
    model.eval()
    return float(ndcg(target_ranks(model, sequences, users, split.valid_at[users]), 10).mean())


def _run_pass(model, optimiser, loss_of, sequences, split, config, rng, number, report) -> float:
    model.train()
    todo = list(batches(sequences, split, model.max_length, config.batch_size, rng))
    total, device = 0.0, next(model.parameters()).device
    for step, items in enumerate(todo):
        _set_rate(optimiser, config, number + step / len(todo))
        loss = loss_of(model, items.to(device), rng)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        total += loss.item()
        if report and step % 8 == 0:
            report(
                (number + step / len(todo)) / config.passes,
                f"pass {number + 1}, loss {total / (step + 1):.3f}",
            )
    return total / len(todo)


def _set_rate(optimiser: torch.optim.Optimizer, config: RecommenderConfig, passes_done: float) -> None:
    """Linear warm-up over a tenth of a pass, then linear decay to a twentieth at the last pass."""
    warm_up = min(1.0, 0.05 + passes_done / 0.1)
    decay = 1 - 0.95 * passes_done / config.passes
    for group in optimiser.param_groups:
        group["lr"] = config.learning_rate * warm_up * decay


def make_loss(config: RecommenderConfig, counts: np.ndarray) -> Loss:
    """The loss of a model on a batch of windows; counts: training events of each item, (n_items + 1,)."""
    negatives = config.negatives and Negatives.make(config.negatives, config.popular_negatives, counts)

    def loss(model: Transformer, events: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
        states, targets = model.training_pairs(events)
        output = (model.item_vectors(), model.item_bias())
        if not negatives:
            return full_softmax(states, targets, *output)
        drawn, log_weight = (torch.from_numpy(part).to(events.device) for part in negatives.draw(rng))
        if config.objective == "gbce":
            return gbce(states, targets, *output, drawn, config.calibration)
        return sampled_softmax(states, targets, *output, drawn, log_weight)

    return loss
