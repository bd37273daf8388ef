"""How many passes a training is planned for, and how its learning rate rises and falls on the way."""

from dataclasses import dataclass
from math import floor


@dataclass(frozen=True)
class Cost:
    """Seconds that training for a pass takes, and the validation after it, also after part of a pass."""

    train: float
    validate: float

    def affordable(self, seconds: float) -> float:
        """Passes that fit in so many seconds: whole ones, and the tenths of another one."""
        whole, rest = divmod(max(0.0, seconds), self.train + self.validate)
        return whole + floor(10 * max(0.0, rest - self.validate) / self.train) / 10


@dataclass(frozen=True)
class Plan:
    """How many passes to train for, a last one perhaps in part, and why so many."""

    passes: float
    why: str = "as set"

    def within(self, budget: float, spent: float, done: int, cost: Cost) -> "Plan":
        """This plan, or the shorter one that `budget` seconds allow after `spent` seconds and `done` whole passes.

        At least a tenth of a pass.
        """
        passes = max(0.1, round(done + cost.affordable(budget - spent), 1))
        if passes >= self.passes:
            return self
        return Plan(passes, f"{budget:g} s are allowed, and a pass takes {cost.train + cost.validate:.3g} s here")


def learning_rate(peak: float, planned: float, done: float) -> float:
    """After `done` of the `planned` passes: linear warm-up over a tenth of a pass, and linear decay to a twentieth.

    Fewer passes with the whole decay are worth more than many that are cut off (Li et al., 2020, Budgeted Training).
    """
    warm_up = min(1.0, 0.05 + done / 0.1)
    decay = 1 - 0.95 * done / planned
    return peak * warm_up * decay
