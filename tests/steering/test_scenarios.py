"""Scenarios on disk: exact both ways, whole or not at all, and bad files named."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

from seqsae_core.errors import UserError
from seqsae_core.steering import scenarios
from seqsae_core.steering.edits import Edit, ablate, clamp, set_to
from seqsae_core.steering.scenarios import Scenario
from seqsae_core.steering.steerer import Steerer
from seqsae_core.study import Study

EDITS = (Edit(3, 0.1 + 0.2), ablate(4), clamp(5, high=2.0, strength=1.0), Edit(((6, 1.0), (7, -0.5)), 2.0, "mass"))
FAMILY = Scenario("Family evening", EDITS, "f" * 16, "from -3", "No horror.\nMore animation.")


def test_what_is_saved_is_loaded_exactly(tmp_path):
    path = scenarios.save(tmp_path / "new", FAMILY)
    assert scenarios.load(tmp_path / "new", "Family evening") == FAMILY == scenarios.read(path)
    assert [p.name for p in path.parent.iterdir()] == [path.name]
    assert path.name.startswith("family-evening-")


def test_a_scenario_takes_the_place_of_the_one_of_its_name(tmp_path):
    scenarios.save(tmp_path, FAMILY)
    other = Scenario("family evening", (Edit(1, 1.0),), "a" * 16)
    scenarios.save(tmp_path, other)
    assert scenarios.listing(tmp_path).scenarios == (other,)
    assert scenarios.load(tmp_path, " FAMILY EVENING ") == other


@pytest.mark.parametrize("name", ["../../etc/passwd", "a/b", "..", ".", "CON", "ü ß 日本", "a" * 80, "-", "x?*"])
def test_any_name_stays_in_its_folder_and_apart_from_others(tmp_path, name):
    one = Scenario(name, (), "f" * 16)
    path = scenarios.save(tmp_path, one)
    assert path.resolve().parent == tmp_path.resolve()
    scenarios.save(tmp_path, Scenario(name[:79] + "!", (), "f" * 16))
    assert scenarios.load(tmp_path, name) == one
    assert len(scenarios.listing(tmp_path).scenarios) == 2


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "a\x00", "a" * 81])
def test_names_that_cannot_be_shown_are_refused(name):
    with pytest.raises(UserError, match="needs a name"):
        Scenario(name, (), "f" * 16)


def test_notes_and_positions_are_checked():
    with pytest.raises(UserError, match="shorten"):
        Scenario("a", (), "f", note="x" * 2001)
    with pytest.raises(UserError, match="Unknown position"):
        Scenario("a", (), "f", position="first")


def test_listing_is_by_name_and_names_bad_files(tmp_path):
    assert scenarios.listing(tmp_path / "absent") == scenarios.Listing((), {})
    for name in ("zebra", "Apple", "mango"):
        scenarios.save(tmp_path, Scenario(name, EDITS, "f" * 16))
    whole = json.loads(scenarios.to_json(FAMILY))
    bad = {
        "cut.json": scenarios.to_json(FAMILY)[:50], "empty.json": "", "list.json": "[1]", "deep.json": "[" * 100_000,
        "old.json": json.dumps(whole | {"format": 0}), "more.json": json.dumps(whole | {"eval": "1"}),
        "less.json": json.dumps({k: v for k, v in whole.items() if k != "note"}),
        "edits.json": json.dumps(whole | {"edits": [{"latent": 1}]}), "edit.json": json.dumps(whole | {"edits": 3}),
        "note.json": json.dumps(whole | {"note": 3}), "name.json": json.dumps(whole | {"name": ""}),
        "place.json": json.dumps(whole | {"position": "up"}),
    }  # fmt: skip
    for name, text in bad.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "bytes.json").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "large.json").write_text(" " * (2**20 + 1))
    (tmp_path / "notes.txt").write_text("not looked at")
    found = scenarios.listing(tmp_path)
    assert [one.name for one in found.scenarios] == ["Apple", "mango", "zebra"]
    assert {path.name for path in found.bad} == {*bad, "bytes.json", "large.json"}
    for path, reason in found.bad.items():
        assert reason.startswith(f"{path} is no scenario: ")
        assert "Mend or delete it" in reason


def test_deleting(tmp_path):
    scenarios.save(tmp_path, FAMILY)
    scenarios.delete(tmp_path, "family evening")
    scenarios.delete(tmp_path, "family evening")
    assert not list(tmp_path.iterdir())
    with pytest.raises(UserError, match=r"no scenario “family evening” in .* There are: none yet"):
        scenarios.load(tmp_path, "family evening")


def test_a_write_that_is_cut_off_leaves_the_old_scenario(tmp_path, monkeypatch):
    scenarios.save(tmp_path, FAMILY)

    def fails(*_):
        raise OSError("no power")

    monkeypatch.setattr(os, "replace", fails)
    with pytest.raises(OSError, match="no power"):
        scenarios.save(tmp_path, Scenario("Family evening", (), "a" * 16))
    assert scenarios.listing(tmp_path) == scenarios.Listing((FAMILY,), {})


def test_a_scenario_is_what_its_edits_do_at_its_position(model, sae, units, histories):
    steerer = Steerer(model, sae, 1, units, "last")
    mine = Scenario("mine", (Edit(3, 4.0), set_to(5, 2.0)), steerer.fingerprint, "all")
    at, edits = mine.for_steerer(steerer)
    expected = Steerer(model, sae, 1, units, "all").recommend(histories[3], mine.edits)
    assert np.array_equal(at.recommend(histories[3], edits).scores, expected.scores)


def test_a_scenario_of_another_dictionary_or_with_bad_edits_is_refused(model, sae, units):
    steerer = Steerer(model, sae, 1, units)
    with pytest.raises(UserError, match="made for the dictionary ffff"):
        FAMILY.for_steerer(steerer)
    with pytest.raises(UserError, match="no latent 99"):
        Scenario("a", (Edit(99, 1.0),), steerer.fingerprint).for_steerer(steerer)
    with pytest.raises(UserError, match="contradict"):
        Scenario("a", (ablate(1), set_to(1, 2.0)), steerer.fingerprint).for_steerer(steerer)


def test_a_study_keeps_its_scenarios_in_its_own_folder(tmp_path: Path):
    study = Study.create(tmp_path / "one", {"config": {}})
    scenarios.save(study.scenarios, FAMILY)
    assert study.scenarios.parent == study.path
    assert scenarios.listing(Study.open(tmp_path / "one").scenarios).scenarios == (FAMILY,)
