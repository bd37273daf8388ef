"""The map on the latents' page: layouts, neurons, colours."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from seqsae_core.figures.latent_map import FIXED, LOOKS, latent_map
from seqsae_core.study import Study, write_tables
from tests.pages import synthetic

TABLE = "dictionaries/{}/map/map.parquet"


def points(**columns) -> pd.DataFrame:
    table = {"feature": [0, 1, 2], "x": [0.0, 1, 2], "y": [0.0, 1, 2], "title": ["a", "<i>b</i>", "c"]}
    return pd.DataFrame(table | columns)


def drawn(page) -> dict:
    """The traces of a page's map by their names."""
    (chart,) = page.get("plotly_chart")
    return {trace["name"]: trace for trace in json.loads(chart.proto.spec)["data"]}


def numbers(trace: dict, key: str) -> np.ndarray:
    """A trace's coordinates; plotly may write them as base 64."""
    values = trace[key]
    if isinstance(values, dict):
        import base64

        return np.frombuffer(base64.b64decode(values["bdata"]), values["dtype"])
    return np.array(values)


def placed(folder: Path, layout: str, kind: str = "latents") -> pd.DataFrame:
    table = Study.open(folder).map()
    return table[(table["layout"] == layout) & (table["kind"] == kind)]


def test_a_map_by_group_has_a_trace_a_group_and_names_the_rest():
    figure = latent_map(points(top_group=["genre", "", "decade"]), "top_group", "Group")
    assert {t.name for t in figure.data} == {"genre", "decade", "no significant concept"}
    assert sum(len(t.x) for t in figure.data) == 3


def test_a_map_by_figure_keeps_every_point_even_without_a_value():
    unknown, known = latent_map(points(effect=[1.0, np.nan, 3.0]), "effect", "Effect").data
    assert tuple(unknown.text) == ("&lt;i&gt;b&lt;/i&gt;",) and unknown.name == "without a value"
    assert known.marker.showscale is not False and known.marker.colorbar.title.text == "Effect"
    assert tuple(known.text) == ("a<br>Effect: 1", "c<br>Effect: 3")


@pytest.mark.parametrize("values", [[], [np.nan] * 3, [2.0] * 3, pd.array([0.5, None, 0.7], "Float64")], ids=str)
def test_a_map_by_few_or_equal_figures(values):
    table = points().iloc[: len(values)].assign(score=values)
    figure = latent_map(table, "score", "Score", logarithmic=True)
    assert sum(len(t.x) for t in figure.data) == len(values)


def test_a_logarithmic_bar_is_labelled_with_the_figures_themselves():
    bar = latent_map(points(density=[0.001, 0.01, 0.1]), "density", "Density", logarithmic=True).data[0].marker
    ticks = dict(zip(bar.colorbar.ticktext, bar.colorbar.tickvals, strict=True))
    assert ticks["0.01"] == pytest.approx(-2) and list(bar.color) == pytest.approx([-3, -2, -1])
    assert latent_map(points(n=[0, 1, 2]), "n", "N", logarithmic=True).data[0].marker.colorbar.tickvals is None


def test_the_ten_most_frequent_values_look_different_and_the_rest_is_others():
    values = [f"v{i}" for i in range(14) for _ in range(20 - i)] + ["mixed"] * 30
    table = pd.DataFrame({"feature": range(len(values)), "x": 0.0, "y": 0.0, "title": "t", "top": values})
    traces = {t.name: t for t in latent_map(table, "top", "Top").data}
    assert set(traces) == {f"v{i}" for i in range(10)} | {"others", "mixed"}
    assert len({(t.marker.color, t.marker.symbol) for t in traces.values()}) == 12
    assert len(traces["others"].x) == 10 + 9 + 8 + 7


def test_groups_keep_their_looks_beside_groups_of_other_data():
    groups = ["tags"] * 9 + ["popularity"] * 3 + ["decade"]
    table = pd.DataFrame({"feature": range(13), "x": 0.0, "y": 0.0, "title": "t", "top_group": groups})
    looks = {t.name: (t.marker.color, t.marker.symbol) for t in latent_map(table, "top_group", "Group").data}
    assert looks["popularity"] == FIXED["popularity"] and looks["decade"] == FIXED["decade"]
    assert looks["tags"] in LOOKS and len(set(looks.values())) == 3


def test_neurons_are_drawn_behind_and_are_no_latents_to_open():
    neurons, latents = latent_map(points(effect=[1.0, 2, 3]), "effect", "Effect", neurons=points()).data
    assert neurons.name == "Neurons" and neurons.customdata is None and latents.customdata.tolist() == [0, 1, 2]


def test_the_map_begins_with_directions_and_neurons_that_can_be_hidden(open_page, invented):
    page = open_page("latents", invented)
    assert len(numbers(drawn(page)["Neurons"], "x")) == 64
    assert "Diamonds are the neurons" in page.caption[-1].value
    page.toggle[0].set_value(False).run()
    assert "Neurons" not in drawn(page)
    shown = np.sort(np.concatenate([numbers(t, "x") for t in drawn(page).values()]))
    np.testing.assert_allclose(shown, np.sort(placed(invented, "directions")["x"]))


def test_the_other_layout_has_the_same_latents_elsewhere_and_no_neurons(open_page, invented):
    page = open_page("latents", invented)
    page.button_group(key="layout").set_value("coactivation").run()
    assert not page.exception and page.toggle[0].disabled
    shown = np.sort(np.concatenate([numbers(t, "x") for t in drawn(page).values()]))
    np.testing.assert_allclose(shown, np.sort(placed(invented, "coactivation")["x"]))
    assert "co-activation" in page.caption[-1].value


def test_every_column_offered_colours_the_map(open_page, invented):
    page = open_page("latents", invented)
    assert {"Concept group", "Region", "Density", "Monosemanticity", "Name confidence", "Steering effect"} <= set(
        page.selectbox(key="colour").options
    )
    for label in page.selectbox(key="colour").options:
        page.selectbox(key="colour").select(label).run()
        assert not page.exception, label
        assert sum(len(numbers(t, "x")) for n, t in drawn(page).items() if n != "Neurons") == len(
            placed(invented, "directions")
        )


def test_regions_are_those_of_the_layout_shown(open_page, invented):
    page = open_page("latents", invented)
    page.selectbox(key="colour").select("Region").run()
    sizes = placed(invented, "directions")["cluster_name"].value_counts()
    assert {n: len(numbers(t, "x")) for n, t in drawn(page).items() if n != "Neurons"} == sizes.to_dict()


def test_stability_is_a_colour_once_it_is_measured(open_page, tmp_path):
    folder = synthetic.make(tmp_path / "retrained")
    assert "Stability" not in open_page("latents", folder).selectbox(key="colour").options
    synthetic.retrain(folder)
    page = open_page("latents", folder)
    page.selectbox(key="colour").select("Stability").run()
    assert not page.exception


def test_a_search_leaves_its_latents_on_the_map(open_page, invented):
    page = open_page("latents", invented, search="7")
    traces = drawn(page)
    assert [len(numbers(t, "x")) for n, t in traces.items() if n != "Neurons"] == [1]
    page = open_page("latents", invented)
    page.button_group[0].set_value("dead").run()
    assert set(drawn(page)) == {"Neurons"}


@pytest.mark.parametrize("lost", [["layout", "kind"], ["cluster_name"], []], ids=str)
def test_a_map_of_an_earlier_version_is_shown(open_page, tmp_path, lost):
    folder = synthetic.make(tmp_path / "older")
    path = folder / TABLE.format(synthetic.DICTIONARY)
    table = placed(folder, "directions") if "kind" in lost else Study.open(folder).map()
    write_tables(path.parent, {"map": table.drop(columns=lost)})
    page = open_page("latents", folder)
    assert ("Neurons" in drawn(page)) == ("kind" not in lost)
    assert ("Region" in page.selectbox(key="colour").options) == ("cluster_name" not in lost)
