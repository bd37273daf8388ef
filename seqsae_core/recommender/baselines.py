"""What any recommender must beat: popularity and a first-order Markov chain."""

import numpy as np
import torch
from scipy.sparse import coo_array, csr_array, diags_array

from seqsae_core.data.sequences import Sequences, Split
from seqsae_core.recommender.ranking import mask_seen, rank_of_target
from seqsae_core.recommender.training import training_events


def popularity(sequences: Sequences, split: Split) -> np.ndarray:
    """Share of the training events that each item has, float64 (n_items + 1,)."""
    counts = np.bincount(training_events(sequences, split)[0], minlength=sequences.n_items + 1)
    return counts / counts.sum()


def markov(sequences: Sequences, split: Split) -> csr_array:
    """P(next item | last item) from adjacent training events, (n_items + 1, n_items + 1); unseen rows are empty."""
    items, owner = training_events(sequences, split)
    same = owner[1:] == owner[:-1]
    pairs = (items[:-1][same], items[1:][same])
    counts = coo_array((np.ones(same.sum()), pairs), (sequences.n_items + 1,) * 2).tocsr()
    return diags_array(1 / np.maximum(counts.sum(axis=1), 1)) @ counts


def baseline_ranks(
    sequences: Sequences, split: Split, users: np.ndarray, target_at: np.ndarray, batch_size: int = 512
) -> dict[str, np.ndarray]:
    """Target ranks (len(users),) of `popularity` and of `markov`, backed off to popularity where it has seen nothing.

    Back-off: transition probability first; items without one come after, in order of popularity.
    """
    share, chain = popularity(sequences, split), markov(sequences, split)
    ranks = {"popularity": np.zeros(len(users), np.int64), "markov": np.zeros(len(users), np.int64)}
    for part in np.array_split(np.arange(len(users)), max(1, len(users) // batch_size)):
        who, at = users[part], target_at[part]
        target = torch.from_numpy(sequences.items[sequences.offsets[who] + at]).long()
        last = sequences.items[sequences.offsets[who] + at - 1]
        backed_off = chain[last].toarray() + share * 1e-6
        for name, scores in (("popularity", np.tile(share, (len(who), 1))), ("markov", backed_off)):
            tensor = torch.from_numpy(scores)
            tensor[:, 0] = -torch.inf
            mask_seen(tensor, sequences, who, at, target)
            ranks[name][part] = rank_of_target(tensor, target).numpy()
    return ranks
