"""Variants against plain formulas; folding, training and the folder format."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from seqsae_core.config import SaeConfig
from seqsae_core.errors import UserError
from seqsae_core.sae import interchange
from seqsae_core.sae.activations import encode_sparse
from seqsae_core.sae.autoencoders import make
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


@pytest.mark.parametrize("variant", ["topk", "relu"])
def test_sparse_codes_are_the_dense_ones(variant):
    sae, x = random_sae(variant=variant), torch.randn(70, 8)
    assert np.allclose(encode_sparse(sae, x.numpy(), batch_size=32).toarray(), sae.encode(x).numpy(), atol=1e-6)


@pytest.mark.parametrize("variant", ["topk", "relu"])
def test_folding_takes_over_the_normalisation(variant):
    sae, x = random_sae(variant=variant), torch.randn(30, 8) * 5 + 2
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


@pytest.mark.parametrize("config", [replace(SMALL, k=2), replace(SMALL, variant="relu", l1=0.5)], ids=["topk", "relu"])
def test_known_superposed_directions_are_recovered(config):
    values, directions = sparse_world()
    sae = train(values, config, seed=0)
    cosine = directions @ sae.W_dec.numpy().T
    assert cosine.max(1).mean() >= 0.9


def test_same_seed_same_weights_and_no_dead_latents():
    values, _ = sparse_world()
    one, two, other = (train(values, replace(SMALL, steps=300), seed) for seed in (1, 1, 2))
    assert torch.equal(one.W_dec, two.W_dec) and not torch.equal(one.W_dec, other.W_dec)
    fired = np.bincount(encode_sparse(one, values).indices, minlength=48)
    assert (fired == 0).mean() <= 0.05


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


@pytest.mark.parametrize("variant", ["topk", "relu"])
def test_a_saved_dictionary_encodes_the_same(tmp_path, variant):
    sae, x = random_sae(variant=variant), torch.randn(20, 8)
    interchange.save(sae, tmp_path, layer=1)
    assert torch.equal(interchange.load(tmp_path).encode(x), sae.encode(x))


def test_a_foreign_architecture_is_refused(tmp_path):
    interchange.save(random_sae(), tmp_path, layer=1)
    path = tmp_path / "cfg.json"
    path.write_text(path.read_text().replace("topk", "transcoder"))
    with pytest.raises(UserError, match="transcoder"):
        interchange.load(tmp_path)
