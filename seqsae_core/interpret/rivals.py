"""Features to measure: latents, and what they must beat. All are non-negative functions of the same activations."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array
from sklearn.decomposition import PCA, FastICA
from sklearn.linear_model import Ridge

from seqsae_core.sae.activations import encode_sparse
from seqsae_core.sae.autoencoders import Autoencoder


@dataclass(frozen=True)
class Features:
    """`encode` maps activations (n, width) to non-negative features (n, count), sparse or dense.

    `some` gives the features of some numbers alone, where these can be had without all others.
    """

    kind: str
    labels: tuple[str, ...]
    encode: Callable[[np.ndarray], np.ndarray | csr_array]
    some: Callable[[np.ndarray], "Features"] | None = None

    @property
    def count(self) -> int:
        """Number of features."""
        return len(self.labels)


def latents(sae: Autoencoder, kind: str = "latents") -> Features:
    """The latents of a dictionary."""
    labels = tuple(f"Latent {i}" for i in range(sae.latents))
    return Features(kind, labels, lambda x: encode_sparse(sae, x))


def neurons(mean: np.ndarray) -> Features:
    """Each coordinate of the layer about its mean over fit users, (width,), once for each side of it."""
    return _two_sided("neurons", "Neuron", mean, np.eye(len(mean), dtype=np.float32))


def pca(fit: np.ndarray, seed: int) -> Features:
    """Principal components of the fit users' activations, both signs."""
    model = PCA(svd_solver="covariance_eigh", random_state=seed).fit(fit)
    return _two_sided("pca", "Component", model.mean_, model.components_)


def ica(fit: np.ndarray, seed: int) -> Features:
    """Independent components (FastICA) of the fit users' activations, both signs."""
    model = FastICA(whiten="unit-variance", max_iter=500, tol=1e-3, random_state=seed).fit(fit)
    return _two_sided("ica", "Independent component", model.mean_, model.components_)


def random_directions(fit: np.ndarray, count: int, seed: int) -> Features:
    """ReLU of `count` random unit directions about the mean: as many candidates as there are latents."""
    rng = np.random.default_rng(seed)
    directions = rng.normal(size=(count, fit.shape[1]))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    return _one_sided("random_directions", [f"Random {i}" for i in range(count)], fit.mean(0), directions)


def probe(fit: np.ndarray, concepts: np.ndarray, names: list[str]) -> Features:
    """The ceiling: one ridge regression a concept on fit users' positions. concepts: (n, c) values of the input items.

    Its output is the prediction itself, of either sign: it is compared by correlation only.
    """
    if not names:
        return Features("probe", (), lambda x: np.empty((len(x), 0), np.float32))
    model = Ridge(alpha=1.0).fit(fit, concepts)
    labels = tuple(f"Probe {name}" for name in names)
    return Features("probe", labels, lambda x: model.predict(x).reshape(len(x), len(names)))


def _two_sided(kind: str, word: str, mean: np.ndarray, directions: np.ndarray) -> Features:
    labels = [f"{word} {i} {sign}" for sign in "+−" for i in range(len(directions))]
    return _one_sided(kind, labels, mean, np.concatenate([directions, -directions]))


def _one_sided(kind: str, labels: list[str], mean: np.ndarray, directions: np.ndarray) -> Features:
    mean, columns = mean.astype(np.float32), directions.T.astype(np.float32)

    def some(wanted: np.ndarray) -> Features:
        return _one_sided(kind, [labels[i] for i in wanted], mean, directions[wanted])

    return Features(kind, tuple(labels), lambda x: np.maximum((x - mean) @ columns, 0), some)
