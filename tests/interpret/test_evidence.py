"""The tables of a real tiny study: complete, finite, consistent with each other."""

import numpy as np
import pytest

from seqsae_core.study import Study


@pytest.fixture(scope="module")
def study(tiny_study) -> Study:
    return Study.open(tiny_study)


@pytest.mark.parametrize("kind", ["latents", "neurons", "pca", "random_directions"])
def test_every_kind_has_the_same_columns_and_no_nan(study, kind):
    table, latents = study.features(kind), study.features("latents")
    assert set(table) <= set(latents)
    numbers = table.select_dtypes("number").drop(columns="name_score", errors="ignore")
    assert np.isfinite(numbers.to_numpy(float)).all()
    assert (table["correlation_low"] <= table["correlation"] + 1e-9).all()
    assert (table["correlation"] <= table["correlation_high"] + 1e-9).all()


def test_examples_show_the_firing_item_where_they_say(study):
    sequences, split = study.sequences(), study.split()
    rows = study.examples(None, "latents", int(study.features().nlargest(1, "density")["feature"].iloc[0]))
    assert rows["quantile"].min() == 0 and len(rows) > 4
    for row in rows.itertuples():
        history = sequences.of(row.user)
        assert row.items[row.at] == history[row.event]
        assert row.activations[row.at] == pytest.approx(row.activation) and row.activation > 0
        assert row.event < split.context_end[row.user] and row.next_item == history[row.event + 1]
        start = row.event - row.at
        assert list(row.items) == list(history[start : start + len(row.items)])
    top = rows[rows["quantile"] == 0]
    assert top["activation"].is_monotonic_decreasing


def test_top_examples_show_different_items_where_there_are_enough(study):
    latents = study.features().query("alive").set_index("feature")
    for latent in latents.index[:20]:
        rows = study.examples(None, "latents", int(latent)).query("quantile == 0")
        shown = {row.items[row.at] for row in rows.itertuples()}
        assert len(shown) == min(len(rows), latents.loc[latent, "n_items"])
        assert len(set(zip(rows["user"], rows["event"], strict=True))) == len(rows)


def test_histogram_counts_every_firing_position(study):
    latents = study.features().set_index("feature")
    latents = latents[latents["density"] > 0]
    latent = int(latents["density"].idxmax())
    counts = study.histogram(None, latent)["count"].sum()
    other = int(latents["density"].idxmin())
    ratio = counts / study.histogram(None, other)["count"].sum()
    assert ratio == pytest.approx(latents.loc[latent, "density"] / latents.loc[other, "density"], rel=1e-6)


def test_best_table_and_summary_agree(study):
    best, summary = study.best(), study.evidence_summary()
    for kind in summary["kinds"]:
        rows = best[(best["kind"] == kind) & (best["group"] == "genre")]
        assert rows["r_score"].mean() == pytest.approx(summary[kind]["mean_max_correlation"])
        assert rows["r_new_items"].mean() == pytest.approx(summary[kind]["mean_max_correlation_new_items"])
    gap = summary["difference"]["latents_minus_neurons"]["same_items"]["mean"]
    both = [summary[k]["mean_max_correlation"] for k in ("latents", "neurons")]
    assert gap == pytest.approx(both[0] - both[1])


def test_map_places_every_live_latent_once_in_each_layout_and_every_neuron(study):
    table, live = study.map(), study.features().query("alive")["feature"]
    assert not table.duplicated(["layout", "kind", "feature"]).any() and np.isfinite(table[["x", "y"]].to_numpy()).all()
    found = {key: set(rows["feature"]) for key, rows in table.groupby(["layout", "kind"])}
    assert found["directions", "latents"] == found["coactivation", "latents"] == set(live)
    neurons = study.features("neurons")
    assert found["directions", "neurons"] == set(neurons["feature"]) and neurons["label"].iloc[0] == "Neuron 0 +"
