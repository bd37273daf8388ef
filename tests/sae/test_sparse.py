"""The sparse encoder and decoder against dense autograd."""

from functools import partial

import pytest
import torch

from seqsae_core.sae import sparse

CHOICES = {"rows": partial(sparse.largest_of_rows, k=6), "all": partial(sparse.largest_of_all, count=300)}


def draw(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(("rows", "columns"), [(20, 7), (90, 7), (90, 512), (90, 513)])
def test_the_largest_of_rows_are_those_of_topk(rows, columns):
    x = draw(rows, columns)
    places = sparse.largest_of_rows(x, 5).view(rows, 5)
    assert (places // columns == torch.arange(rows)[:, None]).all()
    assert torch.equal(x.view(-1)[places].sort(1, descending=True).values, x.topk(5).values)


@pytest.mark.parametrize("rows", [20, 90])
def test_of_entries_that_tie_as_many_are_chosen_as_asked_for(rows):
    x = torch.tensor([3.0, 1, 1, 0] + [1] * 60).repeat(rows, 1)
    places = sparse.largest_of_rows(x, 3).view(rows, 3).sort(1).values % 64
    assert (places[:, 0] == 0).all() and (x[0][places] == torch.tensor([3.0, 1, 1])).all()
    assert (places.diff() > 0).all()


def test_rows_without_an_order_still_give_places_of_their_own():
    x = draw(90, 64)
    x[7] = float("nan")
    places = sparse.largest_of_rows(x, 4).view(90, 4)
    assert (places // 64 == torch.arange(90)[:, None]).all()


def test_the_largest_of_all_are_those_of_a_flat_topk():
    x = draw(60, 40)
    assert sparse.largest_of_all(x, 99).tolist() == sorted(x.flatten().topk(99).indices.tolist())


def test_what_ties_with_the_smallest_of_all_is_chosen_too():
    x = torch.tensor([[3.0, 1, 1, 0], [2, 2, 5, 2]])
    assert sparse.largest_of_all(x, 3).tolist() == [0, 4, 5, 6, 7]


def test_above_compares_each_column_with_its_own_threshold():
    x = torch.tensor([[1.0, 1.0], [2.0, 0.5]])
    assert sparse.above(x, torch.tensor([1.0, 0.7])).tolist() == [1, 2]


def dense(x, w_enc, bias, w_dec, choose):
    preactivations = x @ w_enc + bias
    chosen = torch.zeros(preactivations.numel()).index_fill(0, choose(preactivations), 1)
    return preactivations.relu() * chosen.view_as(preactivations) @ w_dec


@pytest.mark.parametrize("choose", CHOICES.values(), ids=CHOICES)
def test_gradients_are_those_of_the_dense_way(choose):
    x, target = draw(80, 8, seed=1), draw(80, 8, seed=2)
    weights = [draw(8, 512, seed=3), draw(512, seed=4) - 3, draw(512, 8, seed=5)]
    for weight in weights:
        weight.requires_grad_()
    rebuilt = sparse.decode(sparse.encode(x, weights[0], weights[1], choose), weights[2])
    expected = dense(x, *weights, choose)
    assert torch.allclose(rebuilt, expected, atol=1e-5)
    found = torch.autograd.grad((rebuilt - target).pow(2).sum(), weights)
    for ours, theirs in zip(found, torch.autograd.grad((expected - target).pow(2).sum(), weights), strict=True):
        assert torch.allclose(ours, theirs, atol=1e-3, rtol=1e-4)


def test_codes_of_some_latents_only_and_as_a_sparse_table():
    codes = sparse.Codes(torch.tensor([1.0, 0, 2, 3]), torch.tensor([2, 0, 1, 3]), torch.tensor([0, 2, 2, 4]))
    whole = [[0, 0, 1, 0], [0, 0, 0, 0], [0, 2, 0, 3]]
    assert codes.to_csr(4).toarray().tolist() == whole and codes.to_csr(4).nnz == 3
    assert codes.where(torch.tensor([True, True, False, False])).to_csr(4).toarray().sum() == 2
    weight = draw(4, 5)
    assert torch.allclose(sparse.decode(codes, weight), torch.tensor(whole, dtype=torch.float) @ weight)
