"""Times of any form are seconds since 1970 in the end; what is finer orders the rows before it is cut off."""

import numpy as np
import pandas as pd
import pytest

from seqsae_core.data.interactions import check_interactions
from seqsae_core.errors import UserError

START = 1_600_000_000
DAY = 86_400


def checked(times) -> tuple[pd.DataFrame, str]:
    n = len(times)
    return check_interactions(pd.DataFrame({"user_id": [1] * n, "item_id": range(n), "timestamp": times}), "x.csv")


@pytest.mark.parametrize(
    "times",
    [
        ["2020-09-13", "2020-09-14"],
        ["2020-09-13T00:00:00", "2020-09-14 00:00"],
        ["2020-09-13T00:00:00Z", "2020-09-14T02:00:00+02:00"],
        pd.to_datetime(["2020-09-13", "2020-09-14"]),
        pd.to_datetime(["2020-09-13", "2020-09-14"]).tz_localize("UTC").tz_convert("Asia/Tokyo"),
        pd.to_datetime(["2020-09-13", "2020-09-14"]).astype("datetime64[ms]"),
    ],
    ids=["days", "with a time", "with a zone", "datetimes", "datetimes with a zone", "datetimes in milliseconds"],
)
def test_dates_are_seconds(times):
    found, unit = checked(times)
    expected = [pd.Timestamp(2020, 9, day).timestamp() for day in (13, 14)]
    assert found["timestamp"].tolist() == expected and unit == "seconds"


@pytest.mark.parametrize(("factor", "unit"), [(1, "seconds"), (1000, "milliseconds"), (10**6, "microseconds"),
                                              (10**9, "nanoseconds")])  # fmt: skip
@pytest.mark.parametrize("kind", [np.int64, "str"])
def test_the_unit_is_told_from_the_size(factor, unit, kind):
    times = pd.Series([START, START + DAY, START + 2 * DAY]) * factor
    found, told = checked(times.astype(kind))
    assert found["timestamp"].tolist() == [START, START + DAY, START + 2 * DAY] and told == unit


def test_small_numbers_are_an_order():
    assert checked([0, 3, 1])[0]["timestamp"].tolist() == [0, 3, 1]


@pytest.mark.parametrize("times", [[START * 1000 + 7, START * 1000 + 3], [START + 0.7, START + 0.3],
                                   ["2020-09-13T00:00:00.7", "2020-09-13T00:00:00.3"]])  # fmt: skip
def test_what_is_cut_off_has_ordered_the_rows(times):
    found, _ = checked(times)
    assert found["item_id"].tolist() == [1, 0] and found["timestamp"].nunique() == 1


@pytest.mark.parametrize(
    ("times", "message"),
    [
        ([START, -5, -6], r"row 2: timestamp is -5, before 1970.*\(2 such rows\)"),
        (["2020-01-01", "1900-01-01"], r"row 2: timestamp is '1900-01-01', before 1970"),
        ([START, START, START * 1000], "row 3: timestamp is 1600000000000, in milliseconds by its size where 67% of"),
        (["2020-01-01", "13/12/2020"], "row 2: timestamp is '13/12/2020', not a finite number .* nor a date such as"),
        ([START, None], "row 2: timestamp is missing"),
    ],
)
def test_times_that_cannot_be_are_refused_with_their_row(times, message):
    with pytest.raises(UserError, match=message) as caught:
        checked(times)
    assert "x.csv" in str(caught.value) and "remove the row" in str(caught.value)
