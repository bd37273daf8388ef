"""Fidelity at its fixed points: a perfect dictionary loses nothing, the mean recovers nothing."""

import numpy as np
import pytest
import torch

from seqsae_core.config import SaeConfig
from seqsae_core.data.sequences import FIT, SCORE, SELECT, make_split
from seqsae_core.errors import UserError
from seqsae_core.recommender import evaluation
from seqsae_core.recommender.transformer import ARCHITECTURES
from seqsae_core.sae import activations, fidelity
from seqsae_core.sae.activations import Activations, Spill, collect, encode_sparse
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


@pytest.mark.parametrize("layer", [-1, 4])
def test_a_layer_that_the_model_has_not_is_refused_with_those_that_it_has(world, layer):
    model, sequences, split = world
    with pytest.raises(UserError, match=rf"no layer {layer}.*0 \(embeddings\), 1 to 2 .*3 \(final norm\)"):
        collect(model, sequences, split, split.users(FIT), layer)


def test_a_perfect_dictionary_loses_nothing(world):
    model, sequences, split = world
    fit, held_out = (collect(model, sequences, split, split.users(*r), 1) for r in ((FIT,), (SELECT, SCORE)))
    figures = fidelity.measure(model, perfect(8), fit, held_out, sequences, split, 1, deciles(sequences), seed=0)
    assert figures["explained_variance"] == pytest.approx(1.0, abs=1e-6)
    assert figures["ce_recovered"] == pytest.approx(1.0, abs=1e-4)
    assert figures["ndcg_change"] == pytest.approx(0.0, abs=1e-6)
    assert figures["rbo@10"] == pytest.approx(1.0, abs=1e-6)
    assert sum(row["users"] for row in figures["by_decile"]) == len(split.users(SELECT, SCORE))
    assert sum(figures["densities"]["counts"]) + figures["densities"]["dead"] == 16
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


def test_the_mean_is_worth_nothing_to_recover_where_the_model_is_no_better(world):
    model, sequences, split = world
    users, fit = split.users(SELECT, SCORE), collect(model, sequences, split, split.users(FIT), 1)
    mean = torch.from_numpy(fit.values.mean(0))
    splices = {name: lambda x: mean.expand_as(x) for name in ("model", "spliced", "mean")}
    found = fidelity.ce_recovered(model, splices, sequences, split, users, 1, seed=0)
    assert found["ce_recovered"] is None and found["ce_recovered_ci95"] is None
    assert found["ce"]["model"] == found["ce"]["mean"] > 0
    nobody = fidelity.ce_recovered(model, splices, sequences, split, users[:0], 1, seed=0)
    assert nobody["ce_recovered"] is None and nobody["ce_users"] == 0


def test_the_interval_of_what_is_recovered_is_that_of_paired_losses(world, monkeypatch):
    """Each user loses a quarter of its own gap, so every draw of users recovers three quarters."""
    model, sequences, split = world
    users = split.users(SELECT, SCORE)
    own, gap = np.random.default_rng(0).uniform(1, 9, (2, len(users)))
    sums = np.stack([own, own + gap / 4, own + gap], 1)
    monkeypatch.setattr(fidelity, "_cross_entropies", lambda *_: (sums, 10))
    splices = dict.fromkeys(("model", "spliced", "mean"))
    found = fidelity.ce_recovered(model, splices, sequences, split, users, 1, seed=0)
    assert [found["ce_recovered"], *found["ce_recovered_ci95"]] == pytest.approx([0.75] * 3)
    assert found["ce"]["mean"] == pytest.approx((own + gap).sum() / 10)


def test_cross_entropy_is_of_users_drawn_by_the_seed_among_those_that_predict(world, monkeypatch):
    model, sequences, split = world
    users, asked = split.users(SELECT, SCORE), []
    monkeypatch.setattr(fidelity, "CE_USERS", 5)
    monkeypatch.setattr(fidelity, "_cross_entropies", lambda *a: asked.append(a[3]) or (np.ones((len(a[3]), 3)), 1))
    splices = dict.fromkeys(("model", "spliced", "mean"))
    for seed in (0, 0, *range(1, 40)):
        fidelity.ce_recovered(model, splices, sequences, split, users, 1, seed)
    assert asked[0].tolist() == asked[1].tolist() != asked[2].tolist()
    assert all(len(set(some.tolist())) == 5 for some in asked)
    assert set(np.concatenate(asked)) == set(users[split.context_end[users] > 1]), "the last too"


def test_half_of_the_way_from_the_mean_explains_three_quarters_and_changes_lists(world):
    model, sequences, split = world
    fit, held_out = (collect(model, sequences, split, split.users(*r), 1) for r in ((FIT,), (SELECT, SCORE)))
    sae, mean = perfect(8), torch.from_numpy(fit.values.mean(0))
    sae.W_dec.mul_(0.5)
    sae.b_dec.copy_(mean / 2)
    sae.b_enc.copy_(sae.b_dec @ sae.W_enc)
    x = torch.from_numpy(held_out.values)
    assert torch.allclose(sae(x), (x + mean) / 2, atol=1e-5)
    found = fidelity.measure(model, sae, fit, held_out, sequences, split, 1, deciles(sequences), seed=0)
    low, high = found["rbo@10_ci95"]
    assert 0 < low < found["rbo@10"] < high < 1
    assert found["explained_variance"] == pytest.approx(0.75, abs=0.01)


def test_batches_change_no_figure(world, monkeypatch):
    model, sequences, split = world
    fit, held_out = (collect(model, sequences, split, split.users(*r), 1) for r in ((FIT,), (SELECT, SCORE)))
    arguments = (model, perfect(8), fit, held_out, sequences, split, 1, deciles(sequences), 0)
    whole = fidelity.measure(*arguments)
    monkeypatch.setattr(activations, "ROWS", 7)
    monkeypatch.setattr(evaluation, "SCORES", 3 * (sequences.n_items + 1))
    again = fidelity.measure(*arguments)
    assert again["ce_recovered"] == pytest.approx(whole["ce_recovered"], abs=1e-4)
    for name in ("explained_variance", "l0", "dead_fraction", "ndcg_change", "hr_change", "rbo@10"):
        assert again[name] == pytest.approx(whole[name], abs=1e-6), name


def test_explained_variance_is_one_minus_lost_over_spread():
    rng = np.random.default_rng(0)
    values, sae = rng.normal(3, 2, (500, 8)).astype(np.float32), perfect(8)
    sae.W_dec.mul_(0.9)
    users = np.repeat(np.arange(50), 10).astype(np.int32)
    found = fidelity.explained_variance(Activations(values, users, users, users), sae, seed=0)
    expected = 1 - ((0.1 * values) ** 2).sum() / ((values - values.mean(0)) ** 2).sum()
    assert found["explained_variance"] == pytest.approx(expected, abs=1e-5)
    low, high = found["explained_variance_ci95"]
    assert low < expected < high


def test_density_counts_firing_positions(monkeypatch):
    monkeypatch.setattr(activations, "ROWS", 2)
    values = np.array([[1.0, 0], [2.0, -3.0], [0.5, 1.0]], np.float32)
    assert fidelity.density(perfect(2), values) == pytest.approx([1, 1 / 3, 0, 1 / 3])


@pytest.mark.parametrize("positions", [2, 1000, 123_456])
def test_densities_fall_into_bins_and_none_is_lost(positions):
    fired = np.array([0, 0, 1, positions // 2, positions])
    found = fidelity.density_histogram(fired / positions, positions)
    assert found["dead"] == 2
    assert sum(found["counts"]) == 3 and found["counts"][0] >= 1 and found["counts"][-1] >= 1
    assert found["edges"][0] <= 1 / positions and found["edges"][-1] == 1
    assert len(found["edges"]) == len(found["counts"]) + 1


def test_spilled_activations_are_the_same_and_train_the_same(world, tmp_path, monkeypatch):
    model, sequences, split = world
    monkeypatch.setattr(activations, "ROWS", 32)
    size = collect(model, sequences, split, split.users(FIT), 1).values.nbytes
    kept, spilled = (
        collect(model, sequences, split, split.users(FIT), 1, spill=Spill(tmp_path, limit))
        for limit in (size, size - 1)
    )
    assert not isinstance(kept.values, np.memmap)
    assert isinstance(spilled.values, np.memmap) and np.array_equal(spilled.values, kept.values)
    assert isinstance(spilled.at_items(Spill(tmp_path, 0)).values, np.memmap)
    assert np.array_equal(spilled.at_items(Spill(tmp_path, 0)).values, kept.values[kept.item_at > 0])
    assert fidelity.mean_at_items(spilled) == pytest.approx(kept.values[kept.item_at > 0].mean(0), abs=1e-5)
    assert not list(tmp_path.iterdir()), "files vanish with their matrices"
    assert all(np.array_equal(getattr(spilled, n), getattr(kept, n)) for n in ("item_at", "user_at", "event_at"))
    codes = [encode_sparse(perfect(8), found.values) for found in (spilled, kept)]
    assert np.array_equal(codes[0].toarray(), codes[1].toarray())
    config = SaeConfig(latents=16, k=2, steps=20, batch_size=32)
    assert torch.equal(train(spilled.values, config, 0).W_dec, train(kept.values, config, 0).W_dec)
