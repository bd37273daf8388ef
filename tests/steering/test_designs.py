"""Slopes against autograd, the Fisher information against the divergence, and the choice of latents in closed form."""

import numpy as np
import pytest
import torch

from seqsae_core.data.sequences import Sequences, make_split
from seqsae_core.steering.designs import Landscape, by_gain, learned, lowered, survey
from seqsae_core.steering.displacement import displaced_states
from seqsae_core.steering.evaluation import collect_contexts


@pytest.fixture(scope="module")
def moves() -> torch.Tensor:
    return torch.randn(12, 4, generator=torch.Generator().manual_seed(0))


def chances_of(model, contexts, displacement):
    found = []
    for bucket in contexts.buckets:
        scores = model.scores(displaced_states(model, bucket.hidden, contexts.layer, displacement[None])[:, 0])
        scores[bucket.seen_rows, bucket.seen_items] = -torch.inf
        found.append(scores.softmax(1))
    return torch.cat(found)


def test_slope_and_divergence_are_those_of_small_moves(model):
    rng = np.random.default_rng(0)
    items = np.concatenate([1 + rng.permutation(model.n_items)[:9] for _ in range(20)]).astype(np.int32)
    sequences = Sequences(np.arange(20), items, np.arange(21) * 9, None, model.n_items)
    split = make_split(sequences, "leave-one-out")
    users = np.arange(20)
    contexts = collect_contexts(model, 1, sequences, users, split.valid_at[users])
    land = survey(contexts)
    labels = (np.arange(model.n_items + 1) % 3 == 1).astype(np.float32)
    values = torch.from_numpy(labels)
    with torch.inference_mode():
        for seed in range(3):
            move = 0.05 * torch.randn(model.width, generator=torch.Generator().manual_seed(seed))
            up, down = (chances_of(model, contexts, sign * move) for sign in (1, -1))
            slope = float(((up - down) @ values).mean() / 2)
            assert float(land.gradient(labels) @ move) == pytest.approx(slope, abs=2e-5, rel=0.05)
            plain = land.chances
            both = [(plain * (plain.clamp(min=1e-30) / q.clamp(min=1e-30)).log()).sum(1).mean() for q in (up, down)]
            assert float(move @ land.fisher @ move / 2) == pytest.approx(float(sum(both) / 2), rel=0.1, abs=1e-5)


def test_four_moves_that_span_the_space_reach_the_natural_gradient(moves):
    gradient, fisher = torch.tensor([1.0, -2.0, 0.5, 0.1]), torch.diag(torch.tensor([1.0, 2.0, 3.0, 4.0]))
    latents, weights = by_gain(moves, gradient, fisher, 4)
    made = torch.tensor(weights, dtype=torch.float32) @ moves[latents]
    natural = torch.linalg.solve(fisher, gradient)
    assert float(torch.cosine_similarity(made, natural, dim=0)) == pytest.approx(1, abs=1e-4)


def test_unsigned_weights_are_positive_and_silent_latents_stay_out(moves):
    moves = moves.clone()
    moves[5] = 0
    latents, weights = by_gain(moves, torch.ones(4), torch.eye(4), 6, signed=False)
    assert (weights > 0).all()
    assert 5 not in latents
    assert weights.max() == 1
    assert len(by_gain(moves, torch.zeros(4), torch.eye(4), 6)[0]) == 0


def test_learned_weights_find_the_move_that_raises_the_concept():
    vectors = torch.eye(4).repeat(2, 1)[:7] * 3
    labels = np.array([0, 1, 0, 0, 0, 1, 0], np.float32)
    chances = torch.full((5, 7), 1 / 6)
    chances[:, 0] = 0
    land = Landscape(chances, torch.eye(4).repeat(5, 1, 1), vectors, torch.eye(4))
    moves = torch.cat([torch.eye(4), -torch.eye(4)])
    latents, weights = learned(moves, land, labels, 2)
    assert latents[0] == 1
    assert weights[0] == 1
    assert (weights > 0).all()
    assert len(learned(torch.zeros(3, 4), land, labels, 2)[0]) == 0


def test_what_lowers_a_concept_leaves_the_rest_as_it_was():
    vectors = torch.eye(4).repeat(2, 1)[:7] * 3
    labels = np.array([0, 1, 0, 0, 0, 1, 0], np.float32)
    chances = torch.full((5, 7), 1 / 6)
    chances[:, 0] = 0
    land = Landscape(chances, torch.eye(4).repeat(5, 1, 1), vectors, torch.eye(4))
    moves = torch.cat([torch.eye(4), -torch.eye(4)])
    latents, weights = lowered(moves, land, labels, 2)
    made = torch.tensor(weights, dtype=torch.float32) @ moves[latents]
    scores = -5 * made @ vectors.T
    after = torch.where(chances[0] > 0, scores, -torch.inf).softmax(0)
    assert after[[1, 5]].sum() < 0.1 * chances[0, [1, 5]].sum()
    rest = after[[2, 3, 4, 6]] / after[[2, 3, 4, 6]].sum()
    assert rest.tolist() == pytest.approx([0.25] * 4, abs=0.02)
    assert len(lowered(torch.zeros(3, 4), land, labels, 2)[0]) == 0
    assert not lowered(moves, land, np.zeros(7, np.float32), 2)[1].any()
