"""Understand and steer sequential recommenders with sparse autoencoders.

    import seqsae_core as ss
    study = ss.build("events.csv", "items.csv", out="studies/mine", preset="quick")
    study.latents
    ss.Steerer(study).recommend(["Gravity"], [ss.Edit(12, 2.0)], by="title").table()
"""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

OFFERED = {
    "build": "build", "Steerer": "library", "Recommender": "recommender.recommend", "Study": "study",
    "Edit": "steering.edits", "UserError": "errors",
}  # fmt: skip
__all__ = [*OFFERED]


def __getattr__(name: str) -> Any:
    """What the library offers, imported when it is asked for: torch takes seconds, and pages do not need it."""
    if name not in OFFERED:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = import_module(f"{__name__}.{OFFERED[name]}")
    return module if name == "build" else getattr(module, name)


def __dir__() -> list[str]:
    return [*globals(), *OFFERED]
