"""Whatever a link, an edit or a scenario says: it is read, and written back the same, or refused in plain words."""

import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqsae_core.dashboard import loading, permalink
from seqsae_core.errors import UserError
from seqsae_core.steering import notation, scenarios
from seqsae_core.steering.edits import Edit, check
from seqsae_core.study import Study
from tests.fuzz import strategies as some

GOOD = {"dictionary": "f" * 16, "edits": notation.to_list([Edit(3, 1.0), Edit(((4, 1.0), (5, 0.5)), 2.0, "mass")])}
SCENARIO = json.loads(scenarios.to_json(scenarios.Scenario("family evening", (Edit(3, 1.0),), "f" * 16, note="n")))
LINK = st.dictionaries(st.sampled_from(sorted(permalink.PARSERS)), some.TEXT, max_size=6)


@given(some.TEXT | st.lists(some.edits(), max_size=3).map(notation.format_edits))
def test_edits_as_text(case, text):
    case()
    try:
        found = notation.parse(text)
    except UserError:
        return
    assert notation.parse(notation.format_edits(found)) == found


@given(st.lists(some.edits(), max_size=4))
def test_edits_come_back_exactly_from_both_forms(case, edits):
    case()
    edits = tuple(edits)
    assert notation.parse(notation.format_edits(edits)) == edits
    assert notation.from_list(json.loads(notation.to_json(edits, "f"))["edits"]) == edits


@given(some.damaged(GOOD) | some.TEXT)
def test_edits_as_json(case, text):
    case()
    try:
        found = notation.from_json(text, "f" * 16, 64)
    except UserError:
        return
    assert notation.from_json(notation.to_json(found, "f" * 16), "f" * 16, 64) == found


@given(st.integers() | st.integers(-2, 66), some.FINITE, some.FINITE, some.FINITE, some.TEXT)
def test_any_edit_is_checked(case, latent, strength, low, high, kind):
    case()
    for one in (kind, "set", "clamp"):
        try:
            (found,) = check((Edit(latent, strength, one, low, high),), 64)
        except UserError:
            continue
        assert all(0 <= latent < 64 for latent in found.latents)


@given(LINK)
def test_links(case, parameters):
    case()
    try:
        view = permalink.parse(parameters)
    except UserError:
        return
    assert permalink.parse(permalink.params(view)) == view


@given(some.TEXT, st.sampled_from(["inside", "outside", "missing"]))
def test_no_link_leads_out_of_the_studies_folder(case, tmp_path_factory, name, kind):
    case()
    root = _root(tmp_path_factory)
    os.environ["SEQSAE_STUDIES"] = str(root)
    for study in (name, f"link-{kind}", f"link-{kind}/..", f"../{name}"):
        try:
            folder = loading.study_folder(permalink.parse({"study": study}))
            Study.exists(folder)
        except UserError:
            continue
        assert folder.resolve().is_relative_to(root.resolve()), study
        assert kind != "outside" or not study.startswith("link-")


def _root(factory: pytest.TempPathFactory) -> Path:
    """A folder of studies with symbolic links in and out of it."""
    base = factory.getbasetemp() / "linked"
    if not base.exists():
        (base / "studies" / "real").mkdir(parents=True)
        (base / "elsewhere").mkdir()
        (base / "studies" / "link-inside").symlink_to(base / "studies" / "real")
        (base / "studies" / "link-outside").symlink_to(base / "elsewhere")
    return base / "studies"


@given(some.damaged(SCENARIO) | some.TEXT)
def test_scenarios(case, text):
    case()
    try:
        found = scenarios.from_json(text)
    except UserError:
        return
    assert scenarios.from_json(scenarios.to_json(found)) == found


@given(some.TEXT, some.TEXT)
def test_scenarios_are_kept_within_their_folder_whatever_their_name(case, tmp_path_factory, name, note):
    case()
    folder = tmp_path_factory.getbasetemp() / "scenarios"
    try:
        path = scenarios.save(folder, one := scenarios.Scenario(name, (), "f" * 16, note=note))
    except UserError:
        return
    assert path.resolve().parent == folder.resolve()
    assert scenarios.load(folder, name) == one
    scenarios.delete(folder, name)
    assert not path.exists()
