"""Sliders of each kind of edit: limits from the data, and what their ends mean."""

import pandas as pd
import pytest

from seqsae_core.dashboard.steer import dials
from seqsae_core.steering.edits import KINDS, TOWARDS, WHOLE, Edit, ablate, check, set_to

LATENTS = pd.DataFrame({"max_activation": [6.0, 2.0], "sd_activation": [1.0, 0.5]})


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_begins_as_an_edit_that_can_be_made_and_has_an_exact_zero(kind: str) -> None:
    edit = dials.of_kind(Edit(0, 2.0), kind)
    found = dials.dial(edit, LATENTS, 16.0)
    assert check([edit], 2) == (edit,)
    assert 0.0 in found.grid() and sorted(set(found.strengths)) == list(found.strengths)
    assert found.strength(found.at(edit)) == edit.strength


def test_the_end_of_a_slider_towards_a_level_is_the_whole_way() -> None:
    found = dials.dial(ablate(0), LATENTS, 16.0)
    assert (found.low, found.high) == (0.0, 6.0)
    assert (found.strength(6.0), found.strength(5.0), found.at(ablate(0))) == (WHOLE, 5.0, 6.0)
    assert dials.dial(set_to(1, 9.0), LATENTS, 16.0).high == 9.0


def test_scale_ends_where_the_largest_activation_moves_as_far_as_add() -> None:
    found = dials.dial(Edit(1, 0.0, "scale"), LATENTS, 16.0)
    assert (found.low, found.high) == (-1.0, 4.0)


def test_a_concept_loses_what_pushes_down_where_a_kind_has_no_direction() -> None:
    concept = ((0, 1.0), (1, -0.5))
    assert [dials.of_kind(Edit(concept, 1.0), kind).latent == concept for kind in KINDS] == [
        kind not in TOWARDS for kind in KINDS
    ]


def test_a_slider_is_known_by_everything_but_its_strength() -> None:
    assert dials.key(Edit(3, 2.0)) == dials.key(Edit(3, -1.0)) != dials.key(Edit(3, 2.0, "scale"))


def test_a_slider_says_the_rule_of_its_limits() -> None:
    said = {kind: dials.rule(dials.of_kind(Edit(0, 1.0), kind), 12.0) for kind in KINDS}
    assert "±12 standard deviations" in said["add"] == said["mass"]
    assert "largest activation" in said["set"] == said["clamp"] == said["ablate"]
    assert "gone" in said["scale"] and "12" in said["scale"]


def test_taste_stays_with_kinds_that_have_it() -> None:
    mine = Edit(0, 1.0, by_taste=True)
    assert {kind: dials.of_kind(mine, kind).by_taste for kind in KINDS} == {k: k not in TOWARDS for k in KINDS}
    assert dials.key(mine) != dials.key(Edit(0, 1.0))
