"""The interaction and item tables: their columns, their checks, and the k-core."""

import hashlib

import numpy as np
import pandas as pd

from seqsae_core.errors import UserError

USER, ITEM, TIME = "user_id", "item_id", "timestamp"
TITLE, GENRES = "title", "genres"
MAX_TIME = 2.0**63


def check_columns(frame: pd.DataFrame, needed: list[str], path: str) -> None:
    """Raise UserError naming the file and the columns that it lacks."""
    missing = [c for c in needed if c not in frame.columns]
    if missing:
        raise UserError(
            f"{path}: no column {', '.join(missing)}. It has: {', '.join(map(str, frame.columns))}. "
            f"Rename the columns to {', '.join(needed)}, or name yours (`build --help`: --user-column and so on)."
        )


def check_interactions(frame: pd.DataFrame, path: str) -> pd.DataFrame:
    """The checked table with columns user_id, item_id, timestamp (int64; fractions are cut off).

    Raises UserError for missing columns, no rows, missing ids, or times that are missing or no finite number within
    64 bits; the message names the first bad row (1 = first row below the header).
    """
    check_columns(frame, [USER, ITEM, TIME], path)
    if frame.empty:
        raise UserError(f"{path}: no rows. At least one interaction is needed.")
    times = pd.to_numeric(frame[TIME], errors="coerce")
    no_time = frame[TIME].isna().to_numpy() | ~(np.abs(times.to_numpy(float, na_value=np.nan)) < MAX_TIME)
    for column, bad in ((USER, frame[USER].isna()), (ITEM, frame[ITEM].isna()), (TIME, no_time)):
        _refuse(np.asarray(bad), frame[column], path)
    return frame[[USER, ITEM]].assign(**{TIME: times.astype("int64")})


def _refuse(bad: np.ndarray, values: pd.Series, path: str) -> None:
    """Raise UserError naming the first row where `bad` (n,) is true."""
    if not bad.any():
        return
    row = int(bad.argmax())
    value = values.iloc[row]
    found = "missing" if pd.isna(value) else repr(value) if isinstance(value, str) else str(value)
    wanted = ", not a finite number such as Unix seconds" if values.name == TIME and found != "missing" else ""
    raise UserError(
        f"{path}, row {row + 1}: {values.name} is {found}{wanted}. "
        f"Fill it in or remove the row ({int(bad.sum())} such rows)."
    )


def drop_repeats(frame: pd.DataFrame) -> pd.DataFrame:
    """Rows without those alike in user, item and time to one before them: one event told twice, not two events."""
    return frame.drop_duplicates(ignore_index=True)


def k_core(frame: pd.DataFrame, k: int, source: str = "The data") -> pd.DataFrame:
    """Rows left when users and items with fewer than `k` rows are removed until none remain.

    Raises UserError naming the source when nothing is left.
    """
    while len(frame):
        users = frame.groupby(USER)[ITEM].transform("size")
        items = frame.groupby(ITEM)[USER].transform("size")
        keep = (users >= k) & (items >= k)
        if keep.all():
            return frame.reset_index(drop=True)
        frame = frame[keep]
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
