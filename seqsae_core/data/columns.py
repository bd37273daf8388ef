"""Which column of somebody's table is the user, the item, the time, the title, the concepts: given, or guessed."""

from collections.abc import Mapping

import pandas as pd

from seqsae_core.data.interactions import GENRES, ITEM, TIME, TITLE, USER
from seqsae_core.errors import UserError

ROLES = {"user": USER, "item": ITEM, "time": TIME, "title": TITLE, "concept": GENRES}
EVENTS, ITEMS, OPTIONAL = ("user", "item", "time"), ("item", "title", "concept"), ("title", "concept")
GUESSES = {
    "user": (USER, "userid", "user", "uid", "customer_id", "customerid", "household_id", "visitorid", "session_id"),
    "item": (ITEM, "itemid", "item", "iid", "movie_id", "movieid", "product_id", "productid", "article_id", "sku"),
    "time": (TIME, "datetime", "time", "unix_timestamp", "unixreviewtime", "transaction_timestamp", "date"),
    "title": (TITLE, "name", "movie_title", "item_name", "product_name"),
    "concept": (GENRES, "genre", "class", "categories", "category", "department"),
}


def our_columns(
    frame: pd.DataFrame, roles: tuple[str, ...], given: Mapping[str, str], path: str
) -> tuple[pd.DataFrame, str]:
    """The table under our column names, and what was taken for what (“user_id from customer_id”; empty if nothing).

    The table's `attrs["from"]` has the column of each of our names. given: role → column, before any guess; guesses
    ignore case, and the earlier name of `GUESSES` wins.
    Raises UserError naming file and flag for a given column that is not there, or one column in two roles.
    """
    columns = {role: column for role, column in taken(frame, roles, given, path).items() if column is not None}
    renamed = {column: ROLES[role] for role, column in columns.items() if column != ROLES[role]}
    stale = [name for name in renamed.values() if name in frame and name not in renamed]
    told = ", ".join(f"{ours} from {theirs}" for theirs, ours in renamed.items())
    ours = frame.drop(columns=stale).rename(columns=renamed)
    ours.attrs["from"] = {ROLES[role]: column for role, column in columns.items()}
    return ours, told


def taken(
    frame: pd.DataFrame, roles: tuple[str, ...], given: Mapping[str, str], path: str
) -> dict[str, str | None]:
    """Role → the table's column, None where nothing looks like one. Raises UserError as `our_columns` does."""
    found = {role: _column(frame, role, given.get(role), path) for role in roles}
    columns = {role: column for role, column in found.items() if column is not None}
    if len(set(columns.values())) < len(columns):
        flags = " ".join(f"--{role}-column {column}" for role, column in columns.items())
        raise UserError(f"{path}: one column cannot be two things ({flags}). Give each flag a column of its own.")
    return found


def _column(frame: pd.DataFrame, role: str, given: str | None, path: str) -> str | None:
    """The table's column for a role, None where nothing looks like it."""
    if given is not None:
        if given not in frame.columns:
            has = ", ".join(map(str, frame.columns))
            raise UserError(f"{path}: no column {given}, which --{role}-column names. It has: {has}.")
        return given
    lowered = {str(column).strip().lower(): column for column in reversed(list(frame.columns))}
    return next((lowered[name] for name in GUESSES[role] if name in lowered), None)
