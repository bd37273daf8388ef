"""From a configuration to what is trained: the model with its start, its moving average, its loss."""

from collections.abc import Callable

import numpy as np
import torch
from torch.optim.swa_utils import AveragedModel

from seqsae_core.config import RecommenderConfig
from seqsae_core.data.sequences import Sequences, Split
from seqsae_core.device import mixed_precision
from seqsae_core.errors import UserError
from seqsae_core.recommender.batching import item_counts, training_events
from seqsae_core.recommender.negatives import Negatives
from seqsae_core.recommender.objective import full_softmax, gbce, sampled_softmax
from seqsae_core.recommender.spectral import spectral_embeddings
from seqsae_core.recommender.transformer import ARCHITECTURES, Transformer

OBJECTIVES = ("softmax", "gbce")
Loss = Callable[[Transformer, torch.Tensor, np.random.Generator], torch.Tensor]


def make_model(
    sequences: Sequences, split: Split, config: RecommenderConfig, max_length: int, seed: int
) -> Transformer:
    """An untrained model; with `warm_start`, spectral embeddings; with `popularity_bias`, log-popularity as its bias.

    The bias is centred; an item without training events counts as one with a single event less than the rarest.
    """
    torch.manual_seed(seed)
    shape = (sequences.n_items, config.width, config.blocks, config.heads, max_length)
    model = ARCHITECTURES[config.architecture](*shape, config.dropout, config.attention_dropout)
    if config.warm_start:
        vectors = spectral_embeddings(*training_events(sequences, split), sequences.n_items, config.width, seed)
        model.items.weight.data.copy_(torch.from_numpy(vectors))
    if config.popularity_bias:
        popularity = np.log(item_counts(sequences, split) + 1.0)
        popularity[0] = popularity[1:].mean()
        model.bias.data.copy_(torch.from_numpy(popularity - popularity[1:].mean()))
    return model


def averaged(model: Transformer, decay: float) -> AveragedModel:
    """A copy that follows the weights as their exponential moving average (Polyak & Juditsky, 1992, with decay).

    The decay grows with the steps n as (1 + n) / (10 + n) until it is `decay`: the first weights are soon forgotten.
    """

    def move(mean: torch.Tensor, own: torch.Tensor, n: torch.Tensor) -> torch.Tensor:
        return mean.lerp(own, 1 - min(decay, (1 + int(n)) / (10 + int(n))))

    return AveragedModel(model, avg_fn=move)


def make_loss(config: RecommenderConfig, counts: np.ndarray) -> Loss:
    """The loss of a model on a batch of windows, in float32; counts: training events of each item, (n_items + 1,).

    Raises UserError for an objective that is not in `OBJECTIVES`, or gbce without negatives or with popular ones.
    """
    _check_objective(config)
    negatives = config.negatives and Negatives.make(config.negatives, config.popular_negatives, counts)

    def loss(model: Transformer, events: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
        with mixed_precision(events.device):
            states, targets = model.training_pairs(events, config.mask_share)
        states = states.float()
        output = (model.item_vectors(), model.item_bias())
        if not negatives:
            return full_softmax(states, targets, *output)
        drawn, log_weight = (torch.from_numpy(part).to(events.device) for part in negatives.draw(rng))
        if config.objective == "gbce":
            return gbce(states, targets, *output, drawn, config.calibration)
        return sampled_softmax(states, targets, *output, drawn, log_weight)

    return loss


def _check_objective(config: RecommenderConfig) -> None:
    if config.objective not in OBJECTIVES:
        raise UserError(f"There is no objective “{config.objective}”. Choose one of: {', '.join(OBJECTIVES)}.")
    if config.objective == "gbce" and not config.negatives:
        raise UserError("The objective gbce needs negatives: set `negatives`, or take the full softmax.")
    if config.objective == "gbce" and config.popular_negatives:
        raise UserError("The objective gbce is defined for uniform negatives: set `popular_negatives` to 0.")
