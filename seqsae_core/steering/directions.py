"""Ways to push a concept, behind one interface: a displacement of the hidden state or a constant on the scores."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from seqsae_core.errors import UserError
from seqsae_core.sae.activations import Activations
from seqsae_core.sae.autoencoders import Autoencoder
from seqsae_core.steering.designs import Landscape, by_gain, learned, lowered
from seqsae_core.steering.edits import Edit

SURE = "_by_sureness"
DESIGNS = (
    "latents_by_correlation", "latents_by_gain", "latents_learned", "latents_by_taste",
    f"latents_by_correlation{SURE}", f"latents_learned{SURE}",
)  # fmt: skip
LOWERING = "latents_lowered"
METHODS = (
    *DESIGNS, "latent", "neurons", "mean_difference", "probe", f"probe{SURE}", "rerank", f"rerank{SURE}", "random",
)  # fmt: skip
POOL = 20
RIDGE = 1e-3


@dataclass(frozen=True)
class Direction:
    """One method for one concept, at strength 1.

    displacement: (width,) added to the hidden state; boost: (n_items + 1,) added to the scores, zeros unless the
    method re-ranks. latents and weights say what was edited (empty for methods without latents): the displacement
    is Σ weight × unit × decoder direction, so the same edit can be made by hand. by_taste: each user at their own
    strength, as `Edit.by_taste` says; usual_sureness: s̄ of `sureness.factor`, None = not by sureness.
    """

    method: str
    displacement: Tensor
    boost: Tensor
    latents: tuple[int, ...] = ()
    weights: tuple[float, ...] = ()
    by_taste: bool = False
    usual_sureness: float | None = None

    def by_sureness(self, usual: float) -> "Direction":
        """The same direction at each user's own strength, a method of its own."""
        return replace(self, method=self.method + SURE, usual_sureness=usual)


@dataclass(frozen=True)
class Dictionary:
    """What steering needs of a dictionary: decoder W_dec (latents, width), units (latents,) and the correlation of
    each latent with each concept on select users, (latents, concepts).

    What is by taste needs two more: the autoencoder, and usual (latents,), mean codes over users' positions.
    """

    W_dec: Tensor
    units: np.ndarray
    correlation: np.ndarray
    sae: Autoencoder | None = None
    usual: np.ndarray | None = None

    @classmethod
    def of(
        cls, sae: Autoencoder, units: np.ndarray, correlation: np.ndarray, usual: np.ndarray | None = None
    ) -> "Dictionary":
        """From an autoencoder; units, correlations and usual codes that are missing (dead latents) become 0."""
        usual = None if usual is None else np.nan_to_num(usual)
        return cls(sae.W_dec.detach(), np.nan_to_num(units), np.nan_to_num(correlation), sae, usual)

    @classmethod
    def of_features(cls, sae: Autoencoder, features: pd.DataFrame, correlation: np.ndarray) -> "Dictionary":
        """From an autoencoder and its latents' evidence, a row a latent in their order.

        Units are `sd_activation`, usual codes `density` × `mean_activation`: means over all positions.
        """
        usual = (features["density"] * features["mean_activation"]).to_numpy()
        return cls.of(sae, features["sd_activation"].to_numpy(), correlation, usual)

    def moves(self) -> Tensor:
        """What one unit of each latent adds to the hidden state, (latents, width)."""
        return torch.tensor(self.units, dtype=torch.float32)[:, None] * self.W_dec.clone()

    def best(self, concept: int, count: int) -> tuple[np.ndarray, np.ndarray]:
        """The latents with the largest positive correlations, and weights relative to the largest, (≤ count,) each.

        Latents without a unit (they never fire) do not take part; ties go to the lower latent.
        """
        r = np.where(self.units > 0, self.correlation[:, concept], 0.0)
        latents = np.argsort(-r, kind="stable")[:count]
        latents = latents[r[latents] > 0]
        return latents, r[latents] / r[latents].max(initial=1e-12)


def concept_edit(dictionary: Dictionary, concept: int, count: int, strength: float) -> Edit:
    """The `count` best latents of a concept as one edit that adds, by `strength`: `latents_by_correlation` by hand.

    Raises UserError where no latent that fires correlates with the concept.
    """
    latents, weights = dictionary.best(concept, count)
    if not len(latents):
        raise UserError("No latent of this dictionary goes with the concept: choose another concept or dictionary.")
    return Edit(tuple(zip(latents.tolist(), weights.tolist(), strict=True)), strength)


def latents_direction(
    dictionary: Dictionary, concept: int, count: int, method: str, n_items: int
) -> Direction:
    """The `count` best latents together, each by its correlation relative to the best: strength 1 adds one unit of
    the best latent, and less of the others."""
    return weighted_direction(dictionary, *dictionary.best(concept, count), method, n_items)


def weighted_direction(
    dictionary: Dictionary, latents: np.ndarray, weights: np.ndarray, method: str, n_items: int
) -> Direction:
    """Latents and their weights, (count,) each, as a direction: Σ weight × unit × decoder direction."""
    scale = torch.tensor(weights * dictionary.units[latents], dtype=torch.float32)
    displacement = scale @ dictionary.W_dec[torch.as_tensor(latents)]
    boost = torch.zeros(n_items + 1)
    return Direction(method, displacement, boost, tuple(latents.tolist()), tuple(weights.tolist()))


def designed_directions(
    dictionary: Dictionary, concept: int, labels: np.ndarray, landscape: Landscape, count: int
) -> list[Direction]:
    """One direction a design of DESIGNS: `count` latents by correlation; by share won for a KL divergence, with weights
    above 0, out of the POOL latents with the largest correlations; by weights learned for the same; these by taste;
    the first and the learned ones by sureness."""
    moves = dictionary.moves()
    gradient, pool = landscape.gradient(labels), dictionary.best(concept, POOL)[0]
    gain, weights = by_gain(moves[torch.as_tensor(pool)], gradient, landscape.fisher, count, signed=False)
    found = {
        "latents_by_correlation": dictionary.best(concept, count),
        "latents_by_gain": (pool[gain], weights),
        "latents_learned": learned(moves, landscape, labels, count),
    }
    made = [weighted_direction(dictionary, *latents, name, len(labels) - 1) for name, latents in found.items()]
    tasted, usual = replace(made[-1], method="latents_by_taste", by_taste=True), landscape.usual_sureness
    return [*made, tasted, made[0].by_sureness(usual), made[-1].by_sureness(usual)]


def lowering_direction(dictionary: Dictionary, labels: np.ndarray, landscape: Landscape) -> Direction:
    """The design for less of a concept: at negative strengths its latents, found by `designs.lowered`, go down."""
    found = lowered(dictionary.moves(), landscape, labels)
    return weighted_direction(dictionary, *found, LOWERING, len(labels) - 1)


def vector_direction(vector: np.ndarray, values: np.ndarray, method: str, n_items: int) -> Direction:
    """A direction in activation space, (width,), scaled so that strength 1 is one standard deviation of the projection
    of real positions' activations, values (n, width), on it. A zero vector stays zero."""
    length = np.linalg.norm(vector)
    unit = vector / length if length > 0 else np.zeros_like(vector)
    scaled = torch.tensor(unit * (values @ unit).std(), dtype=torch.float32)
    return Direction(method, scaled, torch.zeros(n_items + 1))


def mean_difference(values: np.ndarray, has: np.ndarray) -> np.ndarray:
    """Mean activation where the input item has the concept, less the mean elsewhere, (width,); Marks & Tegmark (2023).

    values: (n, width); has: bool (n,). Zeros when one side is empty.
    """
    if has.all() or not has.any():
        return np.zeros(values.shape[1])
    return values[has].mean(0) - values[~has].mean(0)


def probe(values: np.ndarray, has: np.ndarray) -> np.ndarray:
    """Weights of a ridge regression of the concept on activations, (width,); Hoerl & Kennard (1970).

    The penalty is RIDGE × the mean variance of a coordinate.
    """
    centred = (values - values.mean(0)).astype(np.float64)
    covariance = centred.T @ centred / len(values)
    penalty = RIDGE * max(np.trace(covariance) / len(covariance), 1e-12)
    target = has - has.mean()
    return np.linalg.solve(covariance + penalty * np.eye(len(covariance)), centred.T @ target / len(values))


def best_neuron(values: np.ndarray, has: np.ndarray) -> np.ndarray:
    """The coordinate, with its sign, of largest absolute Pearson r with the concept: a signed unit vector (width,)."""
    centred, target = values - values.mean(0), has - has.mean()
    scale = np.sqrt((centred**2).sum(0) * (target**2).sum())
    r = np.divide(centred.T @ target, scale, out=np.zeros(values.shape[1]), where=scale > 0)
    vector = np.zeros(values.shape[1])
    vector[np.abs(r).argmax()] = np.sign(r[np.abs(r).argmax()])
    return vector


def rerank(labels: np.ndarray, score_sd: float, width: int) -> Direction:
    """A constant on the scores of labelled items, labels (n_items + 1,).

    Strength 1 is `score_sd`, the standard deviation of a typical user's largest scores.
    """
    boost = torch.tensor(labels * score_sd, dtype=torch.float32)
    return Direction("rerank", torch.zeros(width), boost)


def all_directions(
    dictionary: Dictionary,
    concept: int,
    labels: np.ndarray,
    fit: Activations,
    select: Activations,
    landscape: Landscape,
    latents_per_concept: int,
    score_sd: float,
    seed: int,
) -> Sequence[Direction]:
    """One direction a method, in the order of METHODS, for concept number `concept` with labels (n_items + 1,).

    Latents by correlation and the neuron are chosen on select users; the landscape is that of fit users, on whom mean
    difference and probe are fitted too. All vectors are measured in fit users' standard deviations.
    """
    n_items, width = len(labels) - 1, fit.values.shape[1]
    has, has_select = labels[fit.item_at] > 0.5, labels[select.item_at] > 0.5
    noise = np.random.default_rng([seed, concept]).normal(size=width)
    vectors = {
        "neurons": best_neuron(select.values, has_select),
        "mean_difference": mean_difference(fit.values, has),
        "probe": probe(fit.values, has),
        "random": noise,
    }
    found = [vector_direction(vector, fit.values, name, n_items) for name, vector in vectors.items()]
    found += designed_directions(dictionary, concept, labels, landscape, latents_per_concept)
    found.append(latents_direction(dictionary, concept, 1, "latent", n_items))
    found.append(rerank(labels, score_sd, width))
    found += [one.by_sureness(landscape.usual_sureness) for one in found if one.method in ("probe", "rerank")]
    return sorted(found, key=lambda direction: METHODS.index(direction.method))
