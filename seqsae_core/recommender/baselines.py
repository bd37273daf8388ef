"""What any recommender must beat: popularity, a first-order Markov chain and nearest items."""

import numpy as np
import torch
from scipy.sparse import coo_array, csr_array, diags_array, vstack

from seqsae_core.data.sequences import Sequences, Split
from seqsae_core.recommender.batching import item_counts, training_events
from seqsae_core.recommender.evaluation import Ranked, users_at_once
from seqsae_core.recommender.names import BASELINES

PAIRS = 2**24


def popularity(sequences: Sequences, split: Split) -> np.ndarray:
    """Share of the training events that each item has, float64 (n_items + 1,)."""
    counts = item_counts(sequences, split)
    return counts / counts.sum()


def markov(sequences: Sequences, split: Split) -> csr_array:
    """P(next item | last item) from adjacent training events, (n_items + 1, n_items + 1); unseen rows are empty."""
    items, owner = training_events(sequences, split)
    same = owner[1:] == owner[:-1]
    pairs = (items[:-1][same], items[1:][same])
    counts = coo_array((np.ones(same.sum()), pairs), (sequences.n_items + 1,) * 2).tocsr()
    return diags_array(1 / np.maximum(counts.sum(axis=1), 1)) @ counts


def item_knn(sequences: Sequences, split: Split, neighbours: int = 100) -> csr_array:
    """Cosine of two items' training users, the `neighbours` largest of each item kept, (n_items + 1, n_items + 1).

    Sarwar et al. (2001), section 3.1.1, on implicit feedback; score of an item: sum over the history.
    """
    items, owner = training_events(sequences, split)
    table = csr_array((np.ones(len(items), np.float32), (owner, items)), (len(sequences), sequences.n_items + 1))
    table.data[:] = 1.0
    pairs = np.cumsum(table.T @ np.diff(table.indptr))
    norm = np.sqrt(np.maximum(table.sum(axis=0), 1.0))
    table = table @ diags_array(1 / norm)
    columns = table.T.tocsr()
    blocks = np.split(np.arange(columns.shape[0]), np.flatnonzero(np.diff(pairs // PAIRS)) + 1)
    return vstack([_nearest(columns[rows] @ table, rows, neighbours) for rows in blocks], format="csr")


def _nearest(cosine: csr_array, items: np.ndarray, count: int) -> csr_array:
    """The `count` largest entries of each row but an item's cosine with itself. cosine: (len(items), n_items + 1)."""
    cosine.data[np.repeat(items, np.diff(cosine.indptr)) == cosine.indices] = 0
    return _largest(cosine, count)


def _largest(matrix: csr_array, count: int) -> csr_array:
    """The same with only the `count` largest entries of each row; ties by lower column. matrix: float32, none negative.

    The bits of such floats are in the floats' order, so that one integer orders by falling value, then rising column.
    """
    keys = (~matrix.data.view(np.uint32)).astype(np.uint64) << 32 | matrix.indices.astype(np.uint64)
    keep = np.ones(len(keys), bool)
    for row in np.flatnonzero(np.diff(matrix.indptr) > count):
        own = slice(*matrix.indptr[row : row + 2])
        keep[own] = keys[own] <= np.partition(keys[own], count - 1)[count - 1]
    ends = np.concatenate([[0], np.cumsum(keep)])[matrix.indptr]
    return csr_array((matrix.data[keep], matrix.indices[keep], ends), matrix.shape)


def rank_baselines(
    sequences: Sequences, split: Split, users: np.ndarray, target_at: np.ndarray, batch_size: int = 512
) -> dict[str, Ranked]:
    """What `popularity`, `markov` and `item_knn` make of each user's event `target_at[i]`, given all before it.

    Back-off: items to which Markov or kNN give nothing come after the others, in order of popularity.
    """
    share, chain, near = popularity(sequences, split), markov(sequences, split), item_knn(sequences, split)
    found = {name: Ranked.empty(len(users)) for name in BASELINES}
    size = users_at_once(batch_size, sequences.n_items)
    for rows in np.array_split(np.arange(len(users)), max(1, len(users) // size)):
        who, at = users[rows], target_at[rows]
        last = sequences.items[sequences.offsets[who] + at - 1]
        own = {"markov": chain[last], "item_knn": _histories(sequences, who, at) @ near}
        for name in BASELINES:
            scores = _backed_off(own[name], share) if name in own else np.tile(share, (len(who), 1))
            scores[:, 0] = -np.inf
            found[name].put(rows, torch.from_numpy(scores), sequences, who, at)
    return found


def _backed_off(own: csr_array, share: np.ndarray) -> np.ndarray:
    """Dense scores (users, n_items + 1), added to in place: over a large catalogue a copy costs more than the sum."""
    scores = own.toarray()
    scores += share * 1e-6
    return scores


def _histories(sequences: Sequences, users: np.ndarray, ends: np.ndarray) -> csr_array:
    """1 for each event before `ends`, (users, n_items + 1)."""
    starts = sequences.offsets[users]
    items = np.concatenate([sequences.items[a : a + n] for a, n in zip(starts, ends, strict=True)])
    rows = np.repeat(np.arange(len(users)), ends)
    return csr_array((np.ones(len(items)), (rows, items)), (len(users), sequences.n_items + 1))
