"""In which order latents are reviewed."""

from collections.abc import Callable, Collection

import numpy as np
import pandas as pd

CHANCE = 0.5


def uncertainty(features: pd.DataFrame, outcomes: pd.DataFrame, seed: int) -> np.ndarray:
    """The least certain names first: by held-out balanced accuracy; a name without one counts as chance."""
    return features["name_score"].astype(float).fillna(CHANCE).to_numpy()


def traffic(features: pd.DataFrame, outcomes: pd.DataFrame, seed: int) -> np.ndarray:
    """Those that fire at most positions first."""
    return -features["density"].to_numpy(float)


def disagreement(features: pd.DataFrame, outcomes: pd.DataFrame, seed: int) -> np.ndarray:
    """What reviewers disagree on, then what they are unsure of, then what only one has seen, then the rest."""
    status = outcomes["status"].reindex(features["feature"]).to_numpy(object)
    alone = outcomes["reviewers"].reindex(features["feature"]).fillna(0).to_numpy(float) == 1
    return np.select([status == "disputed", status == "unsure", alone], [0, 1, 2], 3).astype(float)


def at_random(features: pd.DataFrame, outcomes: pd.DataFrame, seed: int) -> np.ndarray:
    """A seeded shuffle."""
    return np.random.default_rng(seed).random(len(features))


ORDERS: dict[str, Callable[[pd.DataFrame, pd.DataFrame, int], np.ndarray]] = {
    "Uncertain names": uncertainty,
    "Traffic": traffic,
    "Disagreement": disagreement,
    "Random": at_random,
}


def queue(
    features: pd.DataFrame, outcomes: pd.DataFrame, order: str, done: Collection[int], seed: int = 0
) -> list[int]:
    """Live latents that are not `done`, in one of ORDERS; ties go to those that fire more.

    features: with the automatic names' scores; outcomes: see `Reviews.outcomes`.
    """
    live = features[features["alive"] & ~features["feature"].isin(list(done))]
    keys = ORDERS[order](live, outcomes, seed)
    return live["feature"].to_numpy()[np.lexsort((-live["density"].to_numpy(float), keys))].tolist()
