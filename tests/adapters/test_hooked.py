"""Any module behind the protocol: against our own models, whose protocol does not need hooks."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from seqsae_core.adapters.hooked import Hooked
from seqsae_core.data.sequences import windows
from seqsae_core.errors import UserError

LAYERS = ["drop", "blocks.0", "blocks.1", "norm"]
LONG = 15


def plain(model, items):
    return model.scores(model(items)[:, -1])


def padded(model, items):
    """A module that pads by itself, on the left."""
    return plain(model, F.pad(items, (12 - items.shape[1], 0)))


@pytest.fixture(params=[plain, padded])
def hooked(toy_model, request) -> Hooked:
    tokens = toy_model.mask_tokens
    sizes = {"n_items": toy_model.n_items, "width": toy_model.width, "max_length": toy_model.max_length}
    made = Hooked(toy_model, request.param, **sizes, layers=LAYERS, mask_tokens=tokens)
    with torch.no_grad():
        toy_model.bias[0] = 0.0
    made.measure()
    return made


@pytest.fixture
def items(toy_sequences) -> torch.Tensor:
    users = range(20)
    return torch.from_numpy(windows(toy_sequences, list(users), toy_sequences.lengths[:20], 12))


def layers_of(hooked: Hooked):
    """Numbers of the layers: of ours the norm is the one after the last block, here it is the last that was named."""
    return range(hooked.n_layers + 2)


def theirs(model, layer: int) -> int:
    return min(layer, model.n_layers + 1)


@torch.inference_mode()
def test_layers_and_readout_are_those_of_the_model(hooked, toy_model, items):
    assert torch.allclose(hooked.item_vectors()[1:], toy_model.item_vectors()[1:], atol=1e-5)
    assert torch.allclose(hooked.item_bias()[1:], toy_model.item_bias()[1:], atol=1e-5)
    for layer in layers_of(hooked):
        found, expected = hooked.hidden(items, layer), toy_model.hidden(items, theirs(toy_model, layer))
        assert torch.equal(found.item_at, expected.item_at) and torch.equal(found.mask, expected.mask)
        assert torch.allclose(found.activations[found.mask], expected.activations[found.mask], atol=1e-5)
        assert found.predicts.sum(1).eq(1).all() and found.predicts[:, -1].all()


@torch.inference_mode()
def test_replaced_activations_go_on_as_in_the_model(hooked, toy_model, items):
    for layer in layers_of(hooked):
        own = theirs(toy_model, layer)
        hidden = hooked.hidden(items, layer)
        moved = hidden.activations + torch.randn(hidden.activations.shape) * hidden.mask[..., None]
        found = hooked.resume(moved, hidden.item_at, layer)
        assert torch.allclose(found, toy_model.resume(moved, hidden.item_at, own), atol=1e-4)
        scores = toy_model.scores(toy_model.resume(moved, hidden.item_at, own))
        assert torch.allclose(hooked.scores(found)[:, 1:], scores[:, 1:], atol=1e-4)
        last = moved[:, -1:] + torch.randn(len(items), 300, hooked.width)
        variants = hooked.resume_last(moved, last, hidden.item_at, layer)
        assert torch.allclose(variants, toy_model.resume_last(moved, last, hidden.item_at, own), atol=1e-4)
        states = hooked.states(moved, hidden.item_at, layer)
        assert torch.equal(states[:, -1], found)


@torch.inference_mode()
def test_what_is_put_back_unchanged_changes_no_bit(hooked, items):
    whole = hooked.hidden(items, hooked.n_layers).activations[:, -1]
    for layer in layers_of(hooked):
        hidden = hooked.hidden(items, layer)
        assert torch.equal(hooked.resume(hidden.activations, hidden.item_at, layer), whole)


def test_gradients_reach_a_displacement(hooked, items):
    hidden = hooked.hidden(items, 1)
    moved = torch.zeros(hooked.width, requires_grad=True)
    hooked.resume(hidden.activations + moved, hidden.item_at, 1).sum().backward()
    assert moved.grad.abs().sum() > 0


class RightPadded(nn.Module):
    """A recurrent network that pads to LONG on the right and scores the last real position."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.items, self.rnn = nn.Embedding(31, 8), nn.GRU(8, 8, batch_first=True)

    def forward(self, items: torch.Tensor) -> torch.Tensor:
        states, _ = self.rnn(self.items(F.pad(items, (0, LONG - items.shape[1]))))
        return states[:, items.shape[1] - 1] @ self.items.weight.T


def score(module: nn.Module, items: torch.Tensor) -> torch.Tensor:
    return module(items)


@torch.inference_mode()
def test_a_module_that_pads_on_the_right():
    module = RightPadded()
    hooked = Hooked(module, score, 30, 8, LONG, ["items", "rnn"], padding="right")
    hooked.measure()
    items = torch.randint(1, 31, (5, 7))
    padded = F.pad(items, (3, 0))
    hidden = hooked.hidden(padded, 0)
    assert torch.equal(hidden.activations[:, 3:], module.items(items))
    found = hooked.scores(hooked.resume(hidden.activations, hidden.item_at, 0))
    assert torch.allclose(found[:, 1:], module(items)[:, 1:], atol=1e-6)
    other = hooked.resume(hidden.activations.flip(1), hidden.item_at.flip(1).flip(1), 0)
    assert not torch.allclose(hooked.scores(other)[:, 1:], found[:, 1:], atol=1e-3)


@pytest.mark.parametrize(("layers", "told"), [(["items", "x"], "has no module “x”. It has: items, rnn"),
                                              (["twice.0", "twice"], "ran 2 times")])  # fmt: skip
def test_layers_that_cannot_be_read_are_refused(layers, told):
    module = RightPadded()
    module.twice = nn.Sequential(nn.Identity())

    def twice(module: nn.Module, items: torch.Tensor) -> torch.Tensor:
        module.twice(module.twice(module.items(items)))
        return module(items)

    hooked = Hooked(module, twice, 30, 8, LONG, layers, padding="right")
    with pytest.raises(UserError, match=told):
        hooked.hidden(torch.ones(1, 3, dtype=torch.int64), 1)
