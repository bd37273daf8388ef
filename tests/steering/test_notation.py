"""Edits as text and as JSON: exact both ways, and nonsense told from edits."""

import json

import pytest

from seqsae_core.errors import UserError
from seqsae_core.steering.edits import Edit, ablate, check, clamp, set_to
from seqsae_core.steering.notation import format_edits, from_json, parse, to_json

EVERY = (
    Edit(12, 2.0), Edit(40, -1.5), Edit(3, 0.1 + 0.2), Edit(5, -0.0), Edit(1, 1e-17, "scale"), Edit(2, -100.0, "mass"),
    ablate(7), ablate(8, 0.3), set_to(9, -1.0 / 3), set_to(10, 2.0, 0.0), clamp(11, 0.0, 2.5), clamp(13, high=1.0),
    clamp(14, low=-0.5, strength=7.0), Edit(((1, 1.0), (2, -1e-5)), 3.0), ablate(((6, 0.7),)),
    Edit(((4, 0.3), (1, 2.0)), 1.0, "mass"),
)  # fmt: skip


@pytest.mark.parametrize("text", ["", "12:2.0", "12:2.0,40:-1.5", "0:1e-05,3:100.0"])
def test_text_form_goes_both_ways(text):
    assert format_edits(parse(text)) == text


def test_text_of_kinds():
    one, other = (Edit(1, 0.5, "scale"), ablate(2), ablate(2, 1.0)), (clamp(4, 0.0, 2.0, 1.5), clamp(5, low=1.0))
    text = "1:scale:0.5,2:ablate,2:ablate:1.0,3:set=2.0,4:clamp=0.0..2.0:1.5,5:clamp=1.0..,12*1.0_40*-0.5:2.0"
    assert format_edits((*one, set_to(3, 2.0), *other, Edit(((12, 1.0), (40, -0.5)), 2.0))) == text


def test_every_kind_goes_both_ways_exactly_in_text_and_json():
    assert parse(format_edits(EVERY)) == EVERY
    assert from_json(to_json(EVERY, "f" * 16), "f" * 16, 64) == EVERY == check(EVERY, 64)
    assert all(c.isalnum() or c in ":,=.*_-" for c in format_edits(EVERY))


def test_spaces_are_allowed():
    assert parse(" 12 : 2 , 40:-1.5 ") == (Edit(12, 2.0), Edit(40, -1.5))


BROKEN = (
    "12;12:;:2;a:1;-1:2;1.5:2;1:x;1:nan;1:inf;1:2,;,;1:2 3:4;²:1;12345678901:1;1:2:3;1:scale;1:mass;"
    "1:scale=2:1;1:set;1:set=;1:set=a;1:clamp;1:clamp=1;1:clamp=a..b;1:ablate=0;1:ablate:nan;1:ablate:x;1:spin:1;"
    "1*:2;1*2_:3;*2:3;1*2_3:4;1*a:2"
)


@pytest.mark.parametrize("text", BROKEN.split(";"))
def test_nonsense_is_refused(text):
    with pytest.raises(UserError, match=r"write|give"):
        parse(text)


@pytest.mark.parametrize("text", ["1:-101", "1:1e9", "1:scale:101", "1:set=2:-1"])
def test_a_strength_out_of_bounds_is_read_and_then_refused_by_check(text):
    with pytest.raises(UserError, match="give a number from"):
        check(parse(text), 64)


def test_edits_of_another_dictionary_are_refused():
    with pytest.raises(UserError, match=r"dictionary aaaa, this one is bbbb"):
        from_json(to_json(EVERY, "aaaa"), "bbbb", 64)


BAD = [
    "", "[" * 100_000, "[]", "3", "{}",
    '{"edits": []}', '{"dictionary": "x", "edits": 3}', '{"dictionary": "x", "edits": [3]}',
    *(
        json.dumps({"dictionary": "x", "edits": [edit]})
        for edit in (
            {}, {"latent": 1}, {"latent": 1, "kind": "add"}, {"latent": "1", "kind": "add", "strength": 1},
            {"latent": 1, "kind": "add", "strength": "1"}, {"latent": 1, "kind": "add", "strength": float("nan")},
            {"latent": 1, "kind": "add", "strength": 1, "colour": 2}, {"latent": [[1]], "kind": "add", "strength": 1},
            {"latent": True, "kind": "add", "strength": 1}, {"latent": [], "kind": "add", "strength": 1},
            {"latent": 99, "kind": "add", "strength": 1}, {"latent": 1, "kind": "set", "strength": 1},
            {"latent": 1, "kind": "add", "strength": 1e9}, {"latent": 1, "kind": "spin", "strength": 1},
            {"latent": 1, "kind": "add", "strength": 10**400},
            {"latent": 10**400, "kind": "add", "strength": 1},
        )
    ),
]  # fmt: skip


@pytest.mark.parametrize("text", BAD)
def test_json_that_is_no_edit_is_refused(text):
    with pytest.raises(UserError, match=r"give|choose|Choose"):
        from_json(text, "x", 64)
