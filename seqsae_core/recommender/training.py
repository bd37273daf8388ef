"""Training the transformer on ragged sequences, batches bucketed by length."""

import time
from collections.abc import Callable, Iterator

import numpy as np
import torch

from seqsae_core.config import RecommenderConfig
from seqsae_core.data.sequences import Sequences, Split, windows
from seqsae_core.device import best_device
from seqsae_core.recommender.evaluation import target_ranks
from seqsae_core.recommender.objective import full_softmax, sampled_softmax
from seqsae_core.recommender.ranking import ndcg
from seqsae_core.recommender.spectral import spectral_embeddings
from seqsae_core.recommender.transformer import Transformer

Report = Callable[[float, str], None]


def make_model(
    sequences: Sequences, split: Split, config: RecommenderConfig, max_length: int, seed: int
) -> Transformer:
    """An untrained model; with `warm_start`, spectral embeddings and centred log-popularity as output bias."""
    torch.manual_seed(seed)
    model = Transformer(sequences.n_items, config.width, config.blocks, config.heads, max_length, config.dropout)
    if config.warm_start:
        items, owner = training_events(sequences, split)
        vectors = spectral_embeddings(items, owner, sequences.n_items, config.width, seed)
        counts = np.bincount(items, minlength=sequences.n_items + 1)
        popularity = np.log(counts + 1.0)
        popularity[0] = popularity[1:].mean()
        with torch.no_grad():
            model.items.weight.copy_(torch.from_numpy(vectors))
            model.bias.copy_(torch.from_numpy(popularity - popularity[1:].mean()))
    return model


def training_events(sequences: Sequences, split: Split) -> tuple[np.ndarray, np.ndarray]:
    """All events that may train a model, in order: items (n,) and the user index of each (n,)."""
    owner = np.repeat(np.arange(len(sequences)), sequences.lengths)
    place = np.arange(len(owner)) - sequences.offsets[owner]
    keep = place < split.train_end[owner]
    return sequences.items[keep], owner[keep]


def batches(
    sequences: Sequences, split: Split, max_length: int, batch_size: int, rng: np.random.Generator
) -> Iterator[torch.Tensor]:
    """One pass: windows of max_length + 1 events (inputs and their next items), int64 (batch, length), left-padded.

    Long histories are cut into windows at a random offset; a batch holds `batch_size` windows of similar length.
    """
    users = np.flatnonzero(split.train_end >= 2)
    users, ends = _cut(users, split.train_end[users], max_length, rng)
    order = np.lexsort((rng.random(len(users)), np.minimum(ends, max_length + 1)))
    groups = [order[i : i + batch_size] for i in range(0, len(order), batch_size)]
    for index in rng.permutation(len(groups)):
        group = groups[index]
        yield torch.from_numpy(windows(sequences, users[group], ends[group], max_length + 1))


def _cut(users: np.ndarray, ends: np.ndarray, length: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """The windows' users and ends: from each user's end, or a random point before it, back in steps of `length`."""
    jitter = np.where(ends > length + 1, rng.integers(0, length, len(ends)), 0)
    pieces = [
        np.unique(np.append(np.arange(e - j, 1, -length), e)) if e > length + 1 else [e]
        for e, j in zip(ends, jitter, strict=True)
    ]
    sizes = [len(p) for p in pieces]
    return np.repeat(users, sizes), np.concatenate(pieces).astype(np.int64)


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
    rng = np.random.default_rng(seed)
    log: list[dict[str, float]] = []
    best, best_weights, began = -1.0, None, time.monotonic()
    for number in range(config.passes):
        loss = _run_pass(model, optimiser, sequences, split, config, rng, number, report)
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
    """Mean NDCG@10 on the validation targets."""
    users = np.flatnonzero(split.valid_at >= 1)
    model.eval()
    return float(ndcg(target_ranks(model, sequences, users, split.valid_at[users]), 10).mean())


def _run_pass(model, optimiser, sequences, split, config, rng, number, report) -> float:
    model.train()
    todo = list(batches(sequences, split, model.max_length, config.batch_size, rng))
    total, device = 0.0, next(model.parameters()).device
    for step, items in enumerate(todo):
        _set_rate(optimiser, config, number + step / len(todo))
        loss = _loss(model, items.to(device), config.negatives, rng)
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


def _loss(model: Transformer, items: torch.Tensor, negatives: int | None, rng: np.random.Generator) -> torch.Tensor:
    inputs, targets = items[:, :-1], items[:, 1:]
    real = inputs > 0
    states, targets = model(inputs)[real], targets[real]
    if negatives is None:
        return full_softmax(states, targets, model.item_vectors(), model.item_bias())
    drawn = 1 + rng.choice(model.n_items, min(negatives, model.n_items), replace=False)
    drawn = torch.from_numpy(drawn).to(items.device)
    return sampled_softmax(states, targets, model.item_vectors(), model.item_bias(), drawn)
