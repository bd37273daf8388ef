"""Regions of a map: clusters of its plane, named by what their latents share more than all latents do."""

from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import false_discovery_control, hypergeom
from sklearn.cluster import KMeans

MIXED = "mixed"
LEVEL = 0.05
FEWEST = 3
LEAST_SHARE = 0.2
MOST_NAMES = 2


def find_regions(plane: np.ndarray, latents: pd.DataFrame, count: int, seed: int) -> dict[str, Any]:
    """cluster and cluster_name of every point: k-means of the latents' places, other points to the nearest centre.

    plane: (n, 2), the latents' rows first; latents: the columns fdr and top_concept of theirs; count: the most regions.
    """
    own = plane[: len(latents)]
    cluster = np.zeros(len(plane), np.int32)
    if len(own) > 1:
        regions = max(1, min(count, len(own) // 2))
        cluster = KMeans(regions, n_init=4, random_state=seed).fit(own).predict(plane)
    names = name_regions(cluster[: len(own)], latents["top_concept"].where(latents["fdr"], "").to_numpy())
    return {"cluster": cluster, "cluster_name": [names.get(c, MIXED) for c in cluster]}


def name_regions(cluster: np.ndarray, concepts: np.ndarray) -> dict[int, str]:
    """Names of the regions that have one: their one or two most distinctive concepts, the least probable first.

    A concept is distinctive of a region when more of its members have it than chance would give (one-sided
    hypergeometric test, 5 % false discovery rate over all regions and concepts), at least three of them and at least a
    fifth of those with any concept. cluster: (n,); concepts: (n,), each point's own, "" = none.
    """
    table = pd.crosstab(cluster, concepts).drop(columns="", errors="ignore")
    if table.empty:
        return {}
    counts, names = table.to_numpy(), table.columns.to_numpy()
    sizes = np.array([(cluster == region).sum() for region in table.index])[:, None]
    p = hypergeom.sf(counts - 1, len(cluster), counts.sum(0), sizes)
    enough = (counts >= FEWEST) & (counts >= LEAST_SHARE * counts.sum(1, keepdims=True))
    found = enough & (false_discovery_control(p.ravel()).reshape(p.shape) < LEVEL)
    order = np.argsort(np.where(found, p, np.inf), axis=1, kind="stable")[:, :MOST_NAMES]
    told = {int(region): names[best[row[best]]] for region, best, row in zip(table.index, order, found, strict=True)}
    return {region: " / ".join(some) for region, some in told.items() if len(some)}
