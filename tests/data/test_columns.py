"""Tables of other people: columns guessed, shown and named; broken files refused with a remedy."""

import gzip

import pandas as pd
import pytest

from seqsae_core.data.readers import read
from seqsae_core.errors import UserError

ROWS = [("u1", "a", 5), ("u1", "b", 6), ("u2", "a", 7)]


def _write(path, names=("Customer_ID", "sku", "datetime"), separator=","):
    lines = [separator.join(map(str, row)) for row in (names, *ROWS)]
    path.write_text("\n".join(lines) + "\n")
    return str(path)


def _same(frame):
    return list(frame.itertuples(index=False, name=None)) == ROWS


@pytest.mark.parametrize(("name", "separator"), [("x.csv", ","), ("x.csv", ";"), ("x.csv", "|"), ("x.tsv", "\t")])
def test_columns_are_guessed_and_shown_whatever_separates_them(tmp_path, name, separator):
    frame, _ = read(_write(tmp_path / name, separator=separator))
    assert _same(frame)
    assert frame.attrs["columns"] == "user_id from Customer_ID, item_id from sku, timestamp from datetime"


def test_json_lines(tmp_path):
    path = tmp_path / "x.jsonl"
    pd.DataFrame(ROWS, columns=["user_id", "item_id", "timestamp"]).to_json(path, orient="records", lines=True)
    assert _same(read(str(path))[0])


def test_a_named_column_goes_before_a_guess(tmp_path):
    path = _write(tmp_path / "x.csv", ("item_id", "user_id", "t"))
    frame, _ = read(path, columns={"user": "item_id", "item": "user_id", "time": "t"})
    assert _same(frame)


def test_wrong_names_are_refused_with_the_flag(tmp_path):
    path = _write(tmp_path / "x.csv")
    with pytest.raises(UserError, match=r"x\.csv: no column who, which --user-column names\. It has: Customer_ID"):
        read(path, columns={"user": "who"})
    with pytest.raises(UserError, match="--user-column sku --item-column sku"):
        read(path, columns={"user": "sku"})


@pytest.mark.parametrize("name", ["x.txt", "x.txt.gz"])
def test_sasrec_text_keeps_the_order_of_the_file_and_repeats(tmp_path, name):
    text = b"1 9\n1 4\n1 9\n2 4\n"
    (tmp_path / name).write_bytes(gzip.compress(text) if name.endswith("gz") else text)
    frame, _ = read(str(tmp_path / name))
    assert frame["item_id"].tolist() == [9, 4, 9, 4] and frame["timestamp"].is_monotonic_increasing


def test_items_without_titles_are_called_by_their_id(tmp_path):
    path = _write(tmp_path / "x.csv")
    (tmp_path / "items.csv").write_text("product_id,department\na,DAIRY\nb,MEAT\n")
    frame, items = read(path, str(tmp_path / "items.csv"))
    assert items.to_dict("list") == {"item_id": ["a", "b"], "title": ["a", "b"], "genres": ["DAIRY", "MEAT"]}
    assert "genres from department" in frame.attrs["columns"]


BROKEN = {
    "column told twice": ("x.csv", b"user_id,item_id,item_id,timestamp\n1,2,2,3\n", "item_id occurs twice"),
    "wrong encoding": ("x.csv", "user_id,item_id,timestamp\né,2,3\n".encode("latin-1"), "encoding UTF-8"),
    "header again": ("x.csv", b"user_id,item_id,timestamp\n1,2,3\nuser_id,item_id,timestamp\n", "row 2: timestamp is"),
    "truncated gzip": ("x.csv.gz", gzip.compress(b"user_id,item_id,timestamp\n" + b"1,2,3\n" * 99)[:-9], "is whole"),
    "truncated JSON": ("x.jsonl", b'{"user_id": 1, "item_id": 2, "timest', "is whole"),
    "three fields in SASRec text": ("x.txt", b"1 2 3\n", "row 1: 3 fields, not 2"),
    "line cut in SASRec text": ("x.txt", b"1 2\n1\n", "row 2: item_id is missing"),
}


@pytest.mark.parametrize(("name", "content", "message"), BROKEN.values(), ids=BROKEN)
def test_broken_files_name_the_place_and_the_remedy(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=message) as caught:
        read(str(tmp_path / name))
    assert str(tmp_path / name) in str(caught.value)


def test_sasrec_file_of_the_paper(other_data):
    frame, items = read(str(other_data / "ml-1m" / "sasrec_ml-1m.txt.gz"))
    assert (len(frame), len(items)) == (999_611, 3_416)


def test_groceries(other_data):
    folder = other_data / "complete-journey"
    frame, items = read(str(folder / "transactions.parquet"), str(folder / "products.parquet"),
                        {"title": "product_type"})  # fmt: skip
    assert (len(frame), frame["user_id"].nunique()) == (1_469_307, 2_469)
    assert "user_id from household_id" in frame.attrs["columns"] and items["genres"].str.contains("GROCERY").any()
