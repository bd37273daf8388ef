"""Training a transformer, whichever its architecture and its objective."""

import math
import time
from dataclasses import asdict, dataclass
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
from seqsae_core.recommender.batching import batches, item_counts
from seqsae_core.recommender.evaluation import target_ranks
from seqsae_core.recommender.ranking import ndcg
from seqsae_core.recommender.recipe import averaged, make_loss, make_model
from seqsae_core.recommender.schedule import Cost, Plan, learning_rate
from seqsae_core.recommender.transformer import Transformer

VALIDATED = 20_000
MEASURED_STEPS, MEASURED_USERS = 20, 512
POINTS = 20


@dataclass(frozen=True)
class Trained:
    """The model in evaluation mode, one log row a pass, and the plan that the training ended with.

    A row: `pass`, mean `loss`, validation `ndcg@10`, `seconds` since the start, passes `planned` by then, and `losses`,
    pairs of the passes done and the mean loss since the last pair, twenty in a whole pass.
    """

    model: Transformer
    log: list[dict[str, Any]]
    plan: Plan


def train(
    sequences: Sequences,
    split: Split,
    config: RecommenderConfig,
    max_length: int,
    seed: int,
    report: Report | None = None,
    checkpoint_folder: Path | None = None,
) -> Trained:
    """A model with the weights of its best validation NDCG@10.

    Stops after `passes`, or after `patience` passes without a better validation. With `seconds`, as many passes are
    planned as they allow, foreseen early in the first pass and looked at again after each. Should the machine become
    slower, training stops in time all the same.
    `report(fraction, detail, resumed=fraction at the start, log=rows)` is called every eighth step and after each pass;
    the row of a pass that is not over has `pass` and `losses` only.
    checkpoint_folder: gets a checkpoint after each pass; where it has one, training goes on from there, and ends with
    the same bits as one that ran through. Raises UserError when the loss or the weights are no longer finite.
    """
    trainer = Trainer(sequences, split, config, max_length, seed, report)
    if checkpoint_folder:
        trainer.resume(checkpoint_folder)
    while not trainer.finished:
        trainer.run_pass()
        if checkpoint_folder:
            trainer.save(checkpoint_folder)
        trainer.tell(len(trainer.log), f"validation NDCG@10 {trainer.log[-1]['ndcg@10']:.4f}")
    trainer.model.load_state_dict(trainer.best)
    return Trained(trainer.model.cpu().eval(), trainer.log, trainer.plan)


def validate(model: Transformer, sequences: Sequences, split: Split, users: np.ndarray | None = None) -> float:
    """Mean NDCG@10 on the validation targets of these users; else of VALIDATED users that train, always the same."""
    if users is None:
        users = split.validated
    if len(users) > VALIDATED:
        users = np.sort(np.random.default_rng(0).choice(users, VALIDATED, replace=False))
    model.eval()
    return float(ndcg(target_ranks(model, sequences, users, split.valid_at[users]), 10).mean())


def typical_users(split: Split, number: int) -> tuple[np.ndarray, int]:
    """Users whose validation costs what that of as many others does, and how many there are in all.

    They are the middle ones of the half with shorter and of the half with longer histories, so that batches of them
    are padded no more than batches of all users are.
    """
    users = split.validated
    halves = np.array_split(users[np.argsort(split.valid_at[users], kind="stable")], 2)
    starts = [max(0, (len(half) - number // 2) // 2) for half in halves]
    return np.concatenate([h[s : s + number // 2] for h, s in zip(halves, starts, strict=True)]), len(users)


@dataclass
class Pass:
    """A pass under way: how many were done before it, how many steps it has, and the losses of those behind it."""

    done: int
    steps: int
    losses: list[float]

    @property
    def mean(self) -> float:
        """Mean loss so far."""
        return sum(self.losses) / len(self.losses)

    def row(self) -> dict[str, Any]:
        """What the log can say of it before its validation."""
        size = math.ceil(self.steps / POINTS)
        parts = [self.losses[start : start + size] for start in range(0, len(self.losses), size)]
        ends = [self.done + min(size * (n + 1), len(self.losses)) / self.steps for n in range(len(parts))]
        means = [sum(part) / len(part) for part in parts]
        return {"pass": self.done + 1, "losses": [list(pair) for pair in zip(ends, means, strict=True)]}


class Trainer:
    """A model in training: all that its next pass depends on, and the log of the passes behind it."""

    def __init__(
        self, sequences: Sequences, split: Split, config: RecommenderConfig, max_length: int, seed: int,
        report: Report | None = None,
    ):  # fmt: skip
        self.began = time.monotonic()
        self.sequences, self.split, self.config, self.report = sequences, split, config, report
        self.loss_of = make_loss(config, item_counts(sequences, split))
        # Not compiled: batches differ in length, so torch.compile would trace the model again and again, or for lengths
        # in general, and these models train in minutes.
        self.model = make_model(sequences, split, config, max_length, seed).to(best_device())
        self.optimiser = torch.optim.AdamW(
            self.model.parameters(), config.learning_rate, betas=(0.9, 0.98), weight_decay=0.01, fused=True
        )
        self.average = averaged(self.model, config.averaging)
        self.rng = np.random.default_rng(seed)
        self.best: dict[str, torch.Tensor] = {}
        self.log: list[dict[str, Any]] = []
        self.plan, self.cost = Plan(config.passes), Cost(0.0, 0.0)
        self.resumed, self.seconds_before = 0, 0.0

    def resume(self, folder: Path) -> None:
        """Go on from the checkpoint of a folder, if there is one.

        The seconds before it count the model's start, so that of the model made here, which is thrown away, is not.
        """
        if found := checkpoint.load(folder, self.model, self.average, self.optimiser, self.rng):
            self.best, notes = found
            self.log, self.plan, self.cost = notes["log"], Plan(**notes["plan"]), Cost(**notes["cost"])
            self.resumed, self.seconds_before = len(self.log), self.log[-1]["seconds"]
            self.began = time.monotonic()
            self.tell(self.resumed, "done before")

    def save(self, folder: Path) -> None:
        """Replace the checkpoint of a folder."""
        notes = {"log": self.log, "plan": asdict(self.plan), "cost": asdict(self.cost)}
        checkpoint.save(folder, self.model, self.average, self.optimiser, self.rng, self.best, notes)

    @property
    def seconds(self) -> float:
        """Spent on training so far; of earlier runs, their finished passes."""
        return self.seconds_before + time.monotonic() - self.began

    @property
    def finished(self) -> bool:
        """Whether the planned passes or the patience are used up."""
        scores = [row["ndcg@10"] for row in self.log]
        stale = bool(scores) and len(scores) - 1 - int(np.argmax(scores)) >= self.config.patience
        return stale or len(scores) >= self.plan.passes

    def run_pass(self) -> None:
        """Train for a pass, validate, add a row to the log, and look at the plan again."""
        done, began = len(self.log), self.seconds
        current = self._steps(done)
        if not all(weights.isfinite().all() for weights in self.model.parameters()):
            raise self._diverged("weights are no longer finite", f"the end of pass {done + 1}")
        trained = self.seconds
        score = validate(self.average.module, self.sequences, self.split)
        if score > max((row["ndcg@10"] for row in self.log), default=-1.0):
            self.best = {name: weights.clone() for name, weights in self.average.module.state_dict().items()}
        figures = {"loss": current.mean, "ndcg@10": score, "seconds": self.seconds, "planned": self.plan.passes}
        self.log.append(current.row() | figures)
        self._plan_for(Cost(trained - began, self.seconds - trained))

    def tell(self, at: float, detail: str, *rows: dict[str, Any]) -> None:
        """Report that so many passes are done; rows: what is to stand in the log beside the finished ones."""
        if self.report:
            planned, where = self.plan.passes, f"pass {math.ceil(at)} of {math.ceil(self.plan.passes)}"
            resumed = min(1.0, self.resumed / planned)
            self.report(at / planned, f"{where}, {detail}", resumed=resumed, log=[*self.log, *rows])

    def _steps(self, done: int) -> Pass:
        """Every step of the pass after `done` passes, as far as it is planned."""
        self.model.train()
        todo = batches(self.sequences, self.split, self.model.max_length, self.config.batch_size, self.rng)
        current, paces = Pass(done, len(todo), []), []
        for step, items in enumerate(todo):
            at, began = done + step / len(todo), time.monotonic()
            if step and self._late():
                self.plan = Plan(at, f"{self.config.seconds:g} s were over")
            if at >= self.plan.passes:
                break
            current.losses.append(self._step(items, at, f"pass {done + 1}, step {step + 1} of {len(todo)}"))
            paces.append((time.monotonic() - began, items.numel()))
            if not done and len(paces) == MEASURED_STEPS:
                self._foresee(paces, todo.positions)
            if step % 8 == 0:
                self.tell(done + (step + 1) / len(todo), f"loss {current.mean:.3f}", current.row())
        return current

    def _step(self, items: torch.Tensor, at: float, where: str) -> float:
        """One step of the optimiser, `at` so many passes, on a batch of windows; its loss.

        Raises UserError when that is not finite.
        """
        loss = self.loss_of(self.model, items.to(self.model.bias.device), self.rng)
        if not math.isfinite(value := loss.item()):
            raise self._diverged(f"the loss is {value}", where)
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate(self.config.learning_rate, self.plan.passes, at)
        self.optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimiser.step()
        self.average.update_parameters(self.model)
        return value

    def _diverged(self, what: str, where: str) -> UserError:
        return UserError(
            f"Training the recommender diverged: {what} at {where}. Lower `learning_rate` (now "
            f"{self.config.learning_rate:g}) of the preset in seqsae_core/config.py, or choose another preset, and "
            "build again. Stages that are done are kept."
        )

    def _foresee(self, paces: list[tuple[float, int]], positions: int) -> None:
        """Plan before the first pass is over: steps cost by the positions of their windows, validation by its users.

        paces: seconds and positions of each step so far, of which the first few are slow; positions: of all steps.
        """
        if not self.config.seconds:
            return
        pace, size = np.array(paces[len(paces) // 4 :]).sum(0)
        users, number = typical_users(self.split, MEASURED_USERS)
        began = time.monotonic()
        validate(self.average.module, self.sequences, self.split, users)
        seconds = time.monotonic() - began
        self._plan_for(Cost(float(pace / size) * positions, seconds * number / len(users)))

    def _late(self) -> bool:
        """Whether the seconds leave no more than a validation, whatever was planned."""
        return bool(self.config.seconds) and self.seconds + self.cost.validate > self.config.seconds

    def _plan_for(self, cost: Cost) -> None:
        """Plan no more passes than the seconds allow, when each costs so much."""
        self.cost = cost
        if self.config.seconds:
            self.plan = self.plan.within(self.config.seconds, self.seconds, len(self.log), cost)
