"""Which latents fire where: against the dictionary's codes of the model's activations, position by position."""

import numpy as np
import pandas as pd
import pytest
import torch

from seqsae_core.data.sequences import make_split
from seqsae_core.errors import UserError
from seqsae_core.steering import firing
from seqsae_core.steering.steerer import Steerer


@pytest.fixture
def split(toy_sequences):
    return make_split(toy_sequences, "leave-one-out")


@pytest.fixture
def toy_steerer(toy_model, sae, units) -> Steerer:
    return Steerer(toy_model, sae, 1, units)


def codes(steerer: Steerer, history: list[int]) -> np.ndarray:
    """Dense codes (items read, latents) by a full pass."""
    read = history[-steerer.model.max_length :]
    hidden = steerer.model.hidden(torch.tensor([read]), steerer.layer)
    with torch.inference_mode():
        dense = steerer.sae.encode(hidden.activations[0]).numpy()
    return dense[: len(read)]


def test_every_firing_of_a_history_is_told_with_its_place(steerer, histories):
    for history in histories:
        table, dense = firing.in_history(steerer, history), codes(steerer, history)
        before = len(history) - len(dense)
        assert len(table) == (dense > 0).sum()
        told = dense[table["place"] - before - 1, table["latent"]]
        assert table["activation"].to_numpy() == pytest.approx(told)
        assert [history[place - 1] for place in table["place"]] == table["item"].tolist()


def test_the_strongest_have_the_largest_sums_and_ties_go_to_the_lower_number():
    table = pd.DataFrame({"latent": [1, 1, 5, 3, 9], "activation": [1.0, 1.0, 2.0, 0.5, 2.5]})
    assert firing.strongest(table, 3) == [9, 1, 5]


def test_on_an_item_means_are_over_first_readings_within_the_context(toy_steerer, toy_sequences, split):
    users, item = np.arange(len(toy_sequences)), 1
    rows = []
    for user in users:
        context = toy_sequences.of(user)[: split.context_end[user]].tolist()
        if item in context:
            rows.append(codes(toy_steerer, context[: context.index(item) + 1])[-1])
    table, count = firing.on_item(toy_steerer, toy_sequences, split, users, item)
    assert count == len(rows) > 3
    expected = np.mean(rows, 0)[table["latent"]]
    assert table["mean"].to_numpy() == pytest.approx(expected, abs=1e-5)
    assert table["share"].to_numpy() == pytest.approx((np.array(rows) > 0).mean(0)[table["latent"]])
    assert table["alone"].to_numpy() == pytest.approx(codes(toy_steerer, [item])[0][table["latent"]], abs=1e-5)
    assert table["mean"].is_monotonic_decreasing


def test_an_item_that_none_of_the_users_read_has_what_it_fires_alone(toy_steerer, toy_sequences, split):
    table, count = firing.on_item(toy_steerer, toy_sequences, split, np.array([], int), 2)
    assert count == 0 and table["mean"].isna().all() and (table["alone"] > 0).all() and len(table)


def test_an_unknown_item_is_refused(toy_steerer, toy_sequences, split):
    with pytest.raises(UserError, match="no item 99999"):
        firing.on_item(toy_steerer, toy_sequences, split, np.arange(3), 99999)
