"""Text from data in Markdown: shown as it is, rendered never."""

import re
from typing import Any

SPECIAL = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~$:^])")
RENDERED = re.compile(r"([\\*\[\]<$~])")
ADDRESS = re.compile(r"(https?|www)(?=://|\.)", re.IGNORECASE)
JOINER = "\u2060"  # invisible; no escape keeps GitHub's Markdown from making links of addresses
CODE = re.compile(r"(`[^`]+`)")


def plain(text: Any) -> str:
    """Text from data as Markdown shows it literally: nothing in a title or a name is rendered."""
    return SPECIAL.sub(r"\\\1", _unlinked(text))


def code(text: Any) -> str:
    """Text from data as one code span."""
    return "`" + str(text).replace("`", "'").replace("\n", " ") + "`"


def told(error: Any) -> str:
    """A message that quotes data: its commands stay in code, no link, image or formula in it is rendered.

    Backticks that do not pair one by one make all of it literal, because then Markdown may see other code than we do.
    """
    text = str(error).replace("\n", " ")
    if "``" in text or "\\`" in text or text.count("`") % 2:
        return plain(text)
    return "".join(part if part[:1] == "`" else RENDERED.sub(r"\\\1", _unlinked(part)) for part in CODE.split(text))


def _unlinked(text: Any) -> str:
    return ADDRESS.sub(rf"\1{JOINER}", str(text).replace("\n", " "))
