"""What is known about items, as one table of concepts: genres, tags, release, popularity, and any other column."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

NO_GENRE = ("", "(no genres listed)", "unknown")
DECILE = "popularity decile "
KNOWN = ("item_id", "title", "genres")
MIN_ITEMS = 10
MOST_YEARS, MOST_TAGS, MOST_LEVELS = 20, 100, 50
FIFTHS = ("lowest fifth", "second fifth", "middle fifth", "fourth fifth", "highest fifth")


@dataclass(frozen=True)
class ConceptTable:
    """values: float32 (n_items + 1, n_concepts), row 0 (padding) zero; one name and one group a column."""

    names: tuple[str, ...]
    groups: tuple[str, ...]
    values: np.ndarray

    def group(self, name: str) -> np.ndarray:
        """Column indices of a group."""
        return np.flatnonzero(np.array(self.groups) == name)

    @property
    def decile(self) -> np.ndarray:
        """Popularity decile of each item, 0 the least popular, (n_items + 1,); 0 also for padding.

        Fewer than ten items fill only some of the deciles.
        """
        columns = self.group("popularity")
        numbers = [int(self.names[column].removeprefix(DECILE)) for column in columns]
        return self.values[:, columns].astype(int) @ (np.array(numbers, int) - 1)

    def column(self, concept: str) -> np.ndarray:
        """Values of one concept, (n_items + 1,)."""
        return self.values[:, self.names.index(concept)]


def build_catalogue(items: pd.DataFrame, item_ids: np.ndarray, counts: np.ndarray) -> pd.DataFrame:
    """One row an item in model order: item, item_id, title (without year), year, genres, count; then whatever else the
    item table says, a column each.

    items: item_id, title, genres, …; item_ids: (n_items,) original ids; counts: (n_items,) training interactions.
    """
    table = items.drop_duplicates("item_id").set_index("item_id").reindex(item_ids)
    parts = table["title"].astype(str).str.extract(r"^(?P<title>.*?)\s*(?:\((?P<year>\d{4})\))?\s*$")
    title = parts["title"].where(parts["title"].str.len() > 0, table["title"])
    own = pd.DataFrame(
        {
            "item": np.arange(1, len(item_ids) + 1, dtype=np.int32),
            "item_id": item_ids,
            "title": title.to_numpy(),
            "year": pd.array(pd.to_numeric(parts["year"]).to_numpy(), dtype="Int16"),
            "genres": table["genres"].to_numpy(),
            "count": counts.astype(np.int64),
        }
    )
    more = table[[c for c in table.columns if c not in {*own.columns, *KNOWN}]].reset_index(drop=True)
    texts = [c for c in more if not pd.api.types.is_numeric_dtype(more[c])]
    return pd.concat([own, more.astype(dict.fromkeys(texts, "string"))], axis=1)


def build_concepts(catalogue: pd.DataFrame) -> ConceptTable:
    """Genres, decades, popularity deciles (10 = most watched in training; ties by item id), the twenty most frequent
    years of release, tags, and the levels or fifths of every other column. A year, tag or level needs ten items."""
    decade = catalogue["year"].floordiv(10).mul(10)
    rank = catalogue["count"].rank(method="first")
    decile = np.ceil(rank / len(rank) * 10).astype(int).clip(1, 10)
    tables = {
        "genre": _listed(catalogue["genres"]),
        "decade": _levels(decade.astype(object)).add_suffix("s"),
        "year": _frequent(_levels(catalogue["year"].astype(object))).iloc[:, :MOST_YEARS].add_prefix("released "),
        "popularity": _levels(decile).add_prefix(DECILE),
    }
    for column in catalogue.columns[catalogue.columns.get_loc("count") + 1 :]:
        tables[column if column not in tables else f"{column} (column)"] = _described(catalogue[column], column)
    return _stack(tables)


def _described(values: pd.Series, column: str) -> pd.DataFrame:
    """Concepts of any column: tags of a list, fifths of a number, levels of a category; none of a free text."""
    if column == "tags":
        return _frequent(_listed(values)).iloc[:, :MOST_TAGS]
    if pd.api.types.is_numeric_dtype(values) and values.nunique() > len(FIFTHS):
        ranked = values.astype(float).rank(method="average", pct=True)
        fifth = np.ceil(ranked * len(FIFTHS)).clip(1, len(FIFTHS))
        found = _levels(fifth.map(dict(enumerate(FIFTHS, 1))))
    elif values.nunique() <= MOST_LEVELS:
        found = _levels(values.astype(object))
    else:
        return pd.DataFrame(index=values.index)
    return _frequent(found).add_prefix(f"{column}: ")


def _listed(values: pd.Series) -> pd.DataFrame:
    """One column an entry of lists such as "Crime|Thriller"."""
    found = values.fillna("").astype(str).str.get_dummies("|")
    return found.drop(columns=[c for c in found if c in NO_GENRE])


def _levels(values: pd.Series) -> pd.DataFrame:
    """One column a value; a missing one has none of them."""
    return pd.get_dummies(values.dropna()).reindex(values.index, fill_value=False)


def _frequent(found: pd.DataFrame) -> pd.DataFrame:
    """Columns of ten items or more, and not of all, the most frequent ones first."""
    count = found.astype(bool).sum()
    kept = count[(count >= MIN_ITEMS) & (count < len(found))]
    return found[kept.sort_values(ascending=False, kind="stable").index]


def _stack(tables: dict[str, pd.DataFrame]) -> ConceptTable:
    values = np.hstack([t.to_numpy(np.float32) for t in tables.values()])
    names = tuple(str(c) for t in tables.values() for c in t.columns)
    groups = tuple(g for g, t in tables.items() for _ in t.columns)
    return ConceptTable(names, groups, np.vstack([np.zeros((1, values.shape[1]), np.float32), values]))
