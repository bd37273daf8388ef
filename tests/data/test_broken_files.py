"""A corpus of broken files: each is refused with a message that names the file, the place in it and the remedy."""

import gzip
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from seqsae_core.data.readers import READERS, read
from seqsae_core.errors import UserError

HEADER, ROWS = "user_id,item_id,timestamp\n", "1,2,3\n4,5,6\n"
RECBOLE = "user_id:token\titem_id:token\ttimestamp:float\n"
HUGE = "x" * 100_000_000


def text(content: str, encoding: str = "utf-8") -> Callable[[Path], None]:
    return lambda path: path.write_bytes(content.encode(encoding))


def zipped(content: str, keep: float) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        whole = gzip.compress(content.encode(), mtime=0)
        path.write_bytes(whole[: int(len(whole) * keep)])

    return write


def damaged(path: Path) -> None:
    whole = bytearray(gzip.compress((HEADER + ROWS * 1000).encode(), mtime=0))
    whole[20:40] = b"\xff" * 20
    path.write_bytes(whole)


def frame(**columns: list) -> Callable[[Path], None]:
    return lambda path: pd.DataFrame(columns).to_parquet(path)


def cut(path: Path) -> None:
    frame(user_id=[1], item_id=[2], timestamp=[3])(path)
    path.write_bytes(path.read_bytes()[:-20])


BROKEN = {
    "cut in a row": ("x.csv", text(HEADER + "1,2,3\n4,"), "row 2: item_id is missing.*remove the row"),
    "cut in a packed file": ("x.csv.gz", zipped(HEADER + ROWS * 100, 0.7), "cannot be read .* the file is whole"),
    "packed file is damaged": ("x.csv.gz", damaged, "cannot be read .* the file is whole"),
    "not packed at all": ("x.csv.gz", text(HEADER + ROWS), "cannot be read .* the file is whole"),
    "cut Parquet": ("x.parquet", cut, "cannot be read .* the file is whole"),
    "cut JSON": ("x.jsonl", text('{"user_id": 1, "item_id": 2, "timestamp": 3}\n{"user_id": 1, "it'),
                 "line 2: cannot be read .* the file is whole"),
    "separated by spaces": ("x.csv", text((HEADER + ROWS).replace(",", " ")), "no column .*Is it separated by"),
    "separated by ^": ("x.csv", text((HEADER + ROWS).replace(",", "^")), "no column .*Is it separated by"),
    "commas in a .tsv": ("x.tsv", text(HEADER + ROWS), "no column .*Is it separated by"),
    "UTF-16": ("x.csv", text(HEADER + ROWS, "utf-16"), "line 1: cannot be read as UTF-8.*Save it with"),
    "Latin-1 in row 2": ("x.csv", text(HEADER + "1,2,3\né,5,6\n", "latin-1"), "line 3: cannot be read as UTF-8"),
    "header again": ("x.csv", text("user_id,item_id,item_id,timestamp\n1,2,2,3\n"), "header: item_id occurs twice"),
    "typed header again": ("x.inter", text("user_id:token\tuser_id:token\titem_id:token\ttimestamp:float\n1\t1\t2\t3"),
                           "header: .* occurs twice"),
    "header in the middle": ("x.csv", text(HEADER + ROWS + HEADER + ROWS), "row 3: timestamp is 'timestamp', not"),
    "too many fields": ("x.csv", text(HEADER + "1,2,3\n4,5,6,7\n"), r"(?s)line 3, saw 4.*Check"),
    "too many fields in every row": ("x.csv", text(HEADER + "1,2,3,4\n5,6,7,8\n"), "cannot be read .*Check"),
    "too many fields in RecBole": ("x.inter", text(RECBOLE + "1\t2\t3\t4\n"), "cannot be read .*Check"),
    "too many fields in u.data": ("x.data", text("1\t2\t5\t3\t9\n"), "row 1: 5 fields, not 4 .*Part them by"),
    "a time of letters": ("x.csv", text(HEADER + "1,2,3\n4,5,noon\n"), "row 2: timestamp is 'noon', not a finite"),
    "lists as ids": ("x.jsonl", text('{"user_id": 1, "item_id": [2, 3], "timestamp": 4}\n'),
                     r"row 1: item_id is \[2, 3\], more than one value"),
    "lists as times": ("x.parquet", frame(user_id=[1], item_id=[2], timestamp=[[3, 4]]), "row 1: timestamp is"),
    "no rows": ("x.csv", text(HEADER), "no rows"),
    "no rows in Parquet": ("x.parquet", frame(user_id=[], item_id=[], timestamp=[]), "no rows"),
    "no rows in JSON": ("x.jsonl", text(""), "no column|no rows"),
    "no bytes": ("x.csv", text(""), "cannot be read"),
    "a negative time": ("x.csv", text(HEADER + "1,2,3\n1,2,-3\n"), "row 2: timestamp is -3, before 1970"),
    "milliseconds among seconds": ("x.csv", text(HEADER + "1,2,1600000000\n1,3,1600000000000\n1,4,1600000001\n"),
                                   "row 2: timestamp is 1600000000000, in milliseconds by its size"),
    "a cell of 100 MB": ("x.csv", text(HEADER + ROWS + f"7,{HUGE},9\n"), "line 4: longer than .* shorten the cell"),
    "a cell of 100 MB in JSON": ("x.jsonl", text(f'{{"user_id": "{HUGE}"}}\n'), "line 1: longer than"),
    "a cell of 100 MB in Parquet": ("x.parquet", frame(user_id=["1", HUGE], item_id=[2, 3], timestamp=[3, 4]),
                                    "row 2: user_id is 'xxx.*longer than 1,000 characters.*remove the row"),
    "a quotation mark that never closes": ("x.csv", text(HEADER + '1,"2,3\n4,5,6\n'), "cannot be read|missing"),
}  # fmt: skip


@pytest.mark.parametrize(("name", "write", "message"), BROKEN.values(), ids=BROKEN)
def test_a_broken_file_is_refused_with_its_place_and_the_remedy(tmp_path, name, write, message):
    path = tmp_path / name
    write(path)
    with pytest.raises(UserError, match=message) as caught:
        read(str(path))
    assert str(path) in str(caught.value) and len(str(caught.value)) < 1000


def test_every_reader_has_a_broken_file():
    """Each type of file but item tables: those of .item are RecBole's, read as .inter is."""
    here = {suffix for name, *_ in BROKEN.values() for suffix in Path(name.removesuffix(".gz")).suffixes}
    assert set(READERS) - here == {".txt", ".dat", ".item"}


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("x.txt", "1 2\n1 2 3\n", "Expected 2 fields in line 2"),
        ("x.txt", "1,2,3\n", "row 1: 1 fields, not 2"),
        ("x.dat", "1::2::5::3\n1::2::5\n", "row 2: timestamp is missing"),
        ("x.dat", "1,2,5,3\n", "row 1: 1 fields, not 4"),
    ],
)
def test_broken_files_without_a_header(tmp_path, name, content, message):
    (tmp_path / name).write_text(content)
    with pytest.raises(UserError, match=message) as caught:
        read(str(tmp_path / name))
    assert str(tmp_path / name) in str(caught.value)


def test_messages_name_the_column_as_the_file_does(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("customer_id,sku,date\n1,2,2020-01-01\n1,3,\n")
    with pytest.raises(UserError, match=r"row 2: timestamp \(the column date\) is missing"):
        read(str(path))


def test_only_the_columns_that_are_needed_are_read(tmp_path):
    """A broken column that nothing needs does not matter."""
    path = tmp_path / "x.parquet"
    frame(user_id=[1], item_id=[2], timestamp=[3], note=[HUGE])(path)
    assert read(str(path))[0].shape == (1, 3)


def test_concepts_may_be_lists_or_recboles_sequences(tmp_path):
    (tmp_path / "x.inter").write_text(RECBOLE + "1\t2\t3\n1\t4\t4\n")
    (tmp_path / "x.item").write_text(
        "item_id:token\tmovie_title:token_seq\tclass:token_seq\n2\tToy Story\tAnimation Children's\n4\tHeat\t\n"
    )
    items = read(str(tmp_path))[1].set_index("item_id")
    assert items.loc[2].tolist() == ["Toy Story", "Animation|Children's"] and items.loc[4, "genres"] == ""
    frame(item_id=[2, 4], title=["a", "b"], genres=[["Animation", "Children's"], None])(tmp_path / "i.parquet")
    items = read(str(tmp_path / "x.inter"), str(tmp_path / "i.parquet"))[1].set_index("item_id")
    assert items["genres"].tolist() == ["Animation|Children's", ""]


def test_a_huge_title_is_refused(tmp_path):
    (tmp_path / "x.csv").write_text(HEADER + ROWS)
    frame(item_id=[2, 5], title=["A", HUGE])(tmp_path / "items.parquet")
    with pytest.raises(UserError, match=r"items.parquet, row 2: title is 'xxx.*longer than"):
        read(str(tmp_path / "x.csv"), str(tmp_path / "items.parquet"))
