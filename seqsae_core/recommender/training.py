"""Training a transformer, whichever its architecture and its objective."""

import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from seqsae_core.config import RecommenderConfig
from seqsae_core.data.sequences import Sequences, Split
from seqsae_core.device import best_device
from seqsae_core.errors import UserError
from seqsae_core.progress import Report
from seqsae_core.recommender import checkpoint
from seqsae_core.recommender.batching import batches, item_counts, training_events
from seqsae_core.recommender.evaluation import target_ranks
from seqsae_core.recommender.negatives import Negatives
from seqsae_core.recommender.objective import full_softmax, gbce, sampled_softmax
from seqsae_core.recommender.ranking import ndcg
from seqsae_core.recommender.spectral import spectral_embeddings
from seqsae_core.recommender.transformer import ARCHITECTURES, Transformer

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
    checkpoint_folder: Path | None = None,
) -> tuple[Transformer, list[dict[str, Any]]]:
    """The trained model in evaluation mode, with the weights of its best validation NDCG@10, and one log row a pass.

    Stops after `passes`, after `patience` passes without a better validation, or when the next pass would
    end beyond `seconds`. `report(fraction, detail, resumed=fraction at the start)` is called every eighth step.
    checkpoint_folder: gets a checkpoint after each pass; where it has one, training goes on from there, and ends with
    the same bits as one that ran through. Raises UserError when the loss is no longer a finite number.
    """
    trainer = Trainer(sequences, split, config, max_length, seed, report)
    if checkpoint_folder:
        trainer.resume(checkpoint_folder)
    while not trainer.finished:
        trainer.run_pass()
        if checkpoint_folder:
            trainer.save(checkpoint_folder)
    trainer.model.load_state_dict(trainer.best)
    return trainer.model.cpu().eval(), trainer.log


def validate(model: Transformer, sequences: Sequences, split: Split) -> float:
    """Mean NDCG@10 on the validation targets."""
    users = np.flatnonzero(split.valid_at >= 1)
    model.eval()
    return float(ndcg(target_ranks(model, sequences, users, split.valid_at[users]), 10).mean())


class Trainer:
    """A model in training: all that its next pass depends on, and the log of the passes behind it."""

    def __init__(
        self, sequences: Sequences, split: Split, config: RecommenderConfig, max_length: int, seed: int,
        report: Report | None = None,
    ):  # fmt: skip
        self.began = time.monotonic()
        self.sequences, self.split, self.config, self.report = sequences, split, config, report
        self.model = make_model(sequences, split, config, max_length, seed).to(best_device())
        self.optimiser = torch.optim.AdamW(
            self.model.parameters(), config.learning_rate, betas=(0.9, 0.98), weight_decay=0.01, fused=True
        )
        self.loss_of = make_loss(config, item_counts(sequences, split))
        self.rng = np.random.default_rng(seed)
        self.best: dict[str, torch.Tensor] = {}
        self.log: list[dict[str, Any]] = []
        self.resumed, self.seconds_before = 0, 0.0

    def resume(self, folder: Path) -> None:
        """Go on from the checkpoint of a folder, if there is one."""
        if found := checkpoint.load(folder, self.model, self.optimiser, self.rng):
            self.best, self.log = found[0], found[1]["log"]
            self.resumed, self.seconds_before = len(self.log), self.log[-1]["seconds"]

    def save(self, folder: Path) -> None:
        """Replace the checkpoint of a folder."""
        checkpoint.save(folder, self.model, self.optimiser, self.rng, self.best, {"log": self.log})

    @property
    def seconds(self) -> float:
        """Spent on training so far; of earlier runs, their finished passes."""
        return self.seconds_before + time.monotonic() - self.began

    @property
    def finished(self) -> bool:
        """Whether the passes, the patience or the seconds are used up."""
        done, scores = len(self.log), [row["ndcg@10"] for row in self.log]
        if not done:
            return False
        stale = done - 1 - int(np.argmax(scores)) >= self.config.patience
        late = self.config.seconds and self.log[-1]["seconds"] * (done + 1) / done > self.config.seconds
        return bool(stale or late or done >= self.config.passes)

    def run_pass(self) -> None:
        """Train for a pass, validate, and add a row to the log."""
        loss = self._steps(len(self.log))
        score = validate(self.model, self.sequences, self.split)
        if score > max((row["ndcg@10"] for row in self.log), default=-1.0):
            self.best = {name: weights.clone() for name, weights in self.model.state_dict().items()}
        self.log.append({"pass": len(self.log) + 1, "loss": loss, "ndcg@10": score, "seconds": self.seconds})

    def _steps(self, done: int) -> float:
        """Every step of the pass after `done` passes; the mean loss."""
        self.model.train()
        todo = list(batches(self.sequences, self.split, self.model.max_length, self.config.batch_size, self.rng))
        total = 0.0
        for step, items in enumerate(todo):
            _set_rate(self.optimiser, self.config, done + step / len(todo))
            total += self._step(items, f"pass {done + 1}, step {step + 1} of {len(todo)}")
            if self.report and step % 8 == 0:
                fraction, detail = (done + step / len(todo)) / self.config.passes, f"loss {total / (step + 1):.3f}"
                self.report(fraction, f"pass {done + 1}, {detail}", resumed=self.resumed / self.config.passes)
        return total / len(todo)

    def _step(self, items: torch.Tensor, where: str) -> float:
        """One step of the optimiser on a batch of windows; its loss. Raises UserError when that is not finite."""
        loss = self.loss_of(self.model, items.to(self.model.bias.device), self.rng)
        if not math.isfinite(value := loss.item()):
            raise UserError(
                f"Training the recommender diverged: the loss is {value} at {where}. Lower `learning_rate` (now "
                f"{self.config.learning_rate:g}) of the preset in seqsae_core/config.py, or choose another preset, "
                "and build again. Stages that are done are kept."
            )
        self.optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimiser.step()
        return value


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
