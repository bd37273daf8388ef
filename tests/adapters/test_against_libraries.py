"""Models of other libraries against the libraries themselves: equal scores, and the protocol's promises."""

import numpy as np
import pytest
import torch

from seqsae_core.adapters import loading
from seqsae_core.data.sequences import windows
from seqsae_core.errors import UserError

NAMES = {
    "rectools": ("sasrec", "sasrec-scaled", "sasrec-placeless", "bert4rec"),
    "recbole": ("sasrec", "gru4rec", "gru4rec-wide"),
    "gpt2": ("gpt2",),
}
CASES = [(library, name) for library, names in NAMES.items() for name in names]


@pytest.fixture(scope="module", params=CASES, ids="-".join)
def case(request, item_ids):
    """A converted model in the study's order of items, and the library's own scores of it."""
    library, name = request.param
    folder = request.getfixturevalue(library)
    return loading.load(folder / name, item_ids)[0], np.load(folder / f"{name}.npz")


def layers(model) -> range:
    """Those that can be read: a GRU4Rec's embeddings may be of another width than its states."""
    return range(int(getattr(model, "embedding", model.width) != model.width), model.n_layers + 2)


def histories(sequences, users, length: int) -> torch.Tensor:
    rows = np.searchsorted(sequences.users, users)
    return torch.from_numpy(windows(sequences, rows, sequences.lengths[rows], length))


@torch.inference_mode()
def test_scores_of_a_hundred_users_are_the_librarys_own(case, sequences, item_ids):
    model, theirs = case
    found = loading.scores(model, histories(sequences, theirs["users"], model.max_length))
    expected = torch.from_numpy(theirs["scores"])
    assert expected.shape == (100, model.n_items) and expected.std(1).min() > 0.05
    assert (item_ids == theirs["items"]).all()
    assert torch.allclose(found[:, 1:], expected, rtol=0, atol=1e-4)
    assert found[:, 0].isneginf().all()


@torch.inference_mode()
def test_going_on_from_any_layer_is_going_through(case, sequences):
    model, theirs = case
    items = histories(sequences, theirs["users"][:20], model.max_length)
    whole = model.hidden(items, model.n_layers + 1)
    assert whole.predicts[:, -1].all() and whole.activations.shape[1] == items.shape[1] + model.mask_tokens
    for layer in layers(model):
        hidden = model.hidden(items, layer)
        state = model.resume(hidden.activations, hidden.item_at, layer)
        states = model.states(hidden.activations, hidden.item_at, layer)
        assert torch.equal(state, whole.activations[:, -1])
        assert torch.equal(states[hidden.mask], whole.activations[hidden.mask])
        middle = model.resume(hidden.activations, hidden.item_at, layer, stop=model.n_layers)
        if layer <= model.n_layers:
            assert torch.equal(middle, model.hidden(items, model.n_layers).activations)


@torch.inference_mode()
def test_variants_of_the_last_position_are_those_of_all_positions(case, sequences):
    model, theirs = case
    items = histories(sequences, theirs["users"][:20], model.max_length)
    for layer in layers(model):
        hidden = model.hidden(items, layer)
        moves = torch.randn(20, 3, model.width, generator=torch.Generator().manual_seed(layer))
        last = hidden.activations[:, -1:] + moves
        found = model.resume_last(hidden.activations, last, hidden.item_at, layer)
        for n in range(3):
            moved = torch.cat([hidden.activations[:, :-1], last[:, n : n + 1]], dim=1)
            expected = model.resume(moved, hidden.item_at, layer)
            assert torch.allclose(found[:, n], expected, rtol=0, atol=1e-5)
            assert not torch.allclose(expected, model.resume(hidden.activations, hidden.item_at, layer), atol=0.01)


@torch.inference_mode()
def test_padding_and_batches_change_nothing(case, sequences):
    model, theirs = case
    items = histories(sequences, theirs["users"][:30], model.max_length)
    alone = torch.cat([loading.scores(model, row[None]) for row in items])
    assert torch.allclose(loading.scores(model, items), alone, rtol=0, atol=1e-5)


@pytest.mark.parametrize(("name", "told"), [("cosine", "cosine similarity"), ("padded", "use_key_padding_mask=False")])
def test_what_cannot_be_carried_over_is_refused(rectools, name, told):
    assert told in (rectools / f"{name}.txt").read_text() and not (rectools / name).exists()


def test_embeddings_of_another_width_cannot_be_read(recbole, item_ids):
    model = loading.load(recbole / "gru4rec-wide", item_ids)[0]
    with pytest.raises(UserError, match="width 12, its states 16, so layer 0 cannot be read"):
        model.hidden(torch.ones(1, 3, dtype=torch.int64), 0)


@pytest.mark.parametrize(("name", "told"), [("untied", "not tied to the embeddings"), ("scaled", "inverse_layer_idx")])
def test_gpt2_with_other_settings_is_refused(gpt2, name, told):
    assert told in (gpt2 / f"{name}.txt").read_text() and not (gpt2 / name).exists()


def test_another_model_of_recbole_is_refused(recbole):
    assert "NARM is neither SASRec nor GRU4Rec" in (recbole / "narm.txt").read_text()
