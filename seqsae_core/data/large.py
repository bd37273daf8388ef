"""Events of text files by pyarrow: only the columns that are needed, on all cores, in little memory.

It is trusted with what nobody reads otherwise: whole numbers, texts that are no numbers, dates, all without a gap.
Anything else is None, and the caller reads the file with pandas and finds what is wrong with it.
"""

import json
from collections.abc import Mapping
from pathlib import Path

import pandas as pd
import pyarrow as pa
from pyarrow import compute, csv
from pyarrow import json as json_lines

from seqsae_core.data import lines
from seqsae_core.data.columns import EVENTS, taken
from seqsae_core.data.interactions import ITEM, TIME, USER

HEADERLESS = {
    ".txt": (" ", [USER, ITEM]),
    ".data": ("\t", [USER, ITEM, "rating", TIME]),
    ".dat": (":", [USER, "", ITEM, " ", "rating", "  ", TIME]),
}
GAPS = [*csv.ConvertOptions().null_values, "<NA>", "None"]  # what pandas takes for a missing value
HEXADECIMAL = (b"0x", b"0X")  # a number to pyarrow, a text to pandas
BLOCK = 1 << 20


def events(path: Path, suffix: str, given: Mapping[str, str]) -> pd.DataFrame | None:
    """The columns of user, item and time of a text file, those `given` or guessed; None where pandas must read it."""
    if suffix == ".jsonl":
        return _of_json(path, given)
    separator, names = HEADERLESS.get(suffix) or (lines.separator(path), lines.header(path))
    if suffix in (".inter", ".item"):
        names = [name.partition(":")[0] for name in names]
    needed = [USER, ITEM] if suffix == ".txt" else _found(path, names, given)
    if needed is None or _holds(path, HEXADECIMAL):
        return None
    try:
        table = csv.read_csv(
            path,
            csv.ReadOptions(column_names=names, skip_rows=int(suffix not in HEADERLESS)),
            csv.ParseOptions(delimiter=separator),
            csv.ConvertOptions(include_columns=needed, null_values=GAPS, strings_can_be_null=True),
        )
    except (pa.ArrowException, OSError):
        return None
    moment = needed[2] if len(needed) > 2 else None
    alike = all(_plain(table[name]) or (name == moment and _dates(table[name])) for name in needed)
    return _frame(table) if alike else None


def _of_json(path: Path, given: Mapping[str, str]) -> pd.DataFrame | None:
    """The fields of an event in a file with an object a line, of the types that they have in its first line."""
    types = {int: pa.int64(), str: pa.string()}
    try:
        first = json.loads(lines.first_line(path))
    except ValueError:
        return None
    needed = _found(path, list(first), given) if isinstance(first, dict) else None
    if needed is None or any(type(first[name]) not in types for name in needed):
        return None
    schema = pa.schema([(name, types[type(first[name])]) for name in needed])
    try:
        options = json_lines.ParseOptions(schema, unexpected_field_behavior="ignore")
        table = json_lines.read_json(path, parse_options=options)
    except (pa.ArrowException, OSError):
        return None
    return None if any(column.null_count for column in table.columns) else _frame(table)


def _found(path: Path, names: list[str], given: Mapping[str, str]) -> list[str] | None:
    """The columns of user, item and time; None where one is missing, or a name occurs twice."""
    found = list(taken(pd.DataFrame(columns=names), EVENTS, given, str(path)).values())
    return None if None in found or len(set(names)) < len(names) else found


def _holds(path: Path, marks: tuple[bytes, ...]) -> bool:
    with lines.opened(path) as file:
        return any(mark in block for block in iter(lambda: file.read(BLOCK), b"") for mark in marks)


def _frame(table: pa.Table) -> pd.DataFrame | None:
    return table.to_pandas(split_blocks=True, self_destruct=True, date_as_object=False) if len(table) else None


def _plain(column: pa.ChunkedArray) -> bool:
    """Whole numbers, or texts that pandas does not read as numbers, without a gap."""
    if column.null_count or not len(column):
        return False
    text = pa.types.is_string(column.type)
    return not _like_a_number(column[0].as_py()) if text else pa.types.is_int64(column.type)


def _dates(column: pa.ChunkedArray) -> bool:
    """Dates since 1970 without a gap; a message shows the text of others."""
    if column.null_count or not (pa.types.is_timestamp(column.type) or pa.types.is_date32(column.type)):
        return False
    return compute.min(column).cast(pa.timestamp("ns")).cast(pa.int64()).as_py() >= 0


def _like_a_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return text.strip().lower() in ("true", "false")
    return True
