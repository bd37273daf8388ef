"""Who is ahead of whom, and what suppression costs, on curves whose answer is known."""

import numpy as np
import pytest

from seqsae_core.steering.summary import Steered, summarise, suppression


def steered(method: str, lift: float, spread: float, change: float = 0.0, concept: str = "A") -> Steered:
    """One strength of that lift, free, drawn 100 times within ± spread."""
    drawn = lift + np.concatenate([[0.0], np.linspace(-spread, spread, 100)])
    lifts = np.stack([np.ones(101), drawn], axis=1)
    changes = np.stack([np.zeros(101), np.full(101, change)], axis=1)
    splits = ("validation", "test")
    return Steered(method, concept, dict.fromkeys(splits, lifts), dict.fromkeys(splits, changes))


@pytest.mark.parametrize(("rival", "counts"), [
    (steered("probe", 1.5, 0.1), (1, 0, 0, 1)),
    (steered("probe", 1.9, 0.3), (0, 1, 0, 1)),
    (steered("probe", 2.1, 0.3), (0, 1, 0, 0)),
    (steered("probe", 3.0, 0.1), (0, 0, 1, 0)),
])  # fmt: skip
def test_overlapping_intervals_are_a_tie(rival, counts):
    against = summarise([steered("latents", 2.0, 0.1), rival])["latents"]["against"]["probe"]
    assert tuple(against[name] for name in ("ahead", "tie", "behind", "at_least")) == counts


def test_the_area_of_a_concept_is_quoted_with_its_interval():
    found = summarise([steered("latents", 2.0, 0.1), steered("latents", 8.0, 0.1, concept="B")])["latents"]
    assert found["frontier_area"] == pytest.approx(4.0)
    assert found["by_concept"]["B"]["frontier_area"] == pytest.approx(8.0)
    low, high = found["by_concept"]["B"]["frontier_area_ci95"]
    assert 7.9 <= low < 8.0 < high <= 8.1


def test_suppression_is_compared_where_every_method_reaches_it():
    found = suppression([
        steered("latents", 0.05, 0.01, -0.06), steered("rerank", 0.08, 0.01, -0.04),
        steered("latents", 0.5, 0.1, -0.9, "B"), steered("rerank", 0.05, 0.01, -0.9, "B"),
    ])  # fmt: skip
    assert found["latents"]["of_rerank"] == pytest.approx(1.5)
    assert (found["latents"]["reached"], found["rerank"]["reached"], found["latents"]["compared"]) == (1, 2, 1)
    nothing = suppression([steered("latents", 0.5, 0.1), steered("rerank", 0.05, 0.01)])
    assert nothing["latents"]["of_rerank"] is None
