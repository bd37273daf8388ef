"""Every layout is read to the same columns; every broken file gets a message that names it."""

import pandas as pd
import pytest

from seqsae_core.data.readers import fingerprint, read
from seqsae_core.data.sequences import build_sequences
from seqsae_core.errors import UserError


def test_movietweetings_is_whole():
    interactions, items = read("movietweetings")
    assert list(interactions) == ["user_id", "item_id", "timestamp"]
    assert (len(interactions), interactions["user_id"].nunique(), len(items)) == (532_608, 44_661, 25_803)
    assert items["title"].str.contains("(2013)", regex=False).any()


@pytest.mark.parametrize(
    ("name", "rows", "genre"),
    [
        ("ml-100k", 100_000, "Film-Noir"),
        ("ml-latest-small", 100_836, "Film-Noir"),
        ("ml-100k/recbole", 100_000, "Action"),
    ],
)
def test_other_layouts(other_data, name, rows, genre):
    interactions, items = read(str(other_data / name))
    assert len(interactions) == rows
    assert interactions["timestamp"].dtype == "int64"
    assert items["genres"].str.contains(genre).any()
    assert set(interactions["item_id"]) == set(items["item_id"])


def test_items_without_a_table_get_their_id_as_title(tmp_path):
    pd.DataFrame({"user_id": [1], "item_id": ["a"], "timestamp": [5]}).to_csv(tmp_path / "x.csv", index=False)
    _, items = read(str(tmp_path / "x.csv"))
    assert items.to_dict("records") == [{"item_id": "a", "title": "a", "genres": ""}]


BROKEN = {
    "no rows": ("user_id,item_id,timestamp\n", "no rows"),
    "missing column": ("user_id,thing\n1,2\n", "no column item_id, timestamp"),
    "empty id": ("user_id,item_id,timestamp\n1,2,3\n1,,3\n", "row 2: item_id"),
    "time is text": ("user_id,item_id,timestamp\n1,2,noon\n", "row 1: timestamp is 'noon'"),
    "no header": ("", "cannot be read"),
    "no time": ("user_id,item_id,timestamp\n1,2,3\n1,3,\n", "row 2: timestamp is missing"),
    "time is NaN": ("user_id,item_id,timestamp\n1,2,nan\n1,3,nan\n", r"row 1: timestamp is missing.*\(2 such rows\)"),
    "time is infinite": ("user_id,item_id,timestamp\n1,2,3\n1,3,inf\n", "row 2: timestamp is inf, not a finite number"),
    "time is too large": ("user_id,item_id,timestamp\n1,2,1e30\n", r"row 1: timestamp is 1e\+30, not a finite"),
}


@pytest.mark.parametrize(("text", "message"), BROKEN.values(), ids=BROKEN)
def test_broken_files_name_the_row_and_the_remedy(tmp_path, text, message):
    path = tmp_path / "broken.csv"
    path.write_text(text)
    with pytest.raises(UserError, match=message) as caught:
        read(str(path))
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("suffix", [".csv", ".dat", ".data", ".inter", ".parquet"])
def test_empty_files_of_every_layout(tmp_path, suffix):
    path = tmp_path / f"empty{suffix}"
    path.touch()
    with pytest.raises(UserError, match=r"no rows|cannot be read") as caught:
        read(str(path))
    assert str(path) in str(caught.value)


def test_times_of_a_parquet_file_may_be_dates_but_not_missing(tmp_path):
    dates = pd.to_datetime(["2020-01-02", "2020-01-01"])
    frame = pd.DataFrame({"user_id": [1, 1], "item_id": [1, 2], "timestamp": dates})
    frame.to_parquet(tmp_path / "x.parquet")
    times = read(str(tmp_path / "x.parquet"))[0]["timestamp"]
    assert times.dtype == "int64" and times[0] > times[1]
    for missing in (frame["timestamp"].where([True, False]), pd.array([5, None], dtype="Int64")):
        frame.assign(timestamp=missing).to_parquet(tmp_path / "x.parquet")
        with pytest.raises(UserError, match="row 2: timestamp is missing"):
            read(str(tmp_path / "x.parquet"))


def test_truncated_parquet(tmp_path):
    path = tmp_path / "cut.parquet"
    path.write_bytes(b"PAR1 not whole")
    with pytest.raises(UserError, match="cannot be read"):
        read(str(path))


@pytest.mark.parametrize("source", ["nowhere", "nowhere.csv"])
def test_missing_source(source):
    with pytest.raises(UserError, match="No data at"):
        read(source)


def test_missing_and_repeated_items(tmp_path):
    (tmp_path / "x.csv").write_text("user_id,item_id,timestamp\n1,2,3\n")
    with pytest.raises(UserError, match="No item table"):
        read(str(tmp_path / "x.csv"), str(tmp_path / "gone.csv"))
    (tmp_path / "items.csv").write_text("item_id,title\n2,A\n2,B\n")
    with pytest.raises(UserError, match=r"row 2: item_id .* occurs twice"):
        read(str(tmp_path / "x.csv"), str(tmp_path / "items.csv"))


@pytest.mark.parametrize(
    ("events", "items"),
    [(("1", "2", "2"), ("1", "2", "abc")), (("1", "2", "abc"), ("1", "2", "7")), (("1", "2", "abc"), ("1", "", "2"))],
    ids=["text in the items", "text in the events", "an item without an id"],
)
def test_ids_are_text_where_one_table_holds_text(tmp_path, events, items):
    rows = "".join(f"1,{item},{time}\n" for time, item in enumerate(events))
    (tmp_path / "interactions.csv").write_text("user_id,item_id,timestamp\n" + rows)
    (tmp_path / "items.csv").write_text("item_id,title\n" + "".join(f"{item},Film {item}\n" for item in items))
    interactions, table = read(str(tmp_path))
    assert interactions["item_id"].tolist() == list(events)
    titles = dict(zip(table["item_id"], table["title"], strict=True))
    assert titles == {item: f"Film {item}" if item in items else item for item in events}


@pytest.mark.parametrize("suffix", [".csv", ".data", ".inter"])
def test_one_text_id_far_down_makes_every_id_of_its_column_text(tmp_path, suffix):
    """Longer than what pandas reads at a time, so that a column could come out in parts of two types."""
    separator = "," if suffix == ".csv" else "\t"
    header = {".csv": "user_id,item_id,timestamp,x", ".inter": "user_id:token\titem_id:token\ttimestamp:float\tx:float"}
    lines = [separator.join((str(row % 50), "3", "4", str(row))) for row in range(300_000)]
    lines.append(separator.join(("x1", "3", "4", "5")))
    path = tmp_path / f"long{suffix}"
    path.write_text("\n".join([header[suffix], *lines] if suffix in header else lines))
    interactions, _ = read(str(path))
    users = build_sequences(interactions)[0].users
    assert set(users) == {"x1", *map(str, range(50))} and len(users) == 51


def test_fingerprint_follows_the_bytes(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("user_id,item_id,timestamp\n1,2,3\n")
    before = fingerprint(str(path))
    assert before == fingerprint(str(path))
    path.write_text("user_id,item_id,timestamp\n1,2,4\n")
    assert before != fingerprint(str(path))


def test_lines_may_end_in_a_lone_carriage_return(tmp_path):
    (tmp_path / "x.csv").write_bytes(b"user_id,item_id,timestamp\r1,5,10\r2,6,11\r")
    assert read(str(tmp_path / "x.csv"))[0].to_numpy().tolist() == [[1, 5, 10], [2, 6, 11]]
