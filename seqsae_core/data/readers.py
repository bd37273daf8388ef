"""Files in the layouts that people have, to the two tables of `interactions`."""

import hashlib
import json
import warnings
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from seqsae_core.data import large, lines
from seqsae_core.data.columns import EVENTS, ITEMS, OPTIONAL, our_columns, taken
from seqsae_core.data.interactions import (
    GENRES,
    ITEM,
    LONGEST_ID,
    SHOWN,
    TIME,
    TITLE,
    USER,
    check_cells,
    check_columns,
    check_interactions,
)
from seqsae_core.errors import UserError

ASSETS = Path(__file__).resolve().parents[2] / "assets"
BUILT_IN = {"movietweetings": ASSETS / "movietweetings"}
LONGEST_TEXT = 100_000
RECBOLE_TYPES = ("", "token", "token_seq", "float", "float_seq")
MOVIELENS_ITEMS = ("movies.dat", "u.item")


def read(
    source: str, items: str | None = None, columns: Mapping[str, str] | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Interactions (user_id, item_id, timestamp) and items (item_id, title, genres) of a source.

    `source` is a built-in name, a folder (MovieTweetings Parquet, MovieLens .dat / .csv / 100k, RecBole) or
    an interactions file (.csv, .tsv, .jsonl, .parquet, SASRec's “user item” .txt; each but Parquet may be .gz) with
    `items` beside it. `columns` names the column of a role (user, item, time, title, concept); others are guessed, and
    the interactions' `attrs["columns"]` says what was taken for what. Item ids are text in both tables unless they are
    numbers in both. Raises UserError naming file and remedy.
    """
    interactions_path, items_path = locate(source, items)
    given = columns or {}
    events, told = our_columns(table(interactions_path, EVENTS, given), EVENTS, given, str(interactions_path))
    interactions, unit = check_interactions(events, str(interactions_path))
    told = "; ".join(filter(None, (told, unit != "seconds" and f"times in {unit}, kept in seconds")))
    if items_path is None:
        return _telling(interactions, told), _nameless(interactions)
    known, told_items = _item_table(items_path, given)
    interactions, known = _same_ids(interactions, known)
    told = "; ".join(filter(None, (told, told_items and f"{items_path.name}: {told_items}")))
    return _telling(interactions, told), _every_item(interactions, known)


def _telling(interactions: pd.DataFrame, told: str) -> pd.DataFrame:
    interactions.attrs["columns"] = told
    return interactions


def fingerprint(source: str, items: str | None = None) -> str:
    """SHA-256 over the bytes of the source's files: same data, same fingerprint."""
    digest = hashlib.sha256()
    for path in filter(None, locate(source, items)):
        with path.open("rb") as file:
            for block in iter(lambda file=file: file.read(lines.LONGEST), b""):
                digest.update(block)
    return digest.hexdigest()


def locate(source: str, items: str | None = None) -> tuple[Path, Path | None]:
    """The interactions file and the items file (None if there is none) of a source."""
    path = BUILT_IN.get(source, Path(source))
    if not path.exists():
        raise UserError(
            f"No data at {path}. Give a file, a folder, or one of the built-in names: {', '.join(BUILT_IN)}."
        )
    if items is not None and not Path(items).is_file():
        raise UserError(f"No item table at {items}. Give a .csv or .parquet file with item_id, title, genres.")
    if path.is_file():
        return path, Path(items) if items else None
    found = _in_folder(path)
    return found[0], Path(items) if items else found[1]


_LAYOUTS = [
    ("ratings.parquet", "movies.parquet"),
    ("ratings.dat", "movies.dat"),
    ("ratings.csv", "movies.csv"),
    ("u.data", "u.item"),
    ("interactions.parquet", "items.parquet"),
    ("interactions.csv", "items.csv"),
]


def _in_folder(folder: Path) -> tuple[Path, Path | None]:
    layouts = _LAYOUTS + [(p.name, p.with_suffix(".item").name) for p in sorted(folder.glob("*.inter"))]
    for interactions, items in layouts:
        if (folder / interactions).is_file():
            return folder / interactions, folder / items if (folder / items).is_file() else None
    names = ", ".join(a for a, _ in _LAYOUTS)
    raise UserError(f"{folder}: none of {names} or *.inter found. Name the interactions file itself.")


def table(path: Path, roles: tuple[str, ...] = (), given: Mapping[str, str] | None = None) -> pd.DataFrame:
    """One file as it stands; the suffix tells the layout. Raises UserError naming the file.

    Of a Parquet file only the columns that `columns.taken` finds for `roles` are read, and no row where one that must
    be there is missing; of text with the columns of an event only these, where `large` reads them.
    """
    suffix = Path(path.stem).suffix if path.suffix == ".gz" else path.suffix
    if suffix not in READERS:
        raise UserError(f"{path}: unknown file type “{suffix}”. Use {', '.join(READERS)}.")
    reader = _movielens_items if path.name in MOVIELENS_ITEMS else READERS[suffix]
    try:
        if suffix == ".parquet":
            return _parquet(path, roles, given or {}) if roles else reader(path)
        lines.refuse_others(path)
        found = large.events(path, suffix, given or {}) if roles == EVENTS else None
        return reader(path) if found is None else _with_times(found, suffix)
    except UnicodeDecodeError as error:
        row = lines.first_bad_line(path, lambda line: line.decode())
        raise UserError(
            f"{path}, line {row}: cannot be read as UTF-8 ({error}). {lines.SAVE}"
        ) from error
    except (EOFError, ValueError, OSError, zlib.error, pd.errors.ParserWarning) as error:
        row = lines.first_bad_line(path, json.loads) if suffix == ".jsonl" else None
        where = f"{path}, line {row}" if row else str(path)
        why = str(error).strip()
        raise UserError(f"{where}: cannot be read as {suffix} ({why}). Check that the file is whole.") from error


def _parquet(path: Path, roles: tuple[str, ...], given: Mapping[str, str]) -> pd.DataFrame:
    names = pd.DataFrame(columns=pq.read_schema(path).names)
    found = taken(names, roles, given, str(path))
    if any(column is None for role, column in found.items() if role not in OPTIONAL):
        return names
    return pd.read_parquet(path, columns=[column for column in found.values() if column is not None])


def _separated(path: Path) -> pd.DataFrame:
    """A table with a header; raises UserError for a column told twice, which pandas would rename in silence."""
    _once(path, lines.header(path))
    return _text(path, sep=lines.separator(path))


def _once(path: Path, names: list[str]) -> list[str]:
    twice = sorted({name for name in names if name and names.count(name) > 1})
    if twice:
        raise UserError(f"{path}, header: {', '.join(twice)} occurs twice. Rename or remove one of the columns.")
    return names


def _text(path: Path, **options: Any) -> pd.DataFrame:
    """Text as pandas reads it; rows longer than the header are an error, not an index. ParserWarning, ValueError."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", pd.errors.ParserWarning)
        return pd.read_csv(path, low_memory=False, index_col=False, **options)


def _sasrec(path: Path) -> pd.DataFrame:
    """SASRec's text: one “user item” a line, no header, each user's items in order; the row number is the time."""
    return _with_times(_headerless(path, " ", [USER, ITEM]), ".txt")


def _with_times(frame: pd.DataFrame, suffix: str) -> pd.DataFrame:
    return frame.assign(**{TIME: range(len(frame))}) if suffix == ".txt" else frame


def _headerless(path: Path, separator: str, names: list[str]) -> pd.DataFrame:
    lines.refuse_other_fields(path, separator, names)
    return _text(path, sep=separator, header=None, names=names)


def _dat(path: Path, names: list[str]) -> pd.DataFrame:
    lines.refuse_other_fields(path, "::", names)
    return pd.read_csv(path, sep="::", engine="python", header=None, names=names, encoding="latin-1")


def _recbole(path: Path) -> pd.DataFrame:
    """RecBole's atomic file, `name:type` a column; `attrs["sequences"]`: those that hold texts parted by spaces."""
    frame = _separated(path)
    typed = [column.partition(":")[::2] for column in frame.columns]
    odd = next((f"{name}:{kind}" for name, kind in typed if kind not in RECBOLE_TYPES), None)
    if odd:
        raise UserError(f"{path}, header: {odd[:SHOWN]} is no “name:type” of RecBole. Part columns by tabs.")
    frame.columns = _once(path, [name for name, _ in typed])
    frame.attrs["sequences"] = [name for name, kind in typed if kind == "token_seq"]
    return frame


def _item_table(path: Path, given: Mapping[str, str]) -> tuple[pd.DataFrame, str]:
    """item_id, title, genres of a file, and which columns they were taken from.

    Raises UserError for a missing column, an item told twice, or a cell that is no id or no text.
    """
    whole = table(path, ITEMS, given)
    frame, told = our_columns(whole, ITEMS, given, str(path))
    if len(frame.columns):
        check_columns(frame, [ITEM], str(path))
    if frame.empty:
        raise UserError(f"{path}: no rows. Add a row an item, or leave the item table out.")
    called = frame.attrs["from"]
    absent = {TITLE: None, GENRES: ""}
    frame = frame.assign(**{name: value for name, value in absent.items() if name not in frame})
    frame[GENRES] = _one_text(frame[GENRES], called.get(GENRES) in whole.attrs.get("sequences", ()))
    for column, longest in ((ITEM, LONGEST_ID), (TITLE, LONGEST_TEXT), (GENRES, LONGEST_TEXT)):
        check_cells(frame[column], str(path), called, longest)
    if frame[ITEM].duplicated().any():
        row = int(frame[ITEM].duplicated().to_numpy().argmax())
        raise UserError(f"{path}, row {row + 1}: item_id {frame[ITEM].iloc[row]!r} occurs twice. Keep one row an item.")
    return frame[[ITEM, TITLE, GENRES]], told


def _one_text(concepts: pd.Series, parted_by_spaces: bool) -> pd.Series:
    """Concepts parted by “|”, of such text, of lists (Parquet, JSON), or of RecBole's `token_seq`."""
    if parted_by_spaces:
        return concepts.astype("string").str.strip().str.replace(r"\s+", "|", regex=True)
    if concepts.dtype != object:
        return concepts
    return concepts.map(lambda cell: "|".join(map(str, cell)) if isinstance(cell, list | tuple | np.ndarray) else cell)


def _same_ids(*tables: pd.DataFrame) -> tuple[pd.DataFrame, ...]:
    """The same tables with their item ids as text, the number 1.0 as “1”, unless all of them hold numbers."""
    if all(pd.api.types.is_numeric_dtype(table[ITEM]) for table in tables):
        return tables
    return tuple(table.assign(**{ITEM: table[ITEM].convert_dtypes().astype(str)}) for table in tables)


def _nameless(interactions: pd.DataFrame) -> pd.DataFrame:
    """item_id, title, genres of every item that occurs, its id as title."""
    ids = pd.DataFrame({ITEM: interactions[ITEM].unique()})
    return ids.assign(title=ids[ITEM].astype(str), genres="")


def _every_item(interactions: pd.DataFrame, known: pd.DataFrame) -> pd.DataFrame:
    """item_id, title, genres; every item that occurs has a row, with its id as title where none is known."""
    table = pd.DataFrame({ITEM: interactions[ITEM].unique()}).merge(known, on=ITEM, how="left")
    table[TITLE] = table[TITLE].fillna(table[ITEM].astype(str)).astype(str)
    table[GENRES] = table[GENRES].fillna("").astype(str)
    return table


def _movielens_items(path: Path) -> pd.DataFrame:
    if path.name == "movies.dat":
        return _dat(path, [ITEM, TITLE, GENRES])
    names = pd.read_csv(path.parent / "u.genre", sep="|", header=None)[0].dropna().tolist()
    columns = [ITEM, TITLE, "release", "video", "url", *names]
    lines.refuse_other_fields(path, "|", columns)
    frame = pd.read_csv(path, sep="|", header=None, names=columns, encoding="latin-1")
    frame[GENRES] = [("|".join(n for n in names if row[n])) for row in frame[names].to_dict("records")]
    return frame[[ITEM, TITLE, GENRES]]


READERS = {
    ".parquet": pd.read_parquet,
    ".csv": _separated,
    ".tsv": _separated,
    ".jsonl": lambda p: pd.read_json(p, lines=True, dtype=False),
    ".txt": _sasrec,
    ".dat": lambda p: _dat(p, [USER, ITEM, "rating", TIME]),
    ".data": lambda p: _headerless(p, "\t", [USER, ITEM, "rating", TIME]),
    ".inter": _recbole,
    ".item": _recbole,
}
