"""Text of data in Markdown: no link, image, formula or tag in it is rendered, and commands stay commands."""

import re

import pytest

from seqsae_core.dashboard.literal import code, plain, told

HOSTILE = "![x](http://e.invalid/x) [y](//e.invalid) <img src=x> $x^2$ *z* ~~s~~"


def test_commands_of_a_message_stay_code_and_all_else_is_literal():
    said = told(f"{HOSTILE} is wrong. Run `build --data [x]`.")
    assert said.endswith("is wrong. Run `build --data [x]`.")
    assert not re.search(r"(?<!\\)[\[\]<$*~]", said.replace("`build --data [x]`", ""))


@pytest.mark.parametrize("quoted", ["`", "``", "```", "\\`", "` `` `", "`\n\n"])
def test_backticks_in_what_is_quoted_open_no_way_out(quoted):
    said = told(f"{quoted} {HOSTILE} ` is wrong. Run `build`." + "`" * (quoted.count("`") % 2 == 1))
    outside = re.sub(r"(?<![\\`])`[^`]+`(?!`)", "", said)
    assert not re.search(r"(?<!\\)[\[\]<$*~]", outside)


@pytest.mark.parametrize("address", ["http://e.invalid/x", "HTTPS://e.invalid", "www.e.invalid"])
def test_an_address_becomes_no_link(address):
    for said in (plain(f"see {address}"), told(f"see {address} or `{address}`").split("`")[0]):
        seen = said.replace("\\", "")
        assert not re.search(r"https?://|www\.", seen, re.IGNORECASE)
        assert seen.replace("\u2060", "").startswith(f"see {address}")


def test_a_code_span_holds_whatever_it_is_given():
    assert code(f"a`b\n{HOSTILE}") == f"`a'b {HOSTILE}`"


def test_plain_text_is_escaped_whole():
    assert not re.search(r"(?<!\\)[\[\]<$*~`_:!#]", plain(f"`{HOSTILE}` :red[x] # _a_"))
