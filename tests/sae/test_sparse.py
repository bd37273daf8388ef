"""The sparse encoder and decoder against dense autograd."""

import pytest
import torch

from seqsae_core.sae import sparse


@pytest.mark.parametrize("columns", [40, 512, 513])
def test_top_k_is_torch_topk(columns):
    x = torch.randn(60, columns, generator=torch.Generator().manual_seed(0))
    values, latents = sparse.top_k(x, 5)
    assert torch.equal(values.sort(1, descending=True).values, x.topk(5).values)
    assert torch.equal(x.gather(1, latents), values)


def test_top_k_with_ties_names_distinct_columns():
    values, latents = sparse.top_k(torch.ones(3, 512), 4)
    assert (values == 1).all() and all(len(set(row)) == 4 for row in latents.tolist())


def dense(x, w_enc, bias, w_dec, k):
    values, latents = (x @ w_enc + bias).topk(k, dim=1)
    codes = torch.zeros(len(x), len(bias)).scatter(1, latents, values.relu())
    return codes @ w_dec


def test_gradients_are_those_of_the_dense_way():
    torch.manual_seed(0)
    x, target = torch.randn(50, 8), torch.randn(50, 8)
    weights = [torch.randn(8, 512, requires_grad=True), torch.randn(512) - 3, torch.randn(512, 8, requires_grad=True)]
    weights[1].requires_grad_()
    values, latents = sparse.encode(x, weights[0], weights[1], 6)
    rebuilt = sparse.decode(values, latents, weights[2])
    expected = dense(x, *weights, 6)
    assert torch.allclose(rebuilt, expected, atol=1e-5)
    found = torch.autograd.grad((rebuilt - target).pow(2).sum(), weights)
    for ours, theirs in zip(found, torch.autograd.grad((expected - target).pow(2).sum(), weights), strict=True):
        assert torch.allclose(ours, theirs, atol=1e-3, rtol=1e-4)
