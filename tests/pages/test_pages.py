"""Every page of this part, on a tiny study built from real rows and on invented ones."""

import json
import subprocess
import sys

import pandas as pd
import pytest

from seqsae_core.dashboard.latents import strips
from seqsae_core.study import Study
from tests.pages import synthetic
from tests.pages.conftest import ROOT, said

PAGES = ("overview", "latents", "latent", "compare", "latents_vs_neurons", "dictionaries", "against", "studies")


@pytest.mark.parametrize("name", PAGES)
def test_a_page_shows_a_real_study_without_an_error(open_page, tiny_study, name):
    page = open_page(name, tiny_study)
    assert not page.error
    assert len(page.title) == 1


def test_no_page_imports_torch(invented):
    code = (
        "import os, sys; from streamlit.testing.v1 import AppTest;"
        f"os.environ.update(SEQSAE_STUDIES={str(invented.parent)!r}, SEQSAE_STUDY={invented.name!r});"
        f"pages = [AppTest.from_file(f'pages/{{n}}.py', default_timeout=180).run() for n in {PAGES}];"
        "assert not any(p.exception or p.error for p in pages); print('torch' in sys.modules)"
    )
    command = [sys.executable, "-W", "ignore", "-c", code]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split()[-1] == "False"


def test_overview_says_both_figures_and_that_an_interval_includes_zero(open_page, invented):
    text = said(open_page("overview", invented))
    assert "0.250" in text
    assert "0.180" in text
    assert "the interval includes 0, so neither is shown to be ahead" in text
    assert "latents are ahead" in text


def test_overview_has_one_primary_button_and_fidelity_tiles(open_page, invented):
    page = open_page("overview", invented)
    assert [b.label for b in page.button if b.proto.type == "primary"] == ["Steer a recommendation"]
    values = {metric.label: metric.value for metric in page.metric}
    assert values["Explained variance"] == "0.912"
    assert values["NDCG@10 change"] == "−3.4 %"
    assert values["Top-10 overlap (RBO)"] == "0.870"


def test_overview_says_where_the_dictionary_loses_information(open_page, invented):
    page = open_page("overview", invented)
    assert "Where it loses information" in [e.label for e in page.expander]
    text = said(page)
    assert "Rankings are worse for targets in decile 10 (−8.3 %)." in text
    assert "Too few targets are found in decile 1, 2 to say." in text
    assert "change most for targets in decile 2 (overlap 0.82), least in decile 10 (0.90)" in text
    figures = [json.loads(chart.proto.spec) for chart in page.get("plotly_chart")]
    (spliced,) = [t for f in figures for t in f["data"] if t.get("name") == "reconstruction in place"]
    assert spliced["x"] == list(range(2, 11))
    (bars,) = figures[-1]["data"]
    assert sum(bars["y"]) == 64 and bars["y"][0] == 2 and bars["customdata"][0] == "no position"


def test_a_study_of_before_the_deciles_is_shown_without_them(open_page, tmp_path):
    folder = synthetic.make(tmp_path / "older")
    path = folder / "dictionaries" / synthetic.DICTIONARY / "sae" / "metrics.json"
    metrics = json.loads(path.read_text())
    kept = {k: v for k, v in metrics.items() if k not in ("by_decile", "densities", "rbo@10", "rbo@10_ci95")}
    path.write_text(json.dumps(kept))
    page = open_page("overview", folder)
    assert "Where it loses information" not in [e.label for e in page.expander]
    assert {m.label: m.value for m in page.metric}["Top-10 overlap (RBO)"] == "–"


def test_overview_names_the_split_its_test_users_and_what_training_never_met(open_page, invented):
    page = said(open_page("overview", invented))
    assert "Split leave-one-out: each user's last item is the target." in page
    assert "500 test users; 1.2 % of their targets never occur in training." in page


def test_overview_offers_the_extras_and_their_command(open_page, invented):
    page = open_page("overview", invented)
    assert any(b.label == "Compute the extras" for b in page.button)
    assert f"python -m seqsae_core extras {invented}" in said(page)


def test_overview_says_how_the_recommender_was_trained(open_page, invented):
    text = said(open_page("overview", invented))
    assert "2 passes over the training events. 2 were planned: as set." in text
    assert "those of pass 2, the best on validation" in text


def test_latents_are_listed_best_evidence_first_and_dead_ones_last(open_page, invented):
    table = open_page("latents", invented).dataframe[0].value
    assert len(table) == 64
    assert table["name"].iloc[-1] == "dead: never fires"
    assert table["significant"].is_monotonic_decreasing


def test_search_is_read_from_the_link_and_written_into_it(open_page, invented):
    page = open_page("latents", invented, search="drama")
    found = page.dataframe[0].value
    assert 0 < len(found) < 64
    assert found["top_concept"].str.contains("Drama").all()
    page.text_input[0].set_value("comedy").run()
    assert page.query_params["search"] == "comedy"
    assert page.dataframe[0].value["top_concept"].str.contains("Comedy").all()


def test_a_number_finds_one_latent(open_page, invented):
    assert open_page("latents", invented, search="7").dataframe[0].value["feature"].tolist() == [7]


def test_nothing_found_is_said_with_a_way_back(open_page, invented):
    page = open_page("latents", invented, search="no such thing (")
    assert "No latent matches" in page.info[0].value
    assert any(b.label == "Show all latents" for b in page.button)


def test_dead_latents_can_be_listed(open_page, invented):
    page = open_page("latents", invented)
    page.button_group[0].set_value("dead").run()
    assert set(page.dataframe[0].value["name"]) == {"dead: never fires"}


def test_a_latent_shows_its_evidence_and_what_it_moves(open_page, invented):
    page = open_page("latent", invented, latent=3)
    assert len(page.metric) == 5
    assert len(page.dataframe) == 3
    assert "What fires it" in said(page)


def test_a_latent_stands_beside_every_concept(open_page, invented):
    page = open_page("latent", invented, latent=3)
    table = next(d.value for d in page.dataframe if "roc_auc" in d.value)
    assert len(table) == 8 and table["r_score"].abs().is_monotonic_decreasing
    page.toggle(key="all-concepts").set_value(True).run()
    assert len(next(d.value for d in page.dataframe if "roc_auc" in d.value)) > 8


def test_a_latent_says_what_the_history_adds(open_page, invented):
    table = next(d.value for d in open_page("latent", invented, latent=2).dataframe if "r_within" in d.value)
    assert table["concept"].tolist() == ["later in the history"]
    assert "wherever in a history" in said(open_page("latent", invented, latent=3))


def test_a_latent_says_how_well_it_reappears_once_it_was_trained_again(open_page, tmp_path):
    folder = synthetic.make(tmp_path / "retrained")
    assert "Whether re-trainings find it again is measured by the extras" in said(open_page("latent", folder, latent=0))
    assert "stability" not in open_page("latents", folder).dataframe[0].value
    synthetic.retrain(folder)
    for latent, words in enumerate(("Re-appears", "Partly re-appears", "Not found again")):
        page = open_page("latent", folder, latent=latent)
        assert f"{words} in re-trainings · 0.{(93, 62, 31)[latent]}" in said(page)
        assert "measured by the extras" not in said(page)
    table = open_page("latents", folder).dataframe[0].value.set_index("feature")
    assert table["stability"].loc[[0, 1, 2]].tolist() == pytest.approx([0.93, 0.62, 0.31])


def test_a_dead_latent_is_said_to_be_dead(open_page, invented):
    page = open_page("latent", invented, latent=30)
    assert "fires in none of the sequences" in page.info[0].value
    assert not page.metric


def test_the_first_latent_has_no_previous_one(open_page, invented):
    buttons = {b.label: b.disabled for b in open_page("latent", invented, latent=0).button}
    assert buttons["Previous"]
    assert not buttons["Next"]


def test_the_contest_shows_both_figures_with_their_differences(open_page, invented):
    labels = [m.label for m in open_page("latents_vs_neurons", invented).metric]
    assert [
        f"{kind}, {items} items" for items in ("same", "new") for kind in ("Latents", "Neurons", "Difference")
    ] == labels[:6]


def test_every_rival_has_a_row_and_those_not_beaten_are_named(open_page, invented):
    page = open_page("latents_vs_neurons", invented)
    table = next(d.value for d in page.dataframe if "ahead_new" in d.value)
    assert table["kind"].tolist() == ["Latents", "Neurons", "PCA", "Random directions", "Probe (ceiling)"]
    assert table.set_index("kind").loc["Neurons", "ahead_same"] == "+0.062 (+0.030 to +0.090)"
    assert "**On new items** latents are not shown to beat Neurons." in said(page)
    assert "**On same items** latents are ahead of every rival measured." in said(page)


def test_what_the_names_are_worth_is_said(open_page, invented):
    values = {m.label: m.value for m in open_page("latents_vs_neurons", invented).metric}
    assert (values["Named by concepts"], values["Unclear"], values["Detection"]) == ("28.0 %", "41.0 %", "0.72")


def test_a_concept_and_a_rival_are_read_from_the_link(open_page, invented):
    page = open_page("latents_vs_neurons", invented, concept="Horror", kind="pca")
    assert [box.value for box in page.selectbox] == ["Horror", "pca"]
    page.selectbox[0].set_value("Drama").run()
    assert page.query_params["concept"] == "Drama"


def test_the_item_watched_next_follows_only_a_window_that_ends_at_the_firing_item():
    catalogue = pd.DataFrame({"title": ["a", "b"], "year": [1999, pd.NA], "genres": ["Drama|War", ""]}, index=[1, 2])
    row = {"items": [1, 2], "activations": [0.5, 0.0], "activation": 0.5, "user": 3, "event": 0, "next_item": 2}
    assert strips.example(row | {"at": 0}, catalogue)["next"] is None
    shown = strips.example(row | {"at": 1}, catalogue)
    assert shown["next"] == {"title": "b", "meta": ""}
    assert [item["meta"] for item in shown["items"]] == ["1999 · Drama, War", ""]
    assert [item["firing"] for item in shown["items"]] == [False, True]


def test_what_was_recommended_after_an_example_is_the_plain_list(open_page, tiny_study, monkeypatch):
    from seqsae_core.recommender.recommend import Recommender

    study, shown = Study.open(tiny_study), []
    monkeypatch.setattr(strips, "_component", lambda: lambda **given: shown.append(given["data"]["examples"]))
    latent = int(study.features()["z"].idxmax())
    page = open_page("latent", tiny_study, latent=latent)
    assert all(not row["recommended"] for row in shown[-1])
    page.toggle(key=f"recommended-latent{latent}").set_value(True).run()
    row = study.examples(None, "latents", latent).query("quantile == 0").iloc[0]
    history = study.sequences().of(row["user"])[: row["event"] + 1]
    titles = study.catalogue().set_index("item")["title"]
    expected = [str(titles[item]) for item in Recommender.from_study(study).recommend(history, 3).items]
    assert [item["title"] for item in shown[-1][0]["recommended"]] == expected
    assert [item["hit"] for item in shown[-1][0]["recommended"]] == [titles[row["next_item"]] == t for t in expected]
