"""The first rows of somebody's table, and which of its columns would be taken for what, before anything is built."""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

from seqsae_core.data import columns, lines, readers
from seqsae_core.errors import UserError

ROWS = 200


@dataclass(frozen=True)
class Preview:
    """The first rows as they stand in the file; taken: role → column, for the roles that have one."""

    rows: pd.DataFrame
    taken: dict[str, str]


def preview(path: Path, roles: tuple[str, ...], given: Mapping[str, str]) -> Preview:
    """The first ROWS rows of a file that `readers.read` takes, and the columns of `roles`: given, else guessed.

    Reads no more of the file than those rows. Raises UserError as `readers.read` does.
    """
    rows = _head(path)
    taken = columns.taken(rows, roles, given, str(path))
    return Preview(rows, {role: column for role, column in taken.items() if column is not None})


def _head(path: Path) -> pd.DataFrame:
    if path.suffix == ".parquet":
        return _head_of_parquet(path)
    if path.name in readers.MOVIELENS_ITEMS:
        return readers.table(path).head(ROWS)
    plain = path.with_suffix("") if path.suffix == ".gz" else path
    with tempfile.TemporaryDirectory() as folder:
        short = Path(folder) / plain.name
        short.write_bytes(b"".join(_lines(path)))
        try:
            return readers.table(short).head(ROWS)
        except UserError as error:
            raise UserError(str(error).replace(str(short), str(path))) from None


def _lines(path: Path) -> list[bytes]:
    """The header and ROWS lines. Raises UserError where one is too long to be a row, or the file cannot be read."""
    try:
        with lines.opened(path) as file:
            head = [file.readline(lines.LONGEST) for _ in range(ROWS + 1)]
    except (OSError, EOFError) as error:
        raise UserError(f"{path}: cannot be read ({error}). Check that the file is whole.") from error
    long = next((n for n, line in enumerate(head) if len(line) == lines.LONGEST), None)
    if long is not None:
        raise UserError(f"{path}, line {long + 1}: longer than {lines.LONGEST:,} bytes. Check that this is a table.")
    return head


def _head_of_parquet(path: Path) -> pd.DataFrame:
    try:
        batches = pq.ParquetFile(path).iter_batches(batch_size=ROWS)
        first = next(batches, None)
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: cannot be read as .parquet ({error}). Check that the file is whole.") from error
    if first is None:
        raise UserError(f"{path}: no rows. At least one interaction is needed.")
    return first.to_pandas()
