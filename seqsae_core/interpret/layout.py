"""The map: a plane of directions and one of co-activation, seeded, with regions named from their members."""

import warnings

import numpy as np
import pandas as pd
from scipy.sparse import csr_array
from sklearn.decomposition import KernelPCA
from sklearn.metrics.pairwise import cosine_similarity

from seqsae_core.config import LayoutConfig
from seqsae_core.interpret.regions import find_regions

DIRECTIONS, COACTIVATION = "directions", "coactivation"
FEWEST = 4


def make_map(
    decoder: np.ndarray, codes: csr_array, latents: pd.DataFrame, config: LayoutConfig, seed: int
) -> pd.DataFrame:
    """layout, kind, feature, x, y, cluster, cluster_name: live latents in both layouts, neurons among the directions.

    decoder: (m, width); codes: (n, m) at positions of held-out users; latents: the table of features. Dead latents
    have no direction worth showing and are left out. A neuron is a unit vector of the layer, once for each sign, and
    numbered as in `neurons` of `interpret.rivals`: those of sign + first.
    """
    live = latents.loc[latents["alive"], "feature"].to_numpy()
    members = latents.set_index("feature").loc[live]
    neurons = np.concatenate([np.eye(decoder.shape[1]), -np.eye(decoder.shape[1])])
    directions = np.concatenate([decoder[live], neurons])
    planes = {
        DIRECTIONS: place(cosine_similarity(directions), config, seed),
        COACTIVATION: place(cofiring(codes[:, live]), config, seed),
    }
    features = np.concatenate([live, np.arange(len(neurons))])
    kinds = np.repeat(["latents", "neurons"], [len(live), len(neurons)])
    tables = []
    for layout, plane in planes.items():
        shown = slice(len(plane))
        columns = {"layout": layout, "kind": kinds[shown], "feature": features[shown].astype(np.int32)}
        regions = find_regions(plane, members, config.clusters, seed)
        tables.append(pd.DataFrame(columns | {"x": plane[:, 0], "y": plane[:, 1]} | regions))
    return pd.concat(tables, ignore_index=True)


def cofiring(codes: csr_array) -> np.ndarray:
    """Phi coefficient of every two features' firing, (m, m): Pearson's r of "fires" and "fires" (Yule, 1912).

    With n positions, of which i fires on nᵢ and both on nᵢⱼ: (n nᵢⱼ − nᵢ nⱼ) / √(nᵢ (n − nᵢ) nⱼ (n − nⱼ)), so 0 = as
    often together as chance has it. A feature that fires nowhere or everywhere has 0 with all others and 1 with itself.
    codes: non-negative, (n, m).
    """
    fires = (codes > 0).astype(np.float64)
    n, count = fires.shape[0], fires.sum(0)
    both = (fires.T @ fires).toarray()
    spread = np.sqrt(count * (n - count))
    scale = np.outer(spread, spread)
    phi = np.divide(n * both - np.outer(count, count), scale, out=np.zeros_like(scale), where=scale > 0)
    np.fill_diagonal(phi, 1.0)
    return phi


def place(similarity: np.ndarray, config: LayoutConfig, seed: int) -> np.ndarray:
    """Plane coordinates (n, 2) of points with these similarities (n, n), inner products of unit vectors.

    `umap`: McInnes et al. (2018) at distance 1 − similarity; `pca`: the first two components of those vectors
    (Schölkopf et al., 1998). Points too few for a neighbourhood stand in a row.
    """
    if len(similarity) < FEWEST:
        return np.column_stack([np.arange(len(similarity), dtype=float), np.zeros(len(similarity))])
    if config.method == "umap":
        return _umap(similarity, config, seed)
    return KernelPCA(2, kernel="precomputed", random_state=seed).fit_transform(similarity)


def _umap(similarity: np.ndarray, config: LayoutConfig, seed: int) -> np.ndarray:
    """Plane coordinates (n, 2); single-threaded, because a seed is only kept that way."""
    import umap

    distance = (1 - similarity).clip(min=0).astype(np.float32)
    np.fill_diagonal(distance, 0)
    reducer = umap.UMAP(
        n_neighbors=min(config.neighbours, len(distance) - 1), min_dist=config.min_dist, metric="precomputed",
        random_state=seed, n_jobs=1,
    )  # fmt: skip
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "using precomputed metric")
        return reducer.fit_transform(distance)
