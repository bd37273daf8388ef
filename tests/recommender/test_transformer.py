"""The model protocol, for both architectures: padding, exact resumption from every layer, who sees whom."""

import pytest
import torch

from seqsae_core.recommender.block import Dropout
from seqsae_core.recommender.transformer import ARCHITECTURES, BERT4Rec, SASRec, Transformer


@pytest.fixture(scope="module", params=ARCHITECTURES)
def model(request) -> Transformer:
    return random_model(ARCHITECTURES[request.param])


def random_model(architecture: type[Transformer]) -> Transformer:
    torch.manual_seed(0)
    model = architecture(n_items=50, width=16, blocks=3, heads=2, max_length=12).eval()
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return model


@pytest.fixture
def items() -> torch.Tensor:
    items = torch.randint(1, 51, (4, 8), generator=torch.Generator().manual_seed(1))
    items[0, :5] = 0
    items[1, :7] = 0
    return items


def state(model: Transformer, items: torch.Tensor) -> torch.Tensor:
    hidden = model.hidden(items, model.n_layers)
    return model.resume(hidden.activations, hidden.item_at, model.n_layers)


@torch.inference_mode()
def test_padding_changes_nothing(model, items):
    wide = torch.nn.functional.pad(items, (3, 0))
    assert torch.allclose(state(model, items), state(model, wide), atol=1e-5)
    assert torch.allclose(state(model, items)[:1], state(model, items[:1, 5:]), atol=1e-5)


@torch.inference_mode()
def test_histories_without_padding_need_no_mask(model, items):
    assert (items[2:] > 0).all()
    alone, beside_padding = model.hidden(items[2:], 3).activations, model.hidden(items, 3).activations[2:]
    assert torch.allclose(alone, beside_padding, atol=1e-5)


@torch.inference_mode()
def test_only_sasrec_hides_the_future(items):
    other = items.clone()
    other[:, -1] = other[:, -1] % 50 + 1
    for architecture, hides in ((SASRec, True), (BERT4Rec, False)):
        model = random_model(architecture)
        one, two = (model.hidden(x, 3).activations[2:, :7] for x in (items, other))
        assert torch.allclose(one, two, atol=1e-6) == hides
        assert not torch.allclose(state(model, items), state(model, other), atol=1e-3)


@torch.inference_mode()
def test_bert4rec_asks_its_mask_token_and_sasrec_its_last_item(items):
    one, two = (random_model(cls).hidden(items, 1) for cls in (SASRec, BERT4Rec))
    assert torch.equal(one.item_at, items) and torch.equal(one.predicts, items > 0) and torch.equal(one.mask, items > 0)
    assert torch.equal(two.item_at[:, :-1], items) and (two.item_at[:, -1] == 0).all()
    assert torch.equal(two.mask[:, :-1], items > 0) and two.mask[:, -1].all()
    assert two.predicts.sum() == len(items) and two.predicts[:, -1].all()


def test_training_pairs_are_what_inference_scores(items):
    """The pair of the last event comes from the same state that ranks it after the history."""
    events = torch.cat([items, torch.full((4, 1), 7)], dim=1)
    causal, cloze = random_model(SASRec), random_model(BERT4Rec)
    states, targets = causal.training_pairs(events)
    ends = (events[:, :-1] > 0).sum(1).cumsum(0) - 1
    assert (targets[ends] == 7).all() and torch.allclose(states[ends], state(causal, items), atol=1e-5)
    states, targets = cloze.training_pairs(events)
    assert targets.tolist() == [7] * 4 and torch.allclose(states, state(cloze, items), atol=1e-5)


def test_cloze_hides_what_it_asks_for(items):
    model = random_model(BERT4Rec)
    events = torch.cat([items, torch.full((4, 1), 7)], dim=1)
    torch.manual_seed(1)
    states, targets = model.training_pairs(events, 0.2)
    assert (targets > 0).all() and 4 <= len(targets) < (events > 0).sum()
    with torch.no_grad():
        model.items.weight[7] += 1.0
    torch.manual_seed(1)
    again, _ = model.training_pairs(events, 0.2)
    assert torch.equal(states[targets == 7], again[targets == 7])


@torch.inference_mode()
@pytest.mark.parametrize("layer", [0, 1, 2, 3, 4])
def test_resume_goes_on_where_hidden_stopped(model, items, layer):
    at = model.hidden(items, layer)
    assert torch.equal(model.resume(at.activations, at.item_at, layer), state(model, items))
    halfway = model.resume(model.hidden(items, 0).activations, at.item_at, 0, stop=layer)
    assert torch.equal(halfway, at.activations)


@torch.inference_mode()
def test_the_layer_after_the_last_block_is_what_is_scored(model, items):
    at = model.hidden(items, model.n_layers + 1)
    before = model.hidden(items, model.n_layers).activations
    assert torch.equal(at.activations, model.norm(before))
    assert torch.equal(model.states(at.activations, at.item_at, model.n_layers + 1), at.activations)


@pytest.mark.parametrize("layer", [0, 1, 2, 3, 4])
def test_resume_last_equals_a_full_resume_of_each_variant(model, items, layer):
    x, _, item_at, _ = model.hidden(items, layer)
    variants = x[:, -1:] + torch.randn(4, 5, 16, generator=torch.Generator().manual_seed(2))
    fast = model.resume_last(x, variants, item_at, layer)
    for i in range(5):
        edited = x.clone()
        edited[:, -1] = variants[:, i]
        assert torch.allclose(fast[:, i], model.resume(edited, item_at, layer), atol=1e-5)


@torch.inference_mode()
def test_scores_never_offer_padding(model, items):
    scores = model.scores(state(model, items))
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
