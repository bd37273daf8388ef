"""Numbering and stable sorting of columns of millions of rows: pandas' and numpy's own results, in less time."""

import numpy as np
import pandas as pd

SPREAD = 4  # whole numbers that span more than so many times their count are numbered by pandas' hash table


def codes(values: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """The rank of each value among the distinct ones, int64 (n,), and these, ascending: `pd.factorize(sort=True)`.

    Whole numbers that lie close together, as ids do, are counted off in a table of their range.
    """
    numbers = values.to_numpy() if isinstance(values.dtype, np.dtype) else values
    if not len(values) or not _whole(numbers) or _span(numbers) > SPREAD * len(values):
        ranks, known = pd.factorize(values, sort=True)
        return ranks, np.asarray(known)
    low = int(numbers.min())
    at = numbers.astype(np.int64) - low
    there = np.zeros(_span(numbers) + 1, bool)
    there[at] = True
    return (np.cumsum(there) - 1)[at], (np.flatnonzero(there) + low).astype(numbers.dtype)


def stable(values: np.ndarray) -> np.ndarray:
    """The rows in the order of their values, ties as they stand, int64 (n,): `np.argsort(kind="stable")`.

    Whole numbers are sorted with their row in the low bits, since numpy sorts numbers much faster than rows by numbers.
    """
    row = len(values).bit_length()
    if not len(values) or not _whole(values) or _span(values).bit_length() + row > 63:
        return np.argsort(values, kind="stable")
    packed = (values.astype(np.int64) - int(values.min())) << row
    packed |= np.arange(len(values))
    packed.sort()
    packed &= (1 << row) - 1
    return packed


def _whole(values: np.ndarray | pd.Series) -> bool:
    return isinstance(values, np.ndarray) and values.dtype.kind in "iu" and values.dtype != np.uint64


def _span(values: np.ndarray) -> int:
    return int(values.max()) - int(values.min())
