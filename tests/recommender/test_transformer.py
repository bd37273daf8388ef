"""The model protocol: causality, padding, exact resumption from every layer."""

import pytest
import torch

from seqsae_core.recommender.transformer import Dropout, Transformer


@pytest.fixture(scope="module")
def model() -> Transformer:
    torch.manual_seed(0)
    model = Transformer(n_items=50, width=16, blocks=3, heads=2, max_length=12).eval()
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return model


@pytest.fixture
def items() -> torch.Tensor:
    items = torch.randint(1, 51, (4, 8), generator=torch.Generator().manual_seed(1))
    items[0, :5] = 0
    items[1, :7] = 0
    return items


@torch.inference_mode()
def test_padding_changes_nothing(model, items):
    wide = torch.nn.functional.pad(items, (3, 0))
    state = model.resume(model.hidden(items, 3).activations, items, 3)
    assert torch.allclose(state, model.resume(model.hidden(wide, 3).activations, wide, 3), atol=1e-5)
    alone = items[:1, 5:]
    assert torch.allclose(state[:1], model.resume(model.hidden(alone, 3).activations, alone, 3), atol=1e-5)


@torch.inference_mode()
def test_no_position_sees_the_future(model, items):
    other = items.clone()
    other[:, -1] = other[:, -1] % 50 + 1
    assert torch.allclose(model(items)[:, :-1], model(other)[:, :-1], atol=1e-6)
    assert not torch.allclose(model(items)[:, -1], model(other)[:, -1], atol=1e-3)


@torch.inference_mode()
@pytest.mark.parametrize("layer", [0, 1, 2, 3])
def test_resume_goes_on_where_hidden_stopped(model, items, layer):
    whole = model.resume(model.hidden(items, 3).activations, items, 3)
    assert torch.equal(model.resume(model.hidden(items, layer).activations, items, layer), whole)
    halfway = model.resume(model.hidden(items, 0).activations, items, 0, stop=layer)
    assert torch.equal(halfway, model.hidden(items, layer).activations)


@torch.inference_mode()
@pytest.mark.parametrize("layer", [0, 1, 2, 3])
def test_resume_last_equals_a_full_resume_of_each_variant(model, items, layer):
    x = model.hidden(items, layer).activations
    variants = x[:, -1:] + torch.randn(4, 5, 16, generator=torch.Generator().manual_seed(2))
    fast = model.resume_last(x, variants, items, layer)
    for i in range(5):
        edited = x.clone()
        edited[:, -1] = variants[:, i]
        assert torch.allclose(fast[:, i], model.resume(edited, items, layer), atol=1e-5)


@torch.inference_mode()
def test_scores_never_offer_padding(model, items):
    scores = model.scores(model.resume(model.hidden(items, 3).activations, items, 3))
    assert scores.shape == (4, 51)
    assert scores[:, 0].isneginf().all() and scores[:, 1:].isfinite().all()


def test_dropout_keeps_the_mean_and_sleeps_in_evaluation():
    torch.manual_seed(0)
    drop, x = Dropout(0.3), torch.ones(1001, 333)
    out = drop(x)
    kept = (out > 0).float().mean().item()
    assert kept == pytest.approx(1 - 77 / 256, abs=0.005) and out.mean().item() == pytest.approx(1, abs=0.005)
    assert out.unique().tolist() == pytest.approx([0, 256 / 179])
    assert torch.equal(drop.eval()(x), x) and torch.equal(Dropout(0.0)(x), x)
