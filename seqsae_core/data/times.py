"""Times of events in the forms they come in, as whole seconds since 1970."""

import numpy as np
import pandas as pd

UNITS = ("seconds", "milliseconds", "microseconds", "nanoseconds")
UNIT_FROM = 10.0 ** np.array([11, 14, 17])  # what is larger cannot be the unit before: 10¹¹ s is the year 5138
MAX_TIME = 2.0**63
WANTED = "not a finite number such as Unix seconds, nor a date such as 2020-12-31 or 2020-12-31T23:59:59"


def numbers(values: pd.Series) -> np.ndarray:
    """Each time as a number, float64 or int64 (n,): as it stands, or dates in seconds; NaN where it is neither.

    Dates are `datetime` columns or ISO 8601 text, without a zone in UTC.
    """
    if pd.api.types.is_datetime64_any_dtype(values):
        return _seconds(values)
    found = pd.to_numeric(values, errors="coerce")
    if found.dtype == np.int64:
        return found.to_numpy()
    given = found.to_numpy(float, na_value=np.nan, copy=True)
    texts = np.isnan(given) & values.notna().to_numpy()
    if texts.any():
        dates = pd.to_datetime(values[texts].astype(str), format="ISO8601", utc=True, errors="coerce")
        given[texts] = _seconds(dates)
    given[~(np.abs(given) < MAX_TIME)] = np.nan
    return given


def _seconds(dates: pd.Series) -> np.ndarray:
    exact = dates.dt.tz_convert(None) if dates.dt.tz is not None else dates
    return ((exact - pd.Timestamp(0)) / pd.Timedelta(seconds=1)).to_numpy(float)


def units(times: np.ndarray) -> np.ndarray:
    """The unit that the size of each number since 1970 implies, an index into UNITS, (n,)."""
    return np.searchsorted(UNIT_FROM, times, side="right")


def whole_seconds(times: np.ndarray, unit: int) -> np.ndarray:
    """Times of one unit as int64 seconds (n,); fractions are cut off."""
    return times.astype(np.int64) // 1000**unit
