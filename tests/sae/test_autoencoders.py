"""Variants against plain formulas; folding, training and the folder format."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from seqsae_core.config import SaeConfig
from seqsae_core.errors import UserError
from seqsae_core.sae import activations, interchange, training
from seqsae_core.sae.activations import encode_sparse
from seqsae_core.sae.autoencoders import VARIANTS, JumpReLU, make
from seqsae_core.sae.training import train

SMALL = SaeConfig(latents=48, k=4, steps=1500, batch_size=256, dead_window=100, learning_rate=3e-3)


def random_sae(**changes):
    torch.manual_seed(0)
    sae = make(replace(SMALL, **changes), 8)
    for parameter in sae.parameters():
        torch.nn.init.normal_(parameter)
    return sae.requires_grad_(False)


def test_topk_keeps_the_k_largest_positive_preactivations():
    sae, x = random_sae(), torch.randn(30, 8)
    pre = ((x - sae.b_dec) @ sae.W_enc + sae.b_enc).numpy()
    for row, codes in zip(pre, sae.encode(x).numpy(), strict=True):
        kept = np.sort(row)[-4:]
        assert codes[codes > 0] == pytest.approx(row[(row >= kept[0]) & (row > 0)])
    assert torch.allclose(sae(x), sae.encode(x) @ sae.W_dec + sae.b_dec)


def test_relu_fires_on_every_positive_preactivation():
    sae, x = random_sae(variant="relu"), torch.randn(30, 8)
    assert torch.allclose(sae.encode(x), torch.relu((x - sae.b_dec) @ sae.W_enc + sae.b_enc), atol=1e-5)


def as_kept(variant: str):
    """Untrained, as training would end with it."""
    return random_sae(variant=variant).finished(torch.randn(500, 8)).requires_grad_(False)


@pytest.mark.parametrize("variant", VARIANTS)
def test_sparse_codes_are_the_dense_ones(variant, monkeypatch):
    monkeypatch.setattr(activations, "ROWS", 32)
    sae, x = as_kept(variant), torch.randn(70, 8)
    assert np.allclose(encode_sparse(sae, x.numpy()).toarray(), sae.encode(x).numpy(), atol=1e-6)


def test_batchtopk_keeps_the_largest_of_the_batch_however_they_fall_on_rows():
    sae, x = random_sae(variant="batchtopk"), torch.randn(30, 8)
    pre = (x - sae.b_dec) @ sae.W_enc + sae.b_enc
    codes = sae.encode(x)
    assert (codes > 0).sum() == 30 * 4
    assert codes[codes > 0].min() >= pre[codes == 0].max() - 1e-5


def test_the_threshold_of_a_finished_batch_variant_lets_k_codes_a_position_fire():
    x = torch.randn(4000, 8)
    sae = random_sae(variant="batchtopk").finished(x)
    assert isinstance(sae, JumpReLU) and (sae.threshold == sae.threshold[0]).all()
    assert (sae.encode(x) > 0).sum(1).float().mean() == pytest.approx(4, abs=0.01)
    assert (sae.encode(torch.randn(4000, 8)) > 0).sum(1).float().mean() == pytest.approx(4, rel=0.05)


@pytest.mark.parametrize("variant", ["batchtopk", "matryoshka"])
def test_the_threshold_is_that_of_all_rows_where_they_drift(monkeypatch, variant):
    monkeypatch.setattr(training, "HELD_OUT_MOST", 100)
    values, _ = sparse_world(n=8000)
    values *= np.linspace(0.2, 3, len(values), dtype=np.float32)[:, None]
    sae = train(values, replace(SMALL, variant=variant, steps=100), 0)
    assert encode_sparse(sae, values).nnz / len(values) == pytest.approx(4, rel=0.1)


def test_jumprelu_is_zero_up_to_the_threshold_and_the_identity_above():
    sae = JumpReLU(2, 3).requires_grad_(False)
    sae.threshold.copy_(torch.tensor([0.5, 1.0, 0.0]))
    assert sae.activate(torch.tensor([[0.5, 1.5, -1.0], [0.6, 1.0, 0.2]])).tolist() == [
        pytest.approx([0, 1.5, 0]), pytest.approx([0.6, 0, 0.2])
    ]  # fmt: skip


def test_matryoshka_asks_each_prefix_for_the_whole_input():
    sae, x = random_sae(variant="matryoshka"), torch.randn(30, 8)
    codes = sae.encode(x)
    found = sae.reconstructions(sae.codes(x))
    expected = [codes[:, :n] @ sae.W_dec[:n] + sae.b_dec for n in (3, 12, 48)]
    assert all(torch.allclose(f, e, atol=1e-4) for f, e in zip(found, expected, strict=True))


@pytest.mark.parametrize("variant", VARIANTS)
def test_folding_takes_over_the_normalisation(variant):
    x = torch.randn(30, 8) * 5 + 2
    sae = as_kept(variant)
    sae.W_dec /= sae.W_dec.norm(dim=1, keepdim=True)
    mean, scale = x.mean(0), 3.0
    codes, rebuilt = sae.encode((x - mean) / scale), sae((x - mean) / scale) * scale + mean
    sae.fold(mean, scale)
    assert torch.allclose(sae(x), rebuilt, atol=1e-3)
    assert torch.allclose(sae.encode(x), codes * scale, atol=1e-3)


def sparse_world(n: int = 20_000, width: int = 16, truths: int = 32) -> tuple[np.ndarray, np.ndarray]:
    """Activations made of two or three of `truths` known directions in `width` dimensions."""
    rng = np.random.default_rng(0)
    directions = rng.normal(size=(truths, width))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    fires = rng.random((n, truths)).argsort(1) < 2
    return (fires * rng.uniform(0.5, 2.0, (n, truths)) @ directions).astype(np.float32), directions


@pytest.mark.parametrize("variant", VARIANTS)
def test_known_superposed_directions_are_recovered(variant):
    values, directions = sparse_world()
    sae = train(values, replace(SMALL, variant=variant, k=2, l1=0.5), seed=0)
    cosine = directions @ sae.W_dec.numpy().T
    assert cosine.max(1).mean() >= 0.9


def test_same_seed_same_weights_and_no_dead_latents():
    values, _ = sparse_world()
    one, two, other = (train(values, replace(SMALL, steps=300), seed) for seed in (1, 1, 2))
    assert torch.equal(one.W_dec, two.W_dec) and not torch.equal(one.W_dec, other.W_dec)
    fired = np.bincount(encode_sparse(one, values).indices, minlength=48)
    assert (fired == 0).mean() <= 0.05


@pytest.mark.parametrize("variant", VARIANTS)
def test_an_interrupted_training_ends_with_the_same_bits(tmp_path, monkeypatch, variant):
    monkeypatch.setattr(training, "CHECKPOINT_STEPS", 20)
    values, _ = sparse_world(n=2000)
    config = replace(SMALL, variant=variant, steps=70, dead_window=10, l1=0.1)
    whole = train(values, config, 3)

    def stop(done: float, *_) -> None:
        if done > 0.6:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(values, config, 3, stop, tmp_path)
    again = training.Trainer(values, config, 3)
    again.resume(tmp_path)
    assert again.step == 40
    resumed = train(values, config, 3, folder=tmp_path)
    assert all(torch.equal(t, resumed.state_dict()[name]) for name, t in whole.state_dict().items())


def test_training_reads_a_memory_map_like_an_array(tmp_path):
    values, _ = sparse_world(n=3000)
    np.save(tmp_path / "values.npy", values)
    config = replace(SMALL, steps=30)
    one, two = train(values, config, 0), train(np.load(tmp_path / "values.npy", mmap_mode="r"), config, 0)
    assert torch.equal(one.W_dec, two.W_dec)


def test_bad_activations_and_settings_are_named():
    values, _ = sparse_world(n=100)
    broken = values.copy()
    broken[3, 2] = np.nan
    with pytest.raises(UserError, match="NaN"):
        train(broken, SMALL, 0)
    with pytest.raises(UserError, match="alike"):
        train(np.ones((50, 8), np.float32), SMALL, 0)
    with pytest.raises(UserError, match="k is 48"):
        make(replace(SMALL, k=48), 8)
    with pytest.raises(UserError, match="Unknown SAE variant"):
        make(replace(SMALL, variant="vae"), 8)


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_saved_dictionary_encodes_the_same(tmp_path, variant):
    sae, x = as_kept(variant), torch.randn(20, 8)
    interchange.save(sae, tmp_path, layer=1)
    assert torch.equal(interchange.load(tmp_path).encode(x), sae.encode(x))


def test_a_foreign_architecture_is_refused(tmp_path):
    interchange.save(random_sae(), tmp_path, layer=1)
    path = tmp_path / "cfg.json"
    path.write_text(path.read_text().replace("topk", "transcoder"))
    with pytest.raises(UserError, match="transcoder"):
        interchange.load(tmp_path)
