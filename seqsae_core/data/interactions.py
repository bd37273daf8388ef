"""The interaction and item tables: their columns, their checks, and the k-core."""

import hashlib
from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from seqsae_core.data import order, times
from seqsae_core.errors import UserError

USER, ITEM, TIME = "user_id", "item_id", "timestamp"
TITLE, GENRES = "title", "genres"
LONGEST_ID, SHOWN = 1000, 60


def check_columns(frame: pd.DataFrame, needed: list[str], path: str) -> None:
    """Raise UserError naming the file and the columns that it lacks."""
    missing = [c for c in needed if c not in frame.columns]
    if missing:
        called = frame.attrs.get("from", {})
        has = ", ".join(str(called.get(name, name)) for name in frame.columns)
        one = " Is it separated by something else than , ; | or a tab?" if len(frame.columns) == 1 else ""
        raise UserError(
            f"{path}: no column {', '.join(missing)}. It has: {has}. "
            f"Rename the columns to {', '.join(needed)}, or name yours (`build --help`: --user-column and so on).{one}"
        )


def check_interactions(frame: pd.DataFrame, path: str) -> tuple[pd.DataFrame, str]:
    """The checked table with columns user_id, item_id, timestamp (int64 seconds since 1970), and its times' unit.

    Times may be numbers of any unit in `times.UNITS`, or dates; where they are finer than a second, rows are put in
    their order before that is cut off. `frame.attrs["from"]` tells what the file calls our columns.
    Raises UserError for missing columns, no rows, ids that are missing or no ids, and times that are missing, neither
    numbers nor dates, before 1970, or of two units; it names the first bad row (1 = first row below the header).
    """
    if len(frame.columns):
        check_columns(frame, [USER, ITEM, TIME], path)
    if frame.empty:
        raise UserError(f"{path}: no rows. At least one interaction is needed.")
    called = frame.attrs.get("from", {})
    for column in (USER, ITEM):
        _refuse(frame[column].isna().to_numpy(), frame[column], path, called)
        check_cells(frame[column], path, called, LONGEST_ID)
    exact, unit = _check_times(frame[TIME], path, called)
    checked = frame[[USER, ITEM]].assign(**{TIME: times.whole_seconds(exact, unit)})
    if (unit or exact.dtype != np.int64) and (exact % 1000**unit != 0).any():
        checked = checked.iloc[np.argsort(exact, kind="stable")].reset_index(drop=True)
    return checked, times.UNITS[unit]


def check_cells(values: pd.Series, path: str, called: Mapping[str, str], longest: int) -> None:
    """Raise UserError naming the first row that holds a list or a record, or a text longer than `longest`."""
    if pd.api.types.is_numeric_dtype(values) or values.empty:
        return
    if values.dtype == object:
        kinds = np.array([isinstance(value, Iterable) and not isinstance(value, str) for value in values])
        _refuse(kinds, values, path, called, ", more than one value")
    long = values.astype(str).str.len().to_numpy(np.int64, na_value=0) > longest
    _refuse(long, values, path, called, f", longer than {longest:,} characters")


def _check_times(values: pd.Series, path: str, called: Mapping[str, str]) -> tuple[np.ndarray, int]:
    """Exact times (n,) and their unit, an index into `times.UNITS`."""
    exact = times.numbers(values)
    _refuse(values.isna().to_numpy() | np.isnan(exact), values, path, called, f", {times.WANTED}")
    _refuse(exact < 0, values, path, called, ", before 1970")
    first, last = times.units(np.array([exact.min(), exact.max()]))
    if first == last:
        return exact, int(first)
    unit = times.units(exact)
    usual = int(np.bincount(unit).argmax())
    mixed = f", in {{}} by its size where {np.mean(unit == usual):.0%} of the times are {times.UNITS[usual]}"
    odd = unit != usual
    _refuse(odd, values, path, called, mixed.format(times.UNITS[unit[odd.argmax()]]))
    return exact, usual


def _refuse(bad: np.ndarray, values: pd.Series, path: str, called: Mapping[str, str], why: str = "") -> None:
    """Raise UserError naming the first row where `bad` (n,) is true."""
    if not bad.any():
        return
    row = int(bad.argmax())
    value = values.iloc[row]
    missing = not isinstance(value, Iterable) and pd.isna(value)
    text = repr(value) if isinstance(value, str | Iterable) else str(value)
    found = "missing" if missing else (text if len(text) <= SHOWN else f"{text[:SHOWN]}…") + why
    theirs = called.get(values.name, values.name)
    column = values.name if theirs == values.name else f"{values.name} (the column {theirs})"
    raise UserError(
        f"{path}, row {row + 1}: {column} is {found}. Correct it or remove the row ({int(bad.sum())} such rows)."
    )


def drop_repeats(frame: pd.DataFrame) -> pd.DataFrame:
    """Rows without those alike in user, item and time to one before them: one event told twice, not two events."""
    owners, moments = order.codes(frame[USER])[0], frame[TIME].to_numpy()
    rows = by_user_and_time(owners, moments)
    tied = (np.diff(owners[rows]) == 0) & (np.diff(moments[rows]) == 0)  # only the items of ties need comparing
    rows = rows[np.append(tied, False) | np.append(False, tied)]
    again = rows[frame.iloc[rows].duplicated([USER, ITEM, TIME])]
    kept = frame.iloc[np.delete(np.arange(len(frame)), again)] if len(again) else frame
    return kept.reset_index(drop=True)


def by_user_and_time(owners: np.ndarray, moments: np.ndarray) -> np.ndarray:
    """The rows by user and then time, ties in the order of the file, int64 (n,)."""
    rows = order.stable(moments)
    return rows[order.stable(owners[rows])]


def k_core(frame: pd.DataFrame, k: int, source: str = "The data") -> pd.DataFrame:
    """Rows left when users and items with fewer than `k` rows are removed until none remain.

    Raises UserError naming the source when nothing is left.
    """
    users, items = (order.codes(frame[column])[0] for column in (USER, ITEM))
    rows = np.arange(len(frame))
    while len(rows):
        keep = (np.bincount(users)[users] >= k) & (np.bincount(items)[items] >= k)
        if keep.all():
            return (frame if len(rows) == len(frame) else frame.iloc[rows]).reset_index(drop=True)
        rows, users, items = rows[keep], users[keep], items[keep]
    raise UserError(
        f"{source}: no users and items are left that have at least {k} interactions each. "
        f"Build with `--min-interactions` below {k}, or bring more data."
    )


def hash_share(ids: np.ndarray, salt: str) -> np.ndarray:
    """A number in [0, 1) for each id, (n,), that depends on the id and the salt only."""
    digests = (hashlib.blake2b(f"{salt}:{one}".encode(), digest_size=8).digest() for one in ids)
    return np.array([int.from_bytes(d, "big") / 2**64 for d in digests])


def sample_users(frame: pd.DataFrame, count: int) -> pd.DataFrame:
    """Rows of `count` users drawn by stable hash: the same users whatever the order of the file."""
    users = np.sort(frame[USER].unique())
    kept = users[np.argsort(hash_share(users, "sample"), kind="stable")[:count]]
    return frame[frame[USER].isin(kept)].reset_index(drop=True)
