"""The lines of a text file, packed or not: the first one, the bad one, the one that is too long."""

import codecs
import csv
import gzip
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import IO

from seqsae_core.errors import UserError

LONGEST = 1_000_000
SAVE = "Save it with the encoding UTF-8."
TABBED = (".tsv", ".inter", ".item")


def opened(path: Path) -> IO[bytes]:
    """The file's bytes, unpacked."""
    return gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb")


def refuse_others(path: Path) -> None:
    """Raise UserError for a file in UTF-16, and for a line without an end within LONGEST bytes, which no row is."""
    lines = 0
    with opened(path) as file:
        while block := file.read(LONGEST):
            if not lines and block.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
                raise UserError(f"{path}, line 1: cannot be read as UTF-8, it is UTF-16. {SAVE}")
            if len(block) == LONGEST and b"\n" not in block:
                raise UserError(
                    f"{path}, line {lines + 1}: longer than {LONGEST:,} bytes. Check that this is a table, and that "
                    "every quotation mark in it is closed; shorten the cell or remove the row."
                )
            lines += block.count(b"\n")


def first_bad_line(path: Path, parse: Callable[[bytes], object]) -> int | None:
    """Number of the first line (from 1) that cannot be parsed; None where all can, or the file cannot be read."""
    try:
        with opened(path) as file:
            for number, line in enumerate(file, 1):
                try:
                    parse(line)
                except ValueError:
                    return number if line.strip() else None
    except (EOFError, OSError, zlib.error):
        return None
    return None


def refuse_other_fields(path: Path, separator: str, names: list[str]) -> None:
    """Raise UserError unless the first line of a file without a header, if any, has a field for each name."""
    first = first_line(path, "latin-1")
    found = len(first.split(separator))
    if first and found != len(names):
        raise UserError(
            f"{path}, row 1: {found} fields, not {len(names)} ({separator.join(names)!r}). Part them by "
            f"{separator!r}, or save the table as .csv with a header."
        )


def first_line(path: Path, encoding: str = "utf-8-sig") -> str:
    """The first line without its end (a lone carriage return in some files) and without a byte order mark.

    Raises UnicodeDecodeError.
    """
    with opened(path) as file:
        return file.readline(LONGEST).decode(encoding).rstrip("\r\n").split("\r", 1)[0]


def separator(path: Path) -> str:
    """The comma, or what else separates a header that has none; RecBole's and .tsv files have tabs."""
    if Path(path.name.removesuffix(".gz")).suffix in TABBED:
        return "\t"
    header = first_line(path)
    return "," if "," in header else max(",;\t|", key=header.count)


def header(path: Path) -> list[str]:
    """The names in the first line."""
    return next(csv.reader([first_line(path)], delimiter=separator(path)), [])
