"""Fidelity at its fixed points: a perfect dictionary loses nothing, the mean recovers nothing."""

import numpy as np
import pytest
import torch

from seqsae_core.config import SaeConfig
from seqsae_core.data.sequences import FIT, SCORE, SELECT, make_split
from seqsae_core.recommender.transformer import ARCHITECTURES
from seqsae_core.sae import activations, fidelity
from seqsae_core.sae.activations import collect
from seqsae_core.sae.autoencoders import make
from seqsae_core.sae.training import train

SEEDS = {"sasrec": 0, "bert4rec": 4}  # random models whose cross-entropy is below that of a constant state


@pytest.fixture(scope="module", params=ARCHITECTURES)
def world(request, toy_sequences):
    torch.manual_seed(SEEDS[request.param])
    model = ARCHITECTURES[request.param](toy_sequences.n_items, 8, 2, 2, 10).eval()
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.4)
    model.bias.data = torch.linspace(
        2, 0, toy_sequences.n_items + 1
    )  # popular items first, so that some targets are hit
    return model, toy_sequences, make_split(toy_sequences, "leave-one-out")


def perfect(width: int):
    """Eight directions and their opposites, no bias: ReLU codes rebuild any input exactly."""
    sae = make(SaeConfig(variant="relu", latents=2 * width), width).requires_grad_(False)
    eye = torch.eye(width)
    sae.W_dec.copy_(torch.cat([eye, -eye]))
    sae.W_enc.copy_(sae.W_dec.T)
    return sae


def deciles(sequences) -> np.ndarray:
    return np.arange(sequences.n_items + 1) * 10 // (sequences.n_items + 1)


def test_collected_rows_are_the_context_positions(world):
    model, sequences, split = world
    every = collect(model, sequences, split, split.users(FIT), layer=1, batch_size=7)
    got, asked = every.at_items(), every.event_at[every.item_at == 0]
    if model.mask_tokens:
        assert sorted(asked) == sorted(split.context_end[split.users(FIT)])
    else:
        assert got is every
    expected = {
        (u, e) for u in split.users(FIT) for e in range(max(0, split.context_end[u] - 10), split.context_end[u])
    }
    assert set(zip(got.user_at.tolist(), got.event_at.tolist(), strict=True)) == expected
    assert (got.item_at == sequences.items[sequences.offsets[got.user_at] + got.event_at]).all()
    row = 5
    user, end = got.user_at[row], split.context_end[got.user_at[row]]
    start = max(0, end - 10)
    alone = model.hidden(torch.from_numpy(sequences.of(user)[start:end]).long()[None], 1).activations[0]
    assert torch.allclose(alone[got.event_at[row] - start], torch.from_numpy(got.values[row]), atol=1e-5)


def test_a_perfect_dictionary_loses_nothing(world):
    model, sequences, split = world
    fit, held_out = (collect(model, sequences, split, split.users(*r), 1) for r in ((FIT,), (SELECT, SCORE)))
    figures = fidelity.measure(model, perfect(8), fit, held_out, sequences, split, 1, deciles(sequences), seed=0)
    assert figures["explained_variance"] == pytest.approx(1.0, abs=1e-6)
    assert figures["ce_recovered"] == pytest.approx(1.0, abs=1e-4)
    assert figures["ndcg_change"] == pytest.approx(0.0, abs=1e-6)
    assert figures["rbo@10"] == pytest.approx(1.0, abs=1e-6)
    assert sum(row["users"] for row in figures["by_decile"]) == len(split.users(SELECT, SCORE))
    assert figures["l0"] == pytest.approx(8.0, abs=0.01)


def test_the_mean_explains_and_recovers_nothing(world):
    model, sequences, split = world
    fit, held_out = (collect(model, sequences, split, split.users(*r), 1) for r in ((FIT,), (SELECT, SCORE)))
    sae = perfect(8)
    sae.W_dec.zero_()
    sae.b_dec.copy_(torch.from_numpy(held_out.values.mean(0)))
    assert fidelity.explained_variance(held_out, sae, 0)["explained_variance"] == pytest.approx(0.0, abs=1e-6)
    sae.b_dec.copy_(torch.from_numpy(fit.values.mean(0)))
    figures = fidelity.measure(model, sae, fit, held_out, sequences, split, 1, deciles(sequences), 0)
    assert figures["ce_recovered"] == pytest.approx(0, abs=1e-5)


def test_density_counts_firing_positions():
    from scipy.sparse import csr_array

    codes = csr_array(np.array([[1.0, 0, 0], [2.0, 3.0, 0]]))
    assert fidelity.density(codes).tolist() == [1.0, 0.5, 0.0]


def test_densities_fall_into_bins_and_none_is_lost():
    found = fidelity.density_histogram(np.array([0.0, 1e-6, 2e-5, 0.05, 0.09, 1.0]))
    assert (found["silent"], found["below"]) == (1, 1)
    assert found["counts"] == [1, 0, 0, 0, 0, 0, 0, 2, 0, 1]


def test_spilled_activations_are_the_same_and_train_the_same(world, tmp_path, monkeypatch):
    model, sequences, split = world
    kept = collect(model, sequences, split, split.users(FIT), 1, spill=tmp_path / "rows")
    assert not (tmp_path / "rows").exists()
    monkeypatch.setattr(activations, "SPILL_BYTES", 0)
    spilled = collect(model, sequences, split, split.users(FIT), 1, spill=tmp_path / "rows")
    assert isinstance(spilled.values, np.memmap) and np.array_equal(spilled.values, kept.values)
    assert np.array_equal(spilled.item_at, kept.item_at) and np.array_equal(spilled.event_at, kept.event_at)
    config = SaeConfig(latents=16, k=2, steps=20, batch_size=32)
    assert torch.equal(train(spilled.values, config, 0).W_dec, train(kept.values, config, 0).W_dec)


def test_what_is_recovered_is_nothing_at_the_mean_and_unknown_where_the_mean_loses_nothing():
    sums = np.array([[2.0, 2.0, 4.0], [2.0, 3.0, 4.0], [2.0, 4.0, 4.0], [4.0, 3.0, 4.0]])
    found = fidelity._recovered(sums, ["model", "spliced", "mean"])
    assert found[:3].tolist() == [1, 0.5, 0] and np.isnan(found[3])
