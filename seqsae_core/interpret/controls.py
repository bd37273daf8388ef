"""Rivals that need another model: the same dictionary recipe on activations that know less.

untrained_model_sae: random embeddings and blocks; spectral_untrained: co-occurrence embeddings, untrained blocks;
static_embedding_sae: the trained item embeddings alone; shuffled_sequence_sae: a model of shuffled histories.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from seqsae_core.config import StudyConfig
from seqsae_core.data.sequences import FIT, SCORE, SELECT, Sequences, Split
from seqsae_core.interpret.atlas import Corpus
from seqsae_core.progress import Report
from seqsae_core.recommender import recipe, training
from seqsae_core.recommender.protocol import SequenceModel
from seqsae_core.sae.activations import Activations, Spill, collect, slices


@dataclass(frozen=True)
class Control:
    """Activations of fit users to train on, and the corpus with this control's activations at the same positions."""

    kind: str
    fit: Activations
    corpus: Corpus


def control_activations(
    model: SequenceModel, sequences: Sequences, split: Split, corpus: Corpus, config: StudyConfig, spill: Spill,
    report: Report,
) -> Iterator[Control]:  # fmt: skip
    """The four controls, one after the other, so that only one takes up memory or `spill`."""
    layer, seed = config.sae.layer, config.seed
    for kind, warm_start in (("untrained_model_sae", False), ("spectral_untrained", True)):
        settings = replace(config.recommender, warm_start=warm_start, popularity_bias=warm_start)
        untrained = recipe.make_model(sequences, split, settings, model.max_length, seed).eval()
        yield _collected(kind, untrained, sequences, split, corpus, layer, spill)
    yield _static("static_embedding_sae", model, sequences, split, corpus, layer, spill)
    shuffled = shuffle_histories(sequences, split, seed)
    other = training.train(shuffled, split, config.recommender, model.max_length, seed, report).model
    yield _collected("shuffled_sequence_sae", other, sequences, split, corpus, layer, spill)


def shuffle_histories(sequences: Sequences, split: Split, seed: int) -> Sequences:
    """Each user's training events in random order; targets stay in their place."""
    rng = np.random.default_rng(seed)
    items = sequences.items.copy()
    for start, length in zip(sequences.offsets[:-1], split.train_end, strict=True):
        rng.shuffle(items[start : start + length])
    return replace(sequences, items=items)


def _collected(
    kind: str, model: SequenceModel, sequences: Sequences, split: Split, corpus: Corpus, layer: int, spill: Spill
) -> Control:
    fit, select, score = (
        collect(model, sequences, split, split.users(role), layer, spill=spill) for role in (FIT, SELECT, SCORE)
    )
    return Control(kind, fit, replace(corpus, select=select.at_items(spill), score=score.at_items(spill)))


def _static(
    kind: str, model: SequenceModel, sequences: Sequences, split: Split, corpus: Corpus, layer: int, spill: Spill
) -> Control:
    """Each position's item vector in place of its activation; a mask token has none."""
    vectors = model.item_vectors().detach().numpy()
    real = _collected(kind, model, sequences, split, corpus, layer, spill)

    def swap(activations: Activations) -> Activations:
        values = spill.room((len(activations.item_at), vectors.shape[1]))
        for rows in slices(len(values)):
            values[rows] = vectors[activations.item_at[rows]]
        return replace(activations, values=values)

    swapped = replace(corpus, select=swap(real.corpus.select), score=swap(real.corpus.score))
    return Control(kind, swap(real.fit.at_items(spill)), swapped)
