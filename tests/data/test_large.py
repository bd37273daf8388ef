"""What pyarrow reads of events is what pandas reads of them, to the last bit; what could differ is left to pandas."""

import gzip

import numpy as np
import pandas as pd
import pytest

from seqsae_core.data import large, order
from seqsae_core.data.readers import read

HEADER = "user_id,item_id,timestamp,note\n"
RECBOLE = "user_id:token\titem_id:token\ttimestamp:float\n"
ALIKE = {
    "numbers": ("x.csv", HEADER + "1,2,3,a\n1,4,2,b\n007, 5,9,\n"),
    "texts": ("x.csv", HEADER + 'u1,"a, b",3,\nu2,"c ""d""",4,\nu1,inf,5,\n'),
    "dates": ("x.csv", HEADER + "1,2,2020-01-02 11:53:26,\n1,3,2020-01-01 00:00:00,\n"),
    "days": ("x.csv", HEADER + "1,2,2020-01-02,\n1,3,2020-01-01,\n"),
    "fractions of seconds": ("x.csv", HEADER + "1,2,2020-01-01 00:00:00.7,\n1,3,2020-01-01 00:00:00.3,\n"),
    "zones": ("x.csv", HEADER + "1,2,2020-01-02T00:00:00+02:00,\n1,3,2020-01-01T23:00:00Z,\n"),
    "milliseconds": ("x.csv", HEADER + "1,2,1600000000007,\n1,3,1600000000003,\n"),
    "order mark, empty lines": ("x.csv", "\ufeff" + HEADER + "1,2,3,a\n\n4,5,6,b\r\n"),
    "a note of two lines": ("x.csv", HEADER + '1,2,3,"a\nb"\n4,5,6,\n'),
    "semicolons": ("x.csv", (HEADER + "1,2,3,a\n").replace(",", ";")),
    "tabs": ("x.tsv", (HEADER + "1,2,3,a\n").replace(",", "\t")),
    "packed": ("x.csv.gz", HEADER + "1,2,3,a\n4,5,6,b\n"),
    "RecBole": ("x.inter", RECBOLE + "1\t2\t3\n4\t5\t6\n"),
    "u.data": ("x.data", "1\t2\t5\t3\n4\t5\t1\t6\n"),
    "ratings.dat": ("x.dat", "1::2::5::3\n4::5::1.5::6\n"),
    "SASRec": ("x.txt", "1 2\n1 3\n4 2\n"),
    "JSON": ("x.jsonl", '{"user_id": "7", "item_id": 2, "timestamp": 3, "x": [1]}\n{"user_id": "08", "timestamp": 1, '
                        '"item_id": 5}\n'),
}  # fmt: skip
LEFT = {
    "hexadecimal numbers": ("x.csv", HEADER + "0x1A,2,3,\n0x1B,2,3,\n"),
    "signs": ("x.csv", HEADER + "+5,2,3,\n+6,2,3,\n"),
    "truth": ("x.csv", HEADER + "True,2,3,\nFalse,2,3,\n"),
    "broken numbers": ("x.csv", HEADER + "1.0,2,3.5,\n2.0,2,4.5,\n"),
    "ids that are dates": ("x.csv", HEADER + "2020-01-01,2,3,\n2020-01-02,2,3,\n"),
    "larger than 64 bits": ("x.csv", HEADER + "18446744073709551615,2,3,\n1,2,3,\n"),
    "rows without a note": ("x.csv", HEADER + "1,2,3\n4,5,6\n"),
    "texts below numbers": ("x.csv", HEADER + "1,2,3,\n" * 200_000 + "x,2,4,\n"),
    "truth in JSON": ("x.jsonl", '{"user_id": true, "item_id": 2, "timestamp": 3}\n'),
    "texts below numbers in JSON": ("x.jsonl", '{"user_id": 1, "item_id": 2, "timestamp": 3}\n{"user_id": "a", '
                                               '"item_id": 2, "timestamp": 4}\n'),
}  # fmt: skip


def _both(folder, monkeypatch, name, text):
    """The table read as it is, and by pandas alone; whether pyarrow read it."""
    path, content = folder / name, text.encode()
    path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    found, read_by = [], large.events
    monkeypatch.setattr(large, "events", lambda *options: found.append(read_by(*options)) or found[-1])
    first = read(str(path))
    monkeypatch.setattr(large, "events", lambda *_: None)
    return first, read(str(path)), found[0] is not None


@pytest.mark.parametrize(("name", "text"), ALIKE.values(), ids=ALIKE)
def test_pyarrow_reads_what_pandas_reads(tmp_path, monkeypatch, name, text):
    found, expected, by_pyarrow = _both(tmp_path, monkeypatch, name, text)
    assert by_pyarrow
    for ours, theirs in zip(found, expected, strict=True):
        pd.testing.assert_frame_equal(ours, theirs)


@pytest.mark.parametrize(("name", "text"), LEFT.values(), ids=LEFT)
def test_what_could_be_read_otherwise_gives_what_pandas_reads(tmp_path, monkeypatch, name, text):
    found, expected, by_pyarrow = _both(tmp_path, monkeypatch, name, text)
    assert not by_pyarrow
    for ours, theirs in zip(found, expected, strict=True):
        pd.testing.assert_frame_equal(ours, theirs)


@pytest.mark.parametrize("values", [
    [5, 3, 5, 9, 3], [5, 10**15, 5, -(10**15)], [2**63 - 1, -(2**63), 0, 0], ["b", "a", "b"], [1.5, 0.5, 1.5], [7], [],
], ids=str)  # fmt: skip
def test_numbering_and_sorting_are_pandas_and_numpys(values):
    column = pd.Series(values, dtype=None if values else "int64")
    ranks, known = pd.factorize(column, sort=True)
    found = order.codes(column)
    assert np.array_equal(found[0], ranks) and list(found[1]) == list(known)
    if column.dtype != "str":
        array = column.to_numpy()
        assert np.array_equal(order.stable(array), np.argsort(array, kind="stable"))


@pytest.mark.parametrize("kind", [np.int8, np.int32, np.uint16, np.uint64, np.int64])
def test_numbers_keep_their_type(kind):
    values = pd.Series(np.array([3, 1, 100, 3], kind))
    ranks, known = order.codes(values)
    assert ranks.tolist() == [1, 0, 2, 1] and known.dtype == kind
    assert order.stable(values.to_numpy()).tolist() == [1, 0, 3, 2]
