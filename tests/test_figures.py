"""Figures show what they are given, and text from data stays text."""

import numpy as np
import pandas as pd

from seqsae_core.figures import contest, latents, recommender


def test_the_comparison_draws_intervals_and_leaves_out_what_is_null():
    kinds = {
        "latents": {contest.SAME: 0.2, "ci95": [0.1, 0.3], contest.NEW: 0.1, "ci95_new_items": [0.0, 0.2]},
        "probe": {contest.SAME: 0.4, "ci95": None, contest.NEW: None},
    }
    figure = contest.comparison(kinds | {"seeds": 1, "kinds": ["latents"]})
    assert len(figure.data) == 3
    latents = [t for t in figure.data if t.y == ("Latents",)]
    np.testing.assert_allclose([t.error_x.array[0] for t in latents], 0.1)


def test_enrichment_leaves_out_what_has_no_logarithm():
    table = pd.DataFrame({"concept": ["a", "b"], "lift": [0.0, 2.0], "low": [0.0, 1.5], "high": [0.0, 2.5],
                          "share_firing": [0.0, 0.2], "share_base": [0.1, 0.1]})  # fmt: skip
    assert latents.enrichment(table).data[0].y == ("b",)


def test_a_training_is_drawn_as_far_as_it_is_logged():
    whole = {"pass": 1, "loss": 6.5, "ndcg@10": 0.1, "losses": [[0.5, 7.0], [1.0, 6.0]]}
    half = {"pass": 2, "losses": [[1.5, 5.0]]}
    loss, score = recommender.training([whole, half]).data
    assert (loss.x, loss.y) == ((0.5, 1.0, 1.5), (7.0, 6.0, 5.0))
    assert (score.x, score.y) == ((1.0,), (0.1,))
    assert recommender.training([half]).data[1].x == ()


def test_a_log_of_losses_by_pass_alone_is_drawn_too():
    loss, score = recommender.training([{"pass": n, "loss": 7.0 - n, "ndcg@10": n / 10} for n in (1, 2)]).data
    assert (loss.x, loss.y) == ((1, 2), (6.0, 5.0))
    assert (score.x, score.y) == ((1, 2), (0.1, 0.2))
