"""The tools of the page Steer, each opened on a tiny study."""

import shutil
from pathlib import Path

import pandas as pd
import pytest

from seqsae_core.dashboard.loading import Opened
from seqsae_core.dashboard.permalink import View
from seqsae_core.dashboard.steer.scenarios import examples
from seqsae_core.dashboard.steer.scene import steerable
from seqsae_core.dashboard.widgets import fixed
from seqsae_core.steering import scenarios
from seqsae_core.steering.edits import Edit, ablate
from seqsae_core.steering.steerer import Steerer
from seqsae_core.study import Study
from tests.pages.conftest import said


@pytest.fixture(scope="module")
def latent(tiny_study) -> int:
    effects = Study.open(tiny_study).effects()
    return int(effects["latent"].iloc[effects["effect"].argmax()])


def tool(open_page, tiny_study, name: str, edits: str, **link: str):
    page = open_page("steer", tiny_study, user=5, edits=edits, **link)
    page.session_state["tool"] = name
    page.run()
    assert not page.exception, page.exception
    return page


def link(page, name: str) -> str:
    value = page.query_params[name]
    return value if isinstance(value, str) else value[0]


def test_why_says_the_rank_of_the_first_item(open_page, tiny_study, latent):
    page = tool(open_page, tiny_study, "Why this item?", f"{latent}:2.0")
    assert "is at rank 1" in said(page)


def test_a_latent_that_brings_an_item_up_is_turned(open_page, tiny_study, latent):
    page = tool(open_page, tiny_study, "Bring an item up", f"{latent}:0.0", position="all")
    page.text_input(key="raise-search").set_value("the").run()
    turn = next(button for button in page.button if str(button.key).startswith("turn-"))
    turn.click().run()
    assert link(page, "edits") != f"{latent}:0.0" and link(page, "position") == "all"


def test_a_target_is_applied_by_one_click(open_page, tiny_study, latent):
    page = tool(open_page, tiny_study, "Target", f"{latent}:2.0")
    page.number_input(key="target-least").set_value(0).run()
    assert "reaches it" in said(page)
    page.button(key="apply-target").click().run()
    assert "edits" in page.query_params and not page.exception


def test_scenarios_offer_examples_and_a_link(open_page, tiny_study, latent):
    page = tool(open_page, tiny_study, "Scenarios", f"{latent}:ablate")
    assert f"edits={latent}%3Aablate" in said(page)
    page.button(key="example-Hidden gems").click().run()
    assert "*" in link(page, "edits") and not page.error


def test_the_popularity_dial_turns_one_concept(open_page, tiny_study, latent):
    page = tool(open_page, tiny_study, "Popularity", f"{latent}:2.0")
    page.select_slider[0].set_value(-2.0).run()
    edits = link(page, "edits")
    assert edits.startswith(f"{latent}:2.0,") and edits.endswith(":-2.0")
    assert "log-popularity on the scores" in " ".join(map(str, page.dataframe[-1].value["List"]))


def test_a_link_for_another_dictionary_is_refused(open_page, tiny_study, latent):
    page = open_page("steer", tiny_study, user=5, edits=f"{latent}:2.0", made_for="other")
    assert "made for the dictionary" in said(page) and link(page, "edits") == f"{latent}:2.0"


def test_how_sure_the_model_is_of_this_list_is_told_where_the_build_has_measured_it(open_page, tiny_study, latent):
    steerer, history = Steerer.from_study(Study.open(tiny_study)), (1, 2, 3)
    page = open_page("steer", tiny_study, history="1-2-3", edits=f"{latent}:2.0")
    assert f"expects an NDCG@10 of {fixed(steerer.sureness(history, 0.2)[0], 2)} here" in said(page)


def test_strengths_go_by_own_taste_and_back(open_page, tiny_study, latent):
    page = open_page("steer", tiny_study, user=5, edits=f"{latent}:2.0,3:ablate")
    page.segmented_control(key="whose-strength-False").set_value("By own taste").run()
    assert link(page, "edits") == f"{latent}:2.0*taste,3:ablate" and "For this history the strength is ×" in said(page)
    page.segmented_control(key="whose-strength-True").set_value("Same for all").run()
    assert link(page, "edits") == f"{latent}:2.0,3:ablate" and not page.error


@pytest.fixture
def own_study(tiny_study, tmp_path) -> Path:
    """A copy, so that what a page saves stays out of the other tests."""
    return Path(shutil.copytree(tiny_study, tmp_path / tiny_study.name))


def test_a_scenario_is_saved_opened_carried_as_a_file_and_deleted(open_page, own_study, latent):
    page = tool(open_page, own_study, "Scenarios", f"{latent}:ablate")
    page.text_input[-1].set_value("Family evening")
    next(button for button in page.button if button.label == "Save").click().run()
    folder = Study.open(own_study).scenarios
    saved = scenarios.load(folder, "family evening")
    assert saved.edits == (ablate(latent),) and not page.exception
    assert [button.label for button in page.download_button] == ["Download"]

    other = tool(open_page, own_study, "Scenarios", "3:1.0")
    next(button for button in other.button if str(button.key).startswith("open-0")).click().run()
    assert link(other, "edits") == f"{latent}:ablate"
    next(button for button in other.button if str(button.key).startswith("drop-0")).click().run()
    assert not scenarios.listing(folder).scenarios

    carried = tool(open_page, own_study, "Scenarios", "3:1.0")
    text = scenarios.to_json(saved)
    carried.file_uploader(key="scenario-file").upload("evening.json", text.encode(), "application/json").run()
    carried.button(key="open-file").click().run()
    assert link(carried, "edits") == f"{latent}:ablate"


def test_a_file_that_is_no_scenario_is_refused(open_page, own_study, latent):
    page = tool(open_page, own_study, "Scenarios", f"{latent}:2.0")
    page.file_uploader(key="scenario-file").upload("list.json", b'{"name": 3}', "application/json").run()
    assert "no scenario" in said(page) and link(page, "edits") == f"{latent}:2.0"


def test_popularity_is_measured_for_all_users_on_request(open_page, tiny_study, latent):
    page = tool(open_page, tiny_study, "Popularity", f"{latent}:2.0")
    assert not page.get("plotly_chart") or "Right is more of the catalogue" not in said(page)
    page.button(key="measure-popularity").click().run()
    assert not page.exception and "Right is more of the catalogue" in said(page)


def test_the_curve_of_what_is_turned_is_measured_on_request(open_page, tiny_study, latent):
    page = tool(open_page, tiny_study, "Curve", f"{latent}:2.0,3:ablate")
    page.button(key="measure-curve").click().run()
    assert not page.exception and "read on test items" in said(page)
    table = page.dataframe[-1].value
    own = table[table["Method"] == "These sliders"]
    assert {"largest share within 1 % of NDCG", "within 5 % of NDCG"} <= set(own["Rule"])
    page.segmented_control(key="curve-against").set_value("coverage").run()
    assert not page.exception


def test_rivals_of_a_concept_that_the_build_did_not_measure(open_page, tiny_study, latent):
    study = Study.open(tiny_study)
    other = next(name for name in study.concepts().names if name not in set(study.tradeoff()["concept"]))
    page = tool(open_page, tiny_study, "Curve", f"{latent}:2.0")
    choice = next(box for box in page.selectbox if box.label == "Share of")
    choice.set_value(other).run()
    page.button(key="measure-rivals").click().run()
    assert not page.exception
    assert {"Re-ranking by label", "Probe direction", "Random direction"} <= set(page.dataframe[-1].value["Method"])


def test_the_titles_of_a_link_are_what_is_counted(open_page, tiny_study, latent):
    page = open_page("steer", tiny_study, user=5, edits=f"{latent}:2.0", items="3-7")
    assert "No trade-off curves for a list of 2 titles" in said(page)
    page.segmented_control(key="whose-strength-False").set_value("By own taste").run()
    assert link(page, "items") == "3-7"
    wrong = open_page("steer", tiny_study, user=5, edits=f"{latent}:2.0", items="999999")
    assert "There is no item 999999" in said(wrong)


def test_a_family_evening_raises_families_latents_and_takes_horror_away(tiny_study, monkeypatch):
    study = Study.open(tiny_study)
    opened = Opened(View(), study, study.default_dictionary)
    table = opened.features("latents").copy()
    can = steerable(opened).index[:2].tolist()
    table["top_concept"] = ""
    table.loc[can, "top_concept"] = ["Family", "Horror"]
    monkeypatch.setattr(Opened, "features", lambda self, kind="latents": table)
    none = pd.DataFrame(columns=["concept", "method", "split", "strength", "lift"])
    monkeypatch.setattr(Opened, "lowered", lambda self: none)
    found = examples(opened)
    curve = pd.DataFrame({
        "concept": "Horror", "method": "latents", "split": "validation", "strength": [0.0, -1.0, -2.0, -4.0],
        "lift": [1, 0.5, 0.09, 0.01], "latents": [[3, 5]] * 4, "weights": [[1.0, -0.5]] * 4,
    })  # fmt: skip
    monkeypatch.setattr(Opened, "lowered", lambda self: curve)
    gone = (Edit(((3, 1.0), (5, -0.5)), -2.0),)
    assert found["Family evening"] == (Edit(can[0], 4.0), ablate(can[1])) and found["No horror"] == (ablate(can[1]),)
    assert examples(opened)["No horror"] == gone and examples(opened)["Family evening"] == (Edit(can[0], 4.0), *gone)
    table["top_concept"] = ""
    monkeypatch.setattr(Opened, "lowered", lambda self: curve[:0])
    assert list(examples(opened)) == ["Hidden gems"]


def test_segments_stand_beside_the_curve(open_page, tiny_study):
    study = Study.open(tiny_study)
    curves, features = study.segments(), study.features("latents")
    assert len(curves)
    names = features[features["top_concept"].isin(curves["concept"])]
    page = open_page("steer", tiny_study, user=5, edits=f"{int(names['feature'].iloc[0])}:2.0")
    assert "by how often users watch" in said(page)


def test_ranks_are_drawn_against_the_strength_of_each_slider(open_page, tiny_study, latent):
    page = tool(open_page, tiny_study, "Ranks", f"{latent}:2.0")
    assert "dotted line is the strength set now" in said(page) and not page.error


@pytest.mark.parametrize(("history", "kept"), [((12, 55), 3.5), ((12, 56), 2.0)])
def test_a_release_that_no_run_noted_is_kept_for_its_own_history_alone(open_page, tiny_study, latent, history, kept):
    page = open_page("steer", tiny_study, history="12-55", edits=f"{latent}:2.0")
    page.session_state["released"] = (history, (Edit(latent, 3.5),))
    page.run()
    assert link(page, "edits") == f"{latent}:{kept}" and "released" not in page.session_state


def test_an_added_latent_leaves_the_others_at_the_strengths_that_are_shown(open_page, tiny_study, latent):
    page = open_page("steer", tiny_study, history="12-55", latent=latent)
    chosen, other = page.session_state["turned"].edits[0].strength, 7 if latent != 7 else 8
    picker = next(box for box in page.selectbox if box.label.startswith("Add a latent"))
    picker.set_value(other).run()
    assert chosen > 0 and link(page, "edits") == f"{latent}:{chosen},{other}:0.0"
