"""What a slider of each kind of edit means: how far it goes, which strengths it replays, and how it begins."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import pandas as pd

from seqsae_core.dashboard.steer.live import POINTS, spaced
from seqsae_core.steering.edits import TOWARDS, WHOLE, Edit
from seqsae_core.steering.notation import format_edits

LABELS = {
    "add": "add", "scale": "scale", "set": "set to", "clamp": "clamp", "ablate": "ablate", "mass": "add, keep the sum",
}  # fmt: skip
USUAL_LEVEL = 3.0


@dataclass(frozen=True)
class Dial:
    """A slider from low to high with 0, the identity, on it; its end is the whole way where `whole`."""

    low: float
    high: float
    strengths: tuple[float, ...]
    whole: bool = False

    def at(self, edit: Edit) -> float:
        """Where an edit's strength stands on the slider."""
        return self.high if edit.strength == WHOLE else min(max(edit.strength, self.low), self.high)

    def strength(self, place: float) -> float:
        """The strength of a place on the slider."""
        return WHOLE if self.whole and place >= self.high else min(max(float(place), self.low), self.high)

    def grid(self) -> tuple[float, ...]:
        """The strengths that are replayed."""
        return tuple(self.strength(place) for place in self.strengths)


def dial(edit: Edit, latents: pd.DataFrame, limit: float) -> Dial:
    """The slider of an edit. latents: the table of features by number; limit: that of `add`, in units.

    add and mass: −limit to limit. set, clamp and ablate: 0 to what moves the largest activation seen all the way.
    scale: −1 (gone) to what moves the largest activation by limit, at least 1.
    """
    most, spread = latents["max_activation"], latents["sd_activation"]
    largest = max(float(most.at[latent] / spread.at[latent]) for latent in edit.latents)
    if edit.kind in TOWARDS:
        least = min(abs(weight) for _, weight in edit.parts)
        levels = [abs(level) for level in (edit.low, edit.high) if math.isfinite(level)]
        far = float(min(math.ceil(max(largest, *levels, 1) / least), 100))
        return Dial(0.0, far, spaced(0, far, POINTS), whole=True)
    low, high = (-1.0, round(max(limit / largest, 1.0), 1)) if edit.kind == "scale" else (-limit, limit)
    return Dial(low, high, spaced(low, high, POINTS))


def rule(edit: Edit, limit: float) -> str:
    """Where the limits of an edit's slider come from, in a sentence; limit: that of `add`."""
    if edit.kind in TOWARDS:
        return "From 0 to what moves the largest activation seen all the way; its end is the whole way always."
    if edit.kind == "scale":
        return f"From gone to what moves the largest activation seen as far as {limit:g} standard deviations do."
    return f"Up to ±{limit:g} standard deviations of the latent where it fires: the study's largest strength."


def of_kind(edit: Edit, kind: str) -> Edit:
    """The same latent under another kind, at the strength that changes nothing, or for whole ways all the way."""
    target = edit.latent
    if kind in TOWARDS and isinstance(target, tuple):
        target = tuple((latent, weight) for latent, weight in target if weight > 0) or target
    levels = {"set": (USUAL_LEVEL, USUAL_LEVEL), "clamp": (0.0, USUAL_LEVEL), "ablate": (0.0, 0.0)}
    low, high = levels.get(kind, (-math.inf, math.inf))
    by_taste = edit.by_taste and kind not in TOWARDS
    return Edit(target, WHOLE if kind in TOWARDS else 0.0, kind, low, high, by_taste)


def levelled(edit: Edit, low: float | None, high: float | None) -> Edit:
    """A set or clamp at other levels; None is an open end."""
    low, high = (-math.inf if low is None else float(low)), (math.inf if high is None else float(high))
    return replace(edit, low=low if edit.kind == "clamp" else high, high=high)


def key(edit: Edit) -> str:
    """An edit without its strength, as text: which slider it is."""
    return format_edits([replace(edit, strength=1.0)])


def keys(edits: Sequence[Edit]) -> list[str]:
    """The sliders of edits."""
    return [key(edit) for edit in edits]
