"""From what people call items to item numbers: an original id, or a title with or without its year."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from difflib import get_close_matches

import numpy as np
import pandas as pd

from seqsae_core.errors import UserError

KEYS = ("item", "id", "title")
NEAREST, ADVISED = 4, 10
BY_ID = 'by their ids (by="id" in Python, --by id on the command line)'


class Lookup:
    """Names of a catalogue's items, in model order.

    Three kinds of name, never guessed from what a name looks like: "item" is the number 1..n, "id" the original id,
    "title" the title in any case, alone ("Gravity") or with its year ("Gravity (2013)"). Numbers and ids may be given
    as text. titles: (n,) with the year where it is known; item_ids: (n,).
    """

    def __init__(self, catalogue: pd.DataFrame):
        self._catalogue = catalogue
        self._indices: dict[str, Mapping[str, set[int]]] = {}
        years = catalogue["year"].astype(object)
        pairs = zip(catalogue["title"], years, strict=True)
        self.titles = np.array([t if pd.isna(year) else f"{t} ({year})" for t, year in pairs], object)
        self.item_ids = catalogue["item_id"].to_numpy()

    def items(self, names: Sequence[object] | np.ndarray | str, by: str) -> np.ndarray:
        """Item numbers, int64 (names,), of names of the kind `by`; a single text is one name.

        Raises UserError for an unknown kind, for a name that no item has (it says which are nearest) and for one that
        several have (it lists them).
        """
        if by not in KEYS:
            raise UserError(f"Items have no kind of name “{by}”. Choose one of: {', '.join(KEYS)}.")
        names = [names] if isinstance(names, str) else names
        return np.array([self._item(str(name).strip(), by) for name in names], np.int64)

    def sort_out(self, names: Sequence[str], by: str) -> tuple[np.ndarray, dict[str, str]]:
        """Item numbers that some of the names have, each once in their order, and of each other name why it has none.

        The first ADVISED names without an item are told the nearest; blank names are left out.
        """
        found, why = [], {}
        for name in dict.fromkeys(filter(None, map(str.strip, names))):
            if len(why) >= ADVISED and not self._rows(name, by):
                why[name] = f"There is no {by} “{name}” in this study."
                continue
            try:
                found.append(self._item(name, by))
            except UserError as error:
                why[name] = str(error).replace(f", or name items {BY_ID}", "")
        return np.array(list(dict.fromkeys(found)), np.int64), why

    def containing(self, text: str) -> np.ndarray:
        """Item numbers, int64, of titles that have all words of a term; commas part terms, any of which will do.

        Letters of any case; a word is found where one begins ("war" in "Warrior", not in "Edward"), in scripts
        without capitals anywhere. A text without words finds nothing.
        """
        titles = [title.casefold() for title in self._catalogue["title"].astype(str)]
        terms = [[_word(word) for word in term.split()] for term in text.casefold().split(",") if term.strip()]
        hits = [any(all(word.search(title) for word in term) for term in terms) for title in titles]
        return np.flatnonzero(hits) + 1

    def _item(self, name: str, by: str) -> int:
        rows = self._rows(name, by)
        if not rows:
            raise UserError(self._unknown(name, by))
        if len(rows) > 1:
            listed = "; ".join(f"{self.titles[row]} has the id {self.item_ids[row]}" for row in sorted(rows))
            raise UserError(f"“{name}” names {len(rows)} items: {listed}. Add the year, or name items {BY_ID}.")
        return next(iter(rows)) + 1

    def _rows(self, name: str, by: str) -> set[int]:
        return self._index(by).get(name.casefold() if by == "title" else name, set())

    def _index(self, by: str) -> Mapping[str, set[int]]:
        """Rows of the catalogue that have a name; made when first asked for."""
        if by not in self._indices:
            index = defaultdict(set)
            for column in self._columns(by):
                for row, name in enumerate(column):
                    index[name].add(row)
            self._indices[by] = dict(index)
        return self._indices[by]

    def _columns(self, by: str) -> list[Sequence[str]]:
        if by == "title":
            return [[title.casefold() for title in column] for column in (self._catalogue["title"], self.titles)]
        return [self._catalogue["item" if by == "item" else "item_id"].astype(str)]

    def _unknown(self, name: str, by: str) -> str:
        if by == "item":
            return f"There is no item {name}: item numbers run from 1 to {len(self.titles)}."
        if by == "id":
            some = ", ".join(str(one) for one in self.item_ids[:3])
            return f"No item has the id {name}: give ids of the study's data, such as {some}."
        nearest = self._nearest(name.casefold())
        advice = f"The nearest are: {'; '.join(nearest)}." if nearest else "No title is like it: check the spelling."
        return f"There is no title “{name}” in this study. {advice}"

    def _nearest(self, name: str) -> list[str]:
        """Up to NEAREST titles: those that contain the name, the best known first, then those spelt like it."""
        name = re.sub(r"\s*\(\d{4}\)$", "", name)
        titles = [title.casefold() for title in self._catalogue["title"]]
        known_first = np.argsort(-self._catalogue["count"].to_numpy(), kind="stable")
        rows = [row for row in known_first if name and name in titles[row]]
        alike = get_close_matches(name, dict.fromkeys(titles), NEAREST)
        rows += [row for title in alike for row in known_first if titles[row] == title]
        return [self.titles[row] for row in dict.fromkeys(rows)][:NEAREST]


def _word(word: str) -> re.Pattern[str]:
    begins = r"(?<![^\W_])" if word[0].isdigit() or word[0].upper() != word[0] else ""
    return re.compile(begins + re.escape(word))
