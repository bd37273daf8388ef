"""A small random model with a dictionary."""

import numpy as np
import pytest
import torch

from seqsae_core.config import SaeConfig
from seqsae_core.recommender.transformer import ARCHITECTURES, Transformer
from seqsae_core.sae.autoencoders import Autoencoder, make
from seqsae_core.steering.steerer import Steerer

ITEMS, WIDTH, WINDOW, LATENTS = 40, 8, 12, 32


@pytest.fixture(scope="session", params=ARCHITECTURES)
def model(request) -> Transformer:
    torch.manual_seed(3)
    model = ARCHITECTURES[request.param](ITEMS, WIDTH, blocks=2, heads=2, max_length=WINDOW)
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    return model.eval().requires_grad_(False)


@pytest.fixture(scope="session")
def sae() -> Autoencoder:
    torch.manual_seed(4)
    return make(SaeConfig(latents=LATENTS, k=4), WIDTH).requires_grad_(False)


@pytest.fixture(scope="session")
def units() -> np.ndarray:
    return np.random.default_rng(0).uniform(0.2, 1.0, LATENTS)


@pytest.fixture(params=["last", "all"])
def steerer(request, model, sae, units) -> Steerer:
    return Steerer(model, sae, 1, units, request.param)


@pytest.fixture(scope="session")
def histories() -> list[list[int]]:
    """Of one item, of a full window, longer than the window, and some between."""
    rng = np.random.default_rng(1)
    return [rng.integers(1, ITEMS + 1, length).tolist() for length in (1, 2, 5, WINDOW, WINDOW + 1, 25)]
