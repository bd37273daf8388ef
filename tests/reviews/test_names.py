"""Names, queue and the blind test: plain tables in, plain tables out."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import beta

from seqsae_core.reviews import names, preference, queue
from seqsae_core.reviews.events import Event

FINGERPRINT = "f" * 16


@pytest.fixture
def features() -> pd.DataFrame:
    """Six latents, the last one dead."""
    return pd.DataFrame(
        {
            "feature": range(6),
            "alive": [True] * 5 + [False],
            "name": ["Horror", "War", "unclear", "Drama", "Comedy", "unclear"],
            "name_evidence": "Because.",
            "name_score": pd.array([0.9, 0.6, None, 0.45, 0.8, None], "Float64"),
            "density": [0.01, 0.05, 0.02, 0.001, 0.03, 0.0],
        }
    ).set_index("feature", drop=False)


@pytest.fixture
def decided(reviews):
    """One latent of each status."""
    for who, latent, verdict, name in (
        ("Ada", 0, "confirm", ""), ("Ada", 1, "rename", "Vietnam War"), ("Ada", 2, "reject", ""),
        ("Ada", 3, "confirm", ""), ("Bob", 3, "reject", ""), ("Ada", 4, "unsure", ""),
    ):  # fmt: skip
        automatic = ["Horror", "War", "unclear", "Drama", "Comedy"][latent]
        event = Event(who, FINGERPRINT, latent, "verdict", verdict, name=name, automatic=automatic, confidence=3)
        reviews.record(event)
    return reviews.outcomes(FINGERPRINT)


def test_accepted_names_replace_automatic_ones_and_rejected_ones_say_so(features, decided):
    table = names.with_reviews(features, decided)
    assert table["name"].tolist() == ["Horror", "Vietnam War", "rejected", "Drama", "Comedy", "unclear"]
    assert table["name_automatic"].tolist() == features["name"].tolist()
    assert table["name_review"].tolist() == ["accepted", "accepted", "rejected", "disputed", "unsure", ""]
    assert "Named by Ada on 20" in table.at[1, "name_evidence"] and ", sure." in table.at[1, "name_evidence"]
    assert "“War”" in table.at[1, "name_evidence"] and "“" not in table.at[0, "name_evidence"]
    assert table["name_score"].isna().tolist() == [False, True, True, False, False, True]
    assert features["name"].iloc[1] == "War"


def test_reviews_of_latents_that_are_not_there_name_nothing(features, decided):
    assert names.with_reviews(features.loc[:1], decided)["name"].tolist() == ["Horror", "Vietnam War"]


def test_the_queue_leaves_out_dead_and_decided_latents_and_obeys_its_order(features, decided):
    def order(kind: str, done=()) -> list[int]:
        return queue.queue(features, decided, kind, done)

    assert order("Uncertain names") == [3, 2, 1, 4, 0]
    assert order("Traffic", done={4}) == [1, 2, 0, 3]
    assert order("Disagreement") == [3, 4, 1, 2, 0]
    assert sorted(order("Random")) == [0, 1, 2, 3, 4]
    assert order("Random") == order("Random")
    shuffles = {tuple(queue.queue(features, decided, "Random", (), seed)) for seed in range(20)}
    assert len(shuffles) > 5


def kind(n: int, rng: np.random.Generator) -> pd.DataFrame:
    """Features with one of three top concepts each."""
    concepts = rng.choice(["Horror", "War", "Drama"], n)
    columns = {"feature": range(n), "alive": True, "significant": rng.random(n) < 0.8, "top_concept": concepts}
    return pd.DataFrame(columns | {"correlation": rng.random(n) / 2})


def test_pairs_share_a_concept_are_equally_strong_and_used_once():
    rng = np.random.default_rng(0)
    latents, neurons = kind(300, rng), kind(100, rng)
    found = preference.pairs(latents, neurons, seed=1)
    assert len(found) > 20
    assert len({p.latent for p in found}) == len({p.neuron for p in found}) == len(found)
    for pair in found:
        rows = latents.loc[pair.latent], neurons.loc[pair.neuron]
        assert {row["top_concept"] for row in rows} == {pair.concept} and all(row["significant"] for row in rows)
        assert abs(rows[0]["correlation"] - rows[1]["correlation"]) <= preference.CLOSE
    assert abs(sum(p.left == "latent" for p in found) - len(found) / 2) <= 1
    assert found == preference.pairs(latents, neurons, seed=1)
    assert [p.left for p in found] != [p.left for p in preference.pairs(latents, neurons, seed=2)]


@pytest.mark.parametrize(("ours", "theirs"), [(1, 0), (0, 7), (20, 15), (40, 2)])
def test_the_interval_is_clopper_and_pearsons(ours, theirs):
    found = preference.preference(["latent"] * ours + ["neuron"] * theirs + ["tie"] * 3)
    low = beta.ppf(0.025, ours, theirs + 1) if ours else 0.0
    high = beta.ppf(0.975, ours + 1, theirs) if theirs else 1.0
    assert (found.low, found.high) == pytest.approx((low, high))
    assert (found.votes, found.latents, found.ties) == (ours + theirs, ours, 3)


def test_no_vote_shows_nothing():
    found = preference.preference(["tie"])
    assert (found.votes, found.low, found.high) == (0, 0.0, 1.0) and np.isnan(found.share)
