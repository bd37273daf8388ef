"""What the Concept page says of a measurement, in words and in numbers."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from seqsae_core.dashboard.concept import concept, concept_cover, concept_measured
from seqsae_core.figures import concept as concept_figures
from seqsae_core.interpret.cover import Cover, Path
from seqsae_core.steering.edits import Edit

SAME, NEW = np.array([0.5, 0.56, 0.6]), np.array([0.4, 0.41, 0.35])


def covered(new: np.ndarray | None = NEW) -> SimpleNamespace:
    path = Path(np.array([7, 3, 9]), np.array([[2.0, 2.0, 2.0], [0.0, 1.0, 1.0], [0.0, 0.0, -4.0]]), np.zeros(3))
    return SimpleNamespace(cover=Cover(path, np.array([1.0, 1.0, 0.25]), SAME, new))


def kinds(gap_low_new: list[float]) -> pd.DataFrame:
    names = ["latents", "neurons", "pca", "probe"][: len(gap_low_new)]
    return pd.DataFrame({
        "kind": names, "r": 0.3, "low": 0.2, "high": 0.4, "r_new": 0.1, "low_new": np.nan, "high_new": np.nan,
        "gap_low_new": gap_low_new,
    })  # fmt: skip


@pytest.mark.parametrize(
    ("low", "text"),
    [
        ([0, 0.1, -0.1, 0.0], "Not shown to be beaten on new items: PCA, Probe (ceiling)."),
        ([0, 0.1, 0.2], "Every rival is beaten on new items."),
        ([0, 0.1, np.nan], ""),
    ],
)
def test_rivals_that_are_not_beaten_are_named(low, text):
    assert concept.unbeaten(kinds(low)) == text


def test_each_step_says_what_it_adds():
    table = concept_cover.steps(covered(), ["a", "b", "c"])
    assert table["same_gain"].tolist() == pytest.approx([0.5, 0.06, 0.04])
    assert table["new_gain"].tolist() == pytest.approx([0.4, 0.01, -0.06])
    assert table["weight"].tolist() == pytest.approx([1.0, 0.5, -0.5])
    assert concept_cover.steps(covered(None), ["a", "b", "c"])["new"].isna().all()


def test_words_say_both_figures_or_that_there_is_but_one():
    assert "**0.410** (+0.010 on the first)" in concept_cover.what_is_added(covered(), 2)
    assert "On new items nothing can be said" in concept_cover.what_is_added(covered(None), 3)
    assert concept_cover.what_is_added(covered(), 1) == "One latent is all that this cover has."
    assert concept_measured.gain(None, 3) == "" and concept_measured.at(None, 3) is None


def test_edits_leave_out_latents_that_take_away_or_cannot_be_steered(monkeypatch):
    monkeypatch.setattr(concept_cover, "steerable", lambda opened: pd.DataFrame(index=[7, 9]))
    config = SimpleNamespace(steering=SimpleNamespace(max_strength=16.0))
    opened = SimpleNamespace(study=SimpleNamespace(config=config))
    assert concept_cover.edits_of(opened, covered(), 3) == (Edit(7, 2.0),)


def test_a_chart_without_new_items_has_one_curve_and_levels_of_the_same_items():
    alone = concept_figures.cover_steps(SAME, None, ["<b>", "b", "c"], kinds([0, 0, 0, 0])).data
    assert [trace.name for trace in alone] == ["Same items", "Neurons, same items", "Probe (ceiling), same items"]
    drawn = concept_figures.cover_steps(SAME, NEW, ["<b>", "b", "c"], kinds([0, 0, 0, 0])).data
    assert [trace.name for trace in drawn][:2] == ["Same items", "New items"]
    assert drawn[0].customdata[0] == "&lt;b&gt;"


def test_missing_bounds_are_drawn_without_bars():
    figure = concept_figures.best_of_kinds(kinds([0, 0, 0]))
    bars = {(trace.y[0], trace.xaxis): trace.error_x.array for trace in figure.data}
    assert bars["Latents", "x"] == pytest.approx([0.1]) and bars["Latents", "x2"] is None
