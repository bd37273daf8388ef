"""From names to item numbers: each kind of name, whole catalogues there and back, and what cannot be told apart."""

import numpy as np
import pandas as pd
import pytest

from seqsae_core.data.lookup import Lookup
from seqsae_core.errors import UserError

TITLES = ["Heat", "Frozen", "Frozen", "2", "The Door", "The Door", "Heatwave", "Untitled"]
YEARS = [1995, 2010, 2013, 1999, 2012, 2012, 2009, None]
IDS = [3, 4, 2, 1, 70, 71, 80, 90]


def catalogue(ids: list = IDS) -> pd.DataFrame:
    counts = [5, 1, 9, 2, 3, 3, 8, 1]
    years = pd.array(YEARS, "Int16")
    return pd.DataFrame({"item": range(1, 9), "item_id": ids, "title": TITLES, "year": years, "count": counts})


@pytest.fixture
def lookup() -> Lookup:
    return Lookup(catalogue())


def test_the_same_text_is_another_item_under_each_kind_of_name(lookup):
    assert [lookup.items(["2"], by).tolist() for by in ("item", "id", "title")] == [[2], [3], [4]]
    assert [lookup.items([2], by).tolist() for by in ("item", "id", "title")] == [[2], [3], [4]]


def test_titles_in_any_case_with_or_without_the_year_in_order_and_again(lookup):
    names = ["HEAT", " heat (1995) ", "Frozen (2013)", "untitled", "frozen (2010)", "Heat"]
    assert lookup.items(names, "title").tolist() == [1, 1, 3, 8, 2, 1]
    assert lookup.items("Heat", "title").tolist() == [1]
    assert lookup.items([], "title").shape == (0,)


@pytest.mark.parametrize("ids", [IDS, [f"tt{one}" for one in IDS]])
def test_every_item_is_found_by_its_number_and_its_id(ids):
    lookup = Lookup(catalogue(ids))
    assert lookup.items(np.arange(1, 9), "item").tolist() == list(range(1, 9))
    assert lookup.items(lookup.item_ids, "id").tolist() == list(range(1, 9))
    assert lookup.items([str(one) for one in ids], "id").tolist() == list(range(1, 9))


def test_titles_as_they_are_shown_are_read_back(lookup):
    clear = [row for row in range(8) if row not in (4, 5)]
    assert (lookup.items(lookup.titles[clear], "title") == np.array(clear) + 1).all()


def test_a_title_that_is_another_with_its_year_is_not_guessed():
    table = catalogue()
    table.loc[7, "title"] = "Heat (1995)"
    with pytest.raises(UserError, match="names 2 items"):
        Lookup(table).items(["Heat (1995)"], "title")


@pytest.mark.parametrize("name", ["Frozen", "the door", "The Door (2012)"])
def test_what_several_items_are_called_lists_them_with_year_and_id(lookup, name):
    with pytest.raises(UserError, match=f"“{name.replace('(', '.').replace(')', '.')}” names 2 items") as caught:
        lookup.items(["Heat", name], "title")
    rows = [row for row in range(8) if TITLES[row].casefold() == name.split(" (")[0].casefold()]
    assert len(rows) == 2
    assert all(f"{TITLES[row]} ({YEARS[row]}) has the id {IDS[row]}" in str(caught.value) for row in rows)


def test_an_unknown_title_is_named_with_the_nearest(lookup):
    with pytest.raises(UserError, match=r"no title “Frozne”.*Frozen \(2013\); Frozen \(2010\)"):
        lookup.items(["Frozne"], "title")
    with pytest.raises(UserError, match=r"nearest are: Heatwave \(2009\); Heat \(1995\)"):
        lookup.items(["hea"], "title")
    with pytest.raises(UserError, match=r"nearest are: Heatwave \(2009\); Heat \(1995\)"):
        lookup.items(["Heat (2001)"], "title")
    with pytest.raises(UserError, match="check the spelling"):
        lookup.items(["Qqqq"], "title")


@pytest.mark.parametrize(
    ("name", "by", "message"),
    [(9, "item", "1 to 8"), (0, "item", "1 to 8"), ("Heat", "item", "1 to 8"), (2.0, "item", "1 to 8"),
     (5, "id", "such as 3, 4, 2"), ("Heat", "id", "id Heat"), ("", "title", "“”"), (1, "name", "item, id, title")],
)  # fmt: skip
def test_names_that_nothing_has_are_refused(lookup, name, by, message):
    with pytest.raises(UserError, match=message):
        lookup.items([name], by)


def test_a_list_is_sorted_into_items_and_names_that_have_none(lookup):
    found, why = lookup.sort_out(["Heat", "", " heat (1995)", "Frozen", "Heatt", "Frozen (2013)", "<b>"], "title")
    assert found.tolist() == [1, 3]
    assert list(why) == ["Frozen", "Heatt", "<b>"]
    assert "names 2 items" in why["Frozen"] and why["Frozen"].endswith("Add the year.") and "Heat" in why["Heatt"]
    nothing = lookup.sort_out([], "title")
    assert (nothing[0].tolist(), nothing[1]) == ([], {})


def test_only_the_first_unknown_names_of_a_list_are_advised(lookup):
    names = [f"Heat {i}" for i in range(30)]
    found, why = lookup.sort_out([*names, "Heat", "Frozen"], "title")
    assert found.tolist() == [1] and list(why) == [*names, "Frozen"]
    advised = ["nearest" in text or "check the spelling" in text for text in why.values()]
    assert advised == [True] * 10 + [False] * 21
    assert "names 2 items" in why["Frozen"]


@pytest.mark.parametrize(
    ("text", "items"),
    [("heat", [1, 7]), ("DOOR the", [5, 6]), ("oor", []), ("heat, 2", [1, 4, 7]), ("", []), (" , ", []), ("(.*", [])],
)
def test_titles_are_found_by_the_beginnings_of_their_words(lookup, text, items):
    assert lookup.containing(text).tolist() == items


def test_words_of_scripts_without_capitals_are_found_anywhere():
    names = ["千と千尋の神隠し", "Война и мир", "Мировая"]
    lookup = Lookup(catalogue().head(3).assign(title=names))
    assert [lookup.containing(text).tolist() for text in ("千尋", "мир", "ойна")] == [[1], [2, 3], []]
