"""From a link to what the page Steer shows, and from there to other links."""

from pathlib import Path

import pandas as pd
import pytest

from seqsae_core.dashboard.loading import Opened
from seqsae_core.dashboard.permalink import View, params, parse
from seqsae_core.dashboard.steer import scene as scenes
from seqsae_core.dashboard.steer.histories import FOUND, matches
from seqsae_core.errors import UserError
from seqsae_core.steering.edits import Edit, set_to
from seqsae_core.study import Study


@pytest.fixture(scope="module")
def opened(tiny_study: Path) -> Opened:
    study = Study.open(tiny_study)
    return Opened(View(), study, study.default_dictionary)


def test_without_a_link_a_held_out_user_and_a_latent_with_evidence(opened: Opened) -> None:
    found, people = scenes.scene(opened, View()), scenes.audience(opened)
    assert found.user in people.held_out
    assert found.target not in (None, *found.history[-1:])
    ((latent, strength),) = [(edit.latent, edit.strength) for edit in found.edits]
    row = opened.features("latents").loc[latent]
    assert row["alive"] and strength == 0 and not found.chosen
    assert row["significant"] or not opened.features("latents")["significant"].any()


def test_a_history_ends_before_the_test_item(opened: Opened) -> None:
    people, sequences = scenes.audience(opened), opened.study.sequences()
    split = opened.study.split(sequences)
    for user in people.held_out[:20]:
        whole = sequences.of(user)
        assert people.history(user) == tuple(whole[: split.test_at[user]])
        assert people.target(user) == whole[split.test_at[user]]


def test_next_user_visits_every_held_out_user(opened: Opened) -> None:
    people = scenes.audience(opened)
    seen, user = [], int(people.held_out[-1])
    for _ in people.held_out:
        user = scenes.after(people, user)
        seen.append(user)
    assert seen == people.held_out.tolist()


def test_links_say_everything(opened: Opened) -> None:
    found = scenes.scene(opened, View(user=5, edits=(Edit(3, 2.0),)))
    assert found.at((Edit(3, 4.0),)) == View(user=5, edits=(Edit(3, 4.0),))
    assert found.of(9) == View(user=9, edits=(Edit(3, 2.0),))
    assert found.composed((4, 2)) == View(history=(4, 2), edits=(Edit(3, 2.0),))
    assert parse(params(found.composed(()))) == View(history=(), edits=(Edit(3, 2.0),))
    again = scenes.scene(opened, parse(params(found.composed((4, 2)))))
    assert (again.user, again.target, again.history) == (None, None, (4, 2))


def test_a_strength_not_chosen_stays_open_in_links(opened: Opened) -> None:
    found = scenes.scene(opened, View(latent=3))
    assert (found.edits, found.chosen) == ((Edit(3, 0.0),), False)
    assert found.of(9) == View(user=9, latent=3)
    assert found.latest(View(edits=(Edit(3, 1.0),))).of(9) == View(user=9, edits=(Edit(3, 1.0),))


@pytest.mark.parametrize(
    ("view", "said"),
    [
        (View(user=10**6), "There is no user 1000000"),
        (View(history=(1, 10**6)), "There is no item 1000000"),
        (View(history=(0,)), "There is no item 0"),
        (View(edits=(Edit(10**6, 1.0),)), "There is no latent 1000000"),
        (View(latent=10**6), "There is no latent 1000000"),
        (View(edits=(Edit(3, 1.0),), made_for="other"), "made for the dictionary `other`"),
        (View(edits=(set_to(3, 1.0), set_to(3, 2.0, 1.0))), "contradict each other on latent 3"),
    ],
)
def test_what_is_not_there_is_named(opened: Opened, view: View, said: str) -> None:
    with pytest.raises(UserError, match=said):
        scenes.scene(opened, view)


def test_too_large_a_strength_becomes_the_largest_of_its_kind(opened: Opened) -> None:
    asked = (Edit(3, -17.0), Edit(4, 16.0), Edit(5, 900.0, "scale"), set_to(6, 1.0))
    view, word = scenes.within_limits(opened, View(user=1, edits=asked))
    assert view == View(user=1, edits=(Edit(3, -16.0), Edit(4, 16.0), Edit(5, 100.0, "scale"), set_to(6, 1.0)))
    assert word == "Too large a strength in the link: -17 became -16, 900 became 100."
    assert scenes.within_limits(opened, view) == (view, "")
    assert scenes.within_limits(opened, View()) == (View(), "")


def test_a_dead_latent_cannot_be_steered(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    table = opened.features("latents").copy()
    table.loc[3, "alive"] = False
    monkeypatch.setattr(Opened, "features", lambda self, kind="latents": table)
    assert 3 not in scenes.steerable(opened).index
    with pytest.raises(UserError, match="Latent 3 never fires"):
        scenes.scene(opened, View(edits=(Edit(3, 1.0),)))


def test_title_search_is_literal_and_prefers_the_beginning() -> None:
    titles = ["A Star Is Born", "Star Wars", "star trek", "C++ (1)", *(f"Superstar {i}" for i in range(30))]
    table = pd.DataFrame({"title": titles, "count": range(len(titles))})
    assert matches(table, " STAR ")["title"].tolist()[:2] == ["star trek", "Star Wars"]
    assert len(matches(table, "star")) == FOUND
    assert matches(table, "C++ (")["title"].tolist() == ["C++ (1)"]
    assert matches(table, ".*").empty
