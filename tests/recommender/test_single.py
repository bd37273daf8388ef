"""One history without a batch against the model it was taken from."""

import pytest
import torch

from seqsae_core.recommender.single import PlainHistory, SingleHistory, one_history
from seqsae_core.recommender.transformer import ARCHITECTURES, Transformer

LENGTHS = [1, 2, 7, 12]


def random_model(architecture: str, seed: int = 0, blocks: int = 3) -> Transformer:
    """In double precision, so that only another formula can make a difference."""
    torch.manual_seed(seed)
    model = ARCHITECTURES[architecture](50, 16, blocks, 2, 12, dropout=0.5).double().eval()
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return model


def history(length: int) -> torch.Tensor:
    return torch.randint(1, 51, (length,), generator=torch.Generator().manual_seed(length))


@torch.inference_mode()
def whole(model: Transformer, items: torch.Tensor) -> torch.Tensor:
    hidden = model.hidden(items[None], model.n_layers)
    return model.scores(model.resume(hidden.activations, hidden.item_at, model.n_layers))


@torch.inference_mode()
def single(model: Transformer, items: torch.Tensor) -> torch.Tensor:
    return SingleHistory(model).scores(items)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("blocks", [1, 3])
@pytest.mark.parametrize("length", LENGTHS)
def test_scores_are_the_models(architecture, blocks, length):
    model = random_model(architecture, blocks=blocks)
    found, expected = single(model, history(length)), whole(model, history(length))
    assert found.shape == (1, 51) and found[0, 0].isneginf()
    assert torch.allclose(found, expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("layer", range(5))
@torch.inference_mode()
def test_from_any_layer_on_it_is_the_model(architecture, layer):
    model, items = random_model(architecture), history(7)
    found, expected = SingleHistory(model).hidden(items, layer), model.hidden(items[None], layer)
    for one, other in zip(found, expected, strict=True):
        assert torch.allclose(one, other, rtol=0, atol=1e-10) if one.is_floating_point() else torch.equal(one, other)
    moved = found.activations + torch.linspace(-1, 1, 16, dtype=torch.float64)
    scores = model.scores(model.resume(moved, expected.item_at, layer))
    for one in (SingleHistory(model), PlainHistory(model)):
        assert torch.allclose(one.resume(moved, found.item_at, layer), scores, rtol=0, atol=1e-10)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_nothing_is_dropped_while_the_model_trains(architecture):
    model = random_model(architecture)
    expected = single(model, history(7))
    assert torch.equal(single(model.train(), history(7)), expected)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@torch.inference_mode()
def test_weights_loaded_later_are_followed(architecture):
    model, other = random_model(architecture), random_model(architecture, seed=1)
    follower = SingleHistory(model)
    before = follower.scores(history(7))
    model.load_state_dict(other.state_dict())
    after = follower.scores(history(7))
    assert not torch.allclose(before, after, atol=0.01) and torch.equal(after, single(other, history(7)))


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_our_own_models_take_the_quick_way_and_others_the_plain_one(architecture, bare):
    model = random_model(architecture)
    assert isinstance(one_history(model), SingleHistory)
    other = one_history(bare(model))
    assert isinstance(other, PlainHistory) and (other.n_items, other.max_length) == (50, 12)
    with torch.inference_mode():
        assert torch.equal(other.scores(history(7)), whole(model, history(7)))
