"""The map: UMAP of decoder directions, clusters named from their members."""

import numpy as np
import pandas as pd
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA

from seqsae_core.config import LayoutConfig


def make_map(decoder: np.ndarray, latents: pd.DataFrame, config: LayoutConfig, seed: int) -> pd.DataFrame:
    """feature, x, y, cluster, cluster_name of the live latents; McInnes et al. (2018), cosine distance, seeded.

    decoder: (m, width); latents: the table of features. Dead latents have no direction worth showing and are left out.
    """
    live = latents.loc[latents["alive"], "feature"].to_numpy()
    place = _place(decoder[live], config, seed)
    clusters = max(1, min(config.clusters, len(live) // 2))
    cluster = KMeans(clusters, n_init=4, random_state=seed).fit_predict(place) if len(live) else np.empty(0, int)
    names = _cluster_names(cluster, latents.set_index("feature").loc[live])
    return pd.DataFrame(
        {
            "feature": live,
            "x": place[:, 0],
            "y": place[:, 1],
            "cluster": cluster,
            "cluster_name": [names[c] for c in cluster],
        }
    )


def _place(rows: np.ndarray, config: LayoutConfig, seed: int) -> np.ndarray:
    """Plane coordinates (n, 2); too few rows for a neighbourhood or a plane keep what they have."""
    if len(rows) < 4:
        return np.column_stack([np.arange(len(rows)), np.zeros(len(rows))])
    return _umap(rows, config, seed) if config.method == "umap" else PCA(2, random_state=seed).fit_transform(rows)


def _umap(rows: np.ndarray, config: LayoutConfig, seed: int) -> np.ndarray:
    """Plane coordinates (n, 2); single-threaded, because a seed is only kept that way."""
    import umap

    neighbours = min(config.neighbours, len(rows) - 1)
    reducer = umap.UMAP(n_neighbors=neighbours, min_dist=config.min_dist, metric="cosine", random_state=seed, n_jobs=1)
    return reducer.fit_transform(rows)


def _cluster_names(cluster: np.ndarray, latents: pd.DataFrame) -> dict[int, str]:
    """Most frequent significant top concepts of each cluster's members; "mixed" where none holds a fifth."""
    names = {}
    for number in np.unique(cluster):
        members = latents[cluster == number]
        counts = members.loc[members["significant"], "top_concept"].value_counts()
        frequent = counts[counts >= 0.2 * len(members)].index[:2]
        names[number] = " / ".join(frequent) or "mixed"
    return names
