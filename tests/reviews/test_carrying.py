"""A dictionary that was trained again gets the reviews of directions that match, and no others."""

import numpy as np
import pytest

from seqsae_core.reviews import carrying
from seqsae_core.reviews.events import Event
from seqsae_core.reviews.weights import Weights

OLD = "f" * 16


def unit(rng: np.random.Generator, n: int, width: int) -> np.ndarray:
    """Random directions."""
    rows = rng.normal(size=(n, width))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def turned(row: np.ndarray, cosine: float, rng: np.random.Generator) -> np.ndarray:
    """A direction at this cosine with another."""
    other = rng.normal(size=len(row))
    other -= other @ row * row
    return (cosine * row + np.sqrt(1 - cosine**2) * other / np.linalg.norm(other)).astype(np.float32)


@pytest.fixture
def rebuilt(reviews):
    """Four reviewed latents, and a new dictionary that has three of them in another order: turned to cosines .99, .901
    and .89; the fourth is gone."""
    rng = np.random.default_rng(0)
    old, new = unit(rng, 10, 64), unit(rng, 10, 64)
    for place, (latent, cosine) in zip((7, 0, 3), ((1, 0.99), (2, 0.901), (3, 0.89)), strict=True):
        new[place] = turned(old[latent], cosine, rng)
    for latent in (1, 2, 3, 4):
        event = Event("Ada", OLD, latent, "verdict", "rename", name=f"name {latent}", note="why", confidence=2)
        reviews.record(event, directions={latent: old[latent]})
    return reviews, Weights("0" * 16, new)


def test_only_matching_directions_are_carried_and_marked(rebuilt):
    reviews, weights = rebuilt
    assert carrying.settle_in(reviews, weights, "layer1") == 2
    outcomes = reviews.outcomes(weights.fingerprint)
    assert dict(zip(outcomes["latent"], outcomes["name"], strict=True)) == {7: "name 1", 0: "name 2"}
    assert outcomes.loc[[7, 0], "cosine"].tolist() == pytest.approx([0.99, 0.901], abs=1e-5)
    copy = next(e for e in reviews.events(weights.fingerprint) if e.latent == 7)
    original = next(e for e in reviews.events(OLD) if e.latent == 1)
    assert (copy.at, copy.reviewer, copy.note, copy.target) == (original.at, "Ada", "why", original.uid)


def test_the_rest_stays_in_the_archive(rebuilt):
    reviews, weights = rebuilt
    carrying.settle_in(reviews, weights, "layer1")
    assert [e.latent for e in carrying.archive(reviews, [weights.fingerprint])] == [3, 4]
    assert carrying.archive(reviews, [weights.fingerprint, OLD]) == []


def test_a_second_time_and_another_dictionary_carry_nothing(rebuilt):
    reviews, weights = rebuilt
    carrying.settle_in(reviews, weights, "layer1")
    count = len(reviews.events())
    assert carrying.settle_in(reviews, weights, "layer1") == 0
    assert carrying.settle_in(reviews, Weights("2" * 16, weights.decoder), "layer2") == 0
    assert len(reviews.events()) == count


def test_undone_and_replaced_verdicts_are_not_carried_and_settlements_are(rebuilt):
    reviews, weights = rebuilt
    reviews.record(Event("Bob", OLD, 1, "verdict", "reject"))
    reviews.record(Event("Eve", OLD, 1, "settlement", "rename", name="settled"))
    reviews.record(Event("Ada", OLD, 2, "verdict", "reject"))
    reviews.undo("Ada", OLD)
    reviews.record(Event("Ada", OLD, 2, "verdict", "unsure"))
    carrying.settle_in(reviews, weights, "layer1")
    outcomes = reviews.outcomes(weights.fingerprint)
    assert outcomes.loc[7, ["status", "name", "who"]].tolist() == ["accepted", "settled", "Eve"]
    assert outcomes.loc[0, "status"] == "unsure"


def test_one_new_direction_takes_one_old_one_alone():
    rng = np.random.default_rng(1)
    base = unit(rng, 1, 32)[0]
    new = unit(rng, 5, 32)
    new[2] = base
    old = {10: turned(base, 0.95, rng), 11: turned(base, 0.97, rng)}
    found = carrying.matches(old, new)
    assert list(found) == [11] and found[11][0] == 2
    assert carrying.matches({1: np.ones(16, np.float32)}, new) == {}
    assert carrying.matches({}, new) == {}


def test_the_fingerprint_is_the_one_that_edits_name(tiny_study):
    from seqsae_core.sae.interchange import fingerprint
    from seqsae_core.study import Study

    study = Study.open(tiny_study)
    weights, sae = Weights.of(study), study.sae()
    assert weights.fingerprint == fingerprint(sae)
    assert np.array_equal(weights.decoder, sae.W_dec.numpy())
