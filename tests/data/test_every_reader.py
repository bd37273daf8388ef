"""Every reader against every fault: the message names the file, the place in it and the remedy."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from seqsae_core.data.readers import MOVIELENS_ITEMS, READERS, read
from seqsae_core.errors import UserError

Rows = list[list[str]]
EVENTS = [["1", "7", "1600000000"], ["2", "8", "1600000100"], ["3", "9", "1600000200"]]
ITEMS = [["7", "A", "X"], ["8", "B", "Y"], ["9", "C", "X"]]
EVENT_NAMES, ITEM_NAMES = ["user_id", "item_id", "timestamp"], ["item_id", "title", "genres"]
TYPED_EVENTS = ["user_id:token", "item_id:token", "timestamp:float"]
TYPED_ITEMS = ["item_id:token", "title:token_seq", "genres:token_seq"]


def headed(separator: str, names: list[str]) -> Callable[[Rows], str]:
    return lambda rows: bare(separator)([names, *rows])


def bare(separator: str, fill: Callable[[list[str]], list[str]] = list) -> Callable[[Rows], str]:
    return lambda rows: "".join(separator.join(fill(row)) + "\n" for row in rows)


def objects(names: list[str]) -> Callable[[Rows], str]:
    def cell(text: str) -> int | str:
        return int(text) if text.lstrip("-").isdigit() else text

    return lambda rows: "".join(json.dumps(dict(zip(names, map(cell, row), strict=True))) + "\n" for row in rows)


def rated(row: list[str]) -> list[str]:
    return [*row[:2], "5", row[2]]


OF_EVENTS = {
    "x.csv": (",", headed(",", EVENT_NAMES)),
    "x.tsv": ("\t", headed("\t", EVENT_NAMES)),
    "x.inter": ("\t", headed("\t", TYPED_EVENTS)),
    "x.jsonl": (":", objects(EVENT_NAMES)),
    "x.dat": ("::", bare("::", rated)),
    "x.data": ("\t", bare("\t", rated)),
    "x.txt": (" ", bare(" ", lambda row: row[:2])),
}
OF_ITEMS = {
    "i.csv": (",", headed(",", ITEM_NAMES)),
    "i.tsv": ("\t", headed("\t", ITEM_NAMES)),
    "i.item": ("\t", headed("\t", TYPED_ITEMS)),
    "i.jsonl": (":", objects(ITEM_NAMES)),
    "movies.dat": ("::", bare("::")),
    "u.item": ("|", bare("|", lambda row: [*row[:2], "", "", "", "1", "0"])),
}
HEADED, HEADERLESS = ("x.csv", "x.tsv", "x.inter"), ("x.dat", "x.data", "x.txt")
UTF8 = "cannot be read as UTF-8.*Save it with the encoding UTF-8"


def expected(name: str) -> dict[str, tuple[bytes, str]]:
    """Fault → the bytes of an events file that has it, and what is told of it."""
    separator, write = OF_EVENTS[name]
    whole, second = write(EVENTS), EVENTS[1]
    timed = {
        "mixed types": ("noon", "row 2: timestamp is 'noon', not a finite number .* nor a date.*Correct it"),
        "a negative time": ("-5", "row 2: timestamp is '?-5'?, before 1970.*Correct it or remove the row"),
        "milliseconds": ("1600000100000", "row 2: timestamp is 1600000100000, in milliseconds.*67% .* are seconds"),
    }
    faults = {
        fault: (write([EVENTS[0], [*second[:2], time], EVENTS[2]]).encode(), told)
        for fault, (time, told) in timed.items()
        if name != "x.txt"  # it holds no times
    }
    faults["wrong encoding"] = (whole.encode("utf-16"), f"line 1: {UTF8}")
    faults["a cell of 100 MB"] = (write(EVENTS[:1]).encode() + b"8", "line [23]: longer than .*shorten the cell")
    short = bare(separator)([[*EVENTS[2][:1]]]) if name != "x.jsonl" else '{"user_id": 3, "ite'
    told = "line 4: .*the file is whole" if name == "x.jsonl" else "row 4: item_id is missing.*Correct it or remove"
    faults["truncated"] = ((whole + short.rstrip("\n")).encode(), told)
    if name != "x.dat":  # MovieLens' own encoding, in which every byte is a letter
        line = 2 + (name in HEADED)
        odd = write([EVENTS[0], ["é", *second[1:]], EVENTS[2]]).replace("\\u00e9", "é").encode("latin-1")
        faults["another encoding"] = (odd, f"line {line}: {UTF8}")
    parted = whole.replace(separator, "^").encode()
    if name in HEADED:
        told = "no column .*It has: user_id.*Is it separated by|header: .* is no “name:type”.*tabs"
        faults["wrong separator"] = (parted, told)
        faults["header twice"] = (whole.replace("item_id", "user_id").encode(), "header: user_id.* twice.*Rename")
        faults["no rows"] = (write([]).encode(), "no rows. At least one")
    else:
        faults["wrong separator"] = (parted, "line 1: cannot be read" if name == "x.jsonl" else
                                     r"row 1: 1 fields, not \d .*Part them by .*or save the table as .csv")  # fmt: skip
        faults["no rows"] = (b"", "no rows|cannot be read")
    if name != "x.txt":
        faults["header again"] = ((whole + write([EVENT_NAMES])).encode(), "row [45]: timestamp is .*Correct it or")
    return faults


CASES = [(name, fault) for name in OF_EVENTS for fault in expected(name)]


def save(path: Path, fault: str, content: bytes) -> Path:
    path.write_bytes(content)
    if fault == "a cell of 100 MB":
        with path.open("r+b") as file:
            file.truncate(100_000_000)  # of zeros, which take no room
    return path


@pytest.mark.parametrize(("name", "fault"), CASES, ids=" ".join)
def test_events_with_a_fault_are_refused(tmp_path, name, fault):
    content, told = expected(name)[fault]
    path = save(tmp_path / name, fault, content)
    with pytest.raises(UserError, match=told) as caught:
        read(str(path))
    assert str(caught.value).startswith(str(path)) and len(str(caught.value)) < 1000


def of_items(name: str) -> dict[str, tuple[bytes, str]]:
    """The same for an item table."""
    separator, write = OF_ITEMS[name]
    whole, has_header = write(ITEMS), name in ("i.csv", "i.tsv", "i.item")
    faults = {
        "wrong encoding": (whole.encode("utf-16"), f"line 1: {UTF8}"),
        "a cell of 100 MB": (write(ITEMS[:1]).encode() + b"8", "line [23]: longer than .*shorten the cell"),
        "an item twice": (write([*ITEMS, ITEMS[1]]).encode(), "row 4: item_id .*8.* occurs twice. Keep one row"),
        "too many fields": ((whole + separator.join("9DEFGHIJK") + "\n").encode(), "cannot be read|line 4"),
        "no rows": ((write([]) if has_header else "").encode(), "no rows|cannot be read"),
        "wrong separator": (whole.replace(separator, "^").encode(),
                            "no column item_id.*It has|header: item_id.* is no “name:type”.*Part columns by tabs"
                            if has_header else "row 1: 1 fields|line 1: cannot be read"),
    }  # fmt: skip
    if has_header:
        faults["header twice"] = (whole.replace("title", "item_id").encode(), "header: item_id.* twice.*Rename")
    if name not in MOVIELENS_ITEMS:
        odd = write([ITEMS[0], ["8", "é", "Y"]]).replace("\\u00e9", "é").encode("latin-1")
        faults["another encoding"] = (odd, f"line {2 + has_header}: {UTF8}")
    return faults


ITEM_CASES = [(name, fault) for name in OF_ITEMS for fault in of_items(name)]


@pytest.mark.parametrize(("name", "fault"), ITEM_CASES, ids=" ".join)
def test_items_with_a_fault_are_refused(tmp_path, name, fault):
    (tmp_path / "events.csv").write_text(OF_EVENTS["x.csv"][1](EVENTS))
    (tmp_path / "u.genre").write_text("X|0\nY|1\n")
    content, told = of_items(name)[fault]
    path = save(tmp_path / name, fault, content)
    with pytest.raises(UserError, match=told) as caught:
        read(str(tmp_path / "events.csv"), str(path))
    assert str(caught.value).startswith(str(path)) and len(str(caught.value)) < 1000


def test_the_tables_without_a_fault_are_read(tmp_path):
    (tmp_path / "u.genre").write_text("X|0\nY|1\n")
    for name, (_, write) in {**OF_EVENTS, **OF_ITEMS}.items():
        (tmp_path / name).write_text(write(EVENTS if name in OF_EVENTS else ITEMS))
    for name in OF_EVENTS:
        assert read(str(tmp_path / name))[0]["item_id"].tolist() == [7, 8, 9]
    for name in OF_ITEMS:
        items = read(str(tmp_path / "x.csv"), str(tmp_path / name))[1]
        assert items["title"].tolist() == ["A", "B", "C"] and items["genres"].tolist() == ["X", "X" if name == "u.item"
                                                                                          else "Y", "X"]  # fmt: skip


def test_no_reader_is_left_out():
    """Parquet has neither separators nor encodings; its faults are in `test_broken_files`."""
    assert {Path(name).suffix for name in (*OF_EVENTS, *OF_ITEMS)} == set(READERS) - {".parquet"}
    assert set(MOVIELENS_ITEMS) < set(OF_ITEMS)
