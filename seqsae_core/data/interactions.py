"""The interaction and item tables: their columns, their checks, and the k-core."""

import hashlib

import numpy as np
import pandas as pd

from seqsae_core.errors import UserError

USER, ITEM, TIME = "user_id", "item_id", "timestamp"
TITLE, GENRES = "title", "genres"


def check_columns(frame: pd.DataFrame, needed: list[str], path: str) -> None:
    """Raise UserError naming the file and the columns that it lacks."""
    missing = [c for c in needed if c not in frame.columns]
    if missing:
        raise UserError(
            f"{path}: no column {', '.join(missing)}. It has: {', '.join(map(str, frame.columns))}. "
            f"Rename the columns to {', '.join(needed)}."
        )


def check_interactions(frame: pd.DataFrame, path: str) -> pd.DataFrame:
    """The checked table with columns user_id, item_id, timestamp; exact duplicates are dropped.

    Raises UserError for missing columns, no rows, missing ids, or times that are missing or not numbers;
    the message names the first bad row (1 = first row below the header).
    """
    check_columns(frame, [USER, ITEM, TIME], path)
    if frame.empty:
        raise UserError(f"{path}: no rows. At least one interaction is needed.")
    times = pd.to_numeric(frame[TIME], errors="coerce")
    for column, bad in ((USER, frame[USER].isna()), (ITEM, frame[ITEM].isna()), (TIME, times.isna())):
        if bad.any():
            row = int(bad.to_numpy().argmax())
            raise UserError(
                f"{path}, row {row + 1}: {column} is {frame[column].iloc[row]!r}. "
                f"Fill it in or remove the row ({int(bad.sum())} such rows)."
            )
    frame = frame[[USER, ITEM]].assign(**{TIME: times.astype("int64")})
    return frame.drop_duplicates(ignore_index=True)


def k_core(frame: pd.DataFrame, k: int) -> pd.DataFrame:
    """Rows left when users and items with fewer than `k` rows are removed until none remain.

    Raises UserError when nothing is left.
    """
    while len(frame):
        users = frame.groupby(USER)[ITEM].transform("size")
        items = frame.groupby(ITEM)[USER].transform("size")
        keep = (users >= k) & (items >= k)
        if keep.all():
            return frame.reset_index(drop=True)
        frame = frame[keep]
    raise UserError(
        f"No user and item with at least {k} interactions each: lower `min_interactions` or bring more data."
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
