"""What is known about items, as one table of concepts: genres, decades, popularity."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

NO_GENRE = ("", "(no genres listed)", "unknown")
DECILE = "popularity decile "


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
    """One row an item in model order: item, item_id, title (without year), year, genres, count.

    items: item_id, title, genres; item_ids: (n_items,) original ids; counts: (n_items,) training interactions.
    """
    table = items.drop_duplicates("item_id").set_index("item_id").reindex(item_ids)
    parts = table["title"].astype(str).str.extract(r"^(?P<title>.*?)\s*(?:\((?P<year>\d{4})\))?\s*$")
    title = parts["title"].where(parts["title"].str.len() > 0, table["title"])
    return pd.DataFrame(
        {
            "item": np.arange(1, len(item_ids) + 1, dtype=np.int32),
            "item_id": item_ids,
            "title": title.to_numpy(),
            "year": pd.array(pd.to_numeric(parts["year"]).to_numpy(), dtype="Int16"),
            "genres": table["genres"].to_numpy(),
            "count": counts.astype(np.int64),
        }
    )


def build_concepts(catalogue: pd.DataFrame) -> ConceptTable:
    """Genres, decades of release and popularity deciles (10 = most watched in training; ties by item id)."""
    genres = catalogue["genres"].str.get_dummies("|")
    genres = genres.drop(columns=[c for c in genres if c in NO_GENRE])
    decade = catalogue["year"].floordiv(10).mul(10)
    decades = pd.get_dummies(decade.dropna().astype(int)).reindex(catalogue.index, fill_value=False)
    decades.columns = [f"{d}s" for d in decades.columns]
    rank = catalogue["count"].rank(method="first")
    decile = np.ceil(rank / len(rank) * 10).astype(int).clip(1, 10)
    deciles = pd.get_dummies(decile).add_prefix(DECILE)
    return _stack({"genre": genres, "decade": decades, "popularity": deciles})


def _stack(tables: dict[str, pd.DataFrame]) -> ConceptTable:
    values = np.hstack([t.to_numpy(np.float32) for t in tables.values()])
    names = tuple(str(c) for t in tables.values() for c in t.columns)
    groups = tuple(g for g, t in tables.items() for _ in t.columns)
    return ConceptTable(names, groups, np.vstack([np.zeros((1, values.shape[1]), np.float32), values]))
