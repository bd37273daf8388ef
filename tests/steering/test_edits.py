"""Edits and their text form."""

import pytest

from seqsae_core.errors import UserError
from seqsae_core.steering.edits import Edit, check, format_edits, parse


@pytest.mark.parametrize("text", ["", "12:2.0", "12:2.0,40:-1.5", "0:1e-05,3:100.0"])
def test_text_form_goes_both_ways(text):
    assert format_edits(parse(text)) == text


def test_spaces_are_allowed():
    assert parse(" 12 : 2 , 40:-1.5 ") == (Edit(12, 2.0), Edit(40, -1.5))


BROKEN = "12;12:;:2;a:1;-1:2;1.5:2;1:x;1:nan;1:inf;1:-101;1:1e9;1:2,;,;1:2 3:4;²:1;12345678901:1;1:2:3"


@pytest.mark.parametrize("text", BROKEN.split(";"))
def test_nonsense_is_refused(text):
    with pytest.raises(UserError, match=r"write|give"):
        parse(text)


@pytest.mark.parametrize("edit", [Edit(32, 1.0), Edit(-1, 1.0), Edit(1.5, 1.0), Edit(True, 1.0), Edit(3, float("nan"))])
def test_unknown_latents_and_numbers_are_refused(edit):
    with pytest.raises(UserError, match=r"choose|give"):
        check([edit], 32)
