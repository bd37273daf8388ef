"""Pieces that several pages share: numbers as the pages write them, tiles, figures with their sentence of help."""

from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from seqsae_core.dashboard import method, navigation, taking
from seqsae_core.dashboard.literal import plain as plain
from seqsae_core.dashboard.loading import Opened

NOT_MEASURED = "–"
PERCENT = "%.1f %%"
BY_KEY = "Click a row to open it; with arrow keys, go down the first column, then right."
CHART = {
    "displaylogo": False,
    "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d"],
    "scrollZoom": False,
}


def fixed(value: float | None, digits: int = 3, signed: bool = False) -> str:
    """A number with fixed digits and a true minus sign; a dash where there is none."""
    if missing(value):
        return NOT_MEASURED
    return f"{value:{'+' if signed else ''}z.{digits}f}".replace("-", "−")


def percent(value: float | None, digits: int = 1, signed: bool = False) -> str:
    """A share as per cent; a dash where there is none."""
    return (
        NOT_MEASURED
        if missing(value)
        else f"{value:{'+' if signed else ''}z.{digits}%}".replace("-", "−").replace("%", " %")
    )


def interval(
    bounds: Sequence[float] | None, digits: int = 3, signed: bool = False, write: Callable[..., str] = fixed
) -> str:
    """A 95 % interval, or the words that there is none. write: `fixed` or `percent`."""
    if bounds is None or any(missing(b) for b in bounds):
        return "no interval"
    low, high = (write(b, digits, signed) for b in bounds)
    return f"95 %: {low} to {high}"


def missing(value: Any) -> bool:
    """None or NaN."""
    return value is None or bool(pd.isna(value))


def in_percent(rows: pd.DataFrame, *shares: str) -> pd.DataFrame:
    """The rows with these columns of shares times 100, for `NumberColumn(format=PERCENT)`."""
    return rows.assign(**{name: 100 * rows[name] for name in shares if name in rows})


def tile(label: str, value: str, note: str = "", explanation: str | None = None) -> None:
    """One figure, what qualifies it below, what it means on hover."""
    note = {"delta": note, "delta_color": "off", "delta_arrow": "off"} if note else {}
    st.metric(label, value, **note, help=explanation, border=True, height="stretch")


def tiles(rows: Sequence[tuple[str, str, str, str]]) -> None:
    """Tiles in one row: (label, value, note, explanation) each."""
    with st.container(key=f"tiles-{rows[0][0]}"):
        columns = st.columns(len(rows), gap="small")
    for column, row in zip(columns, rows, strict=True):
        with column:
            tile(*row)


def pair(weights: Sequence[float], key: str, **options: Any) -> list[Any]:
    """Columns that stand on top of each other on narrow screens."""
    with st.container(key=f"stack-{key}"):
        return st.columns(weights, **options)


def chart(figure: go.Figure, help_text: str, key: str, section: str, **options: Any) -> Any:
    """A plotly figure with one sentence that says how to read it, and the way to the section of METHOD about it."""
    shown = st.plotly_chart(figure, key=key, config=CHART | options.pop("config", {}), **options)
    read(help_text, section)
    return shown


def read(help_text: str, section: str) -> None:
    """How to read what stands above, and the way to the section of METHOD about it. `help_text` is Markdown."""
    st.caption(f"{help_text} {method.link(section)}")


def title(text: str, lead: str) -> None:
    """The page's heading and the sentence under it. `lead` is Markdown: escape data with `plain`."""
    st.title(text, anchor=False)
    st.markdown(lead)


def section(text: str, help_text: str | None = None) -> None:
    """A heading inside a page."""
    st.subheader(text, anchor=False, help=help_text)


def latent_label(row: pd.Series) -> str:
    """A latent as links write it: number and name."""
    return f"{int(row['feature'])} · {row['name'] if row['alive'] else 'dead'}"


def latent_link(opened: Opened, row: pd.Series, note: str = "") -> None:
    """A link to a latent's page."""
    view = opened.view.home().but(latent=int(row["feature"]))
    navigation.link("latent", view, plain(latent_label(row) + note), icon=":material/lens_blur:")


def items_table(items: Sequence[int], changes: Sequence[float], catalogue: pd.DataFrame, key: str) -> None:
    """Items with a score change each, as a table with the year and genres."""
    rows = catalogue.loc[[int(i) for i in items], ["title", "year", "genres"]].assign(
        change=[float(c) for c in changes]
    )
    rows["genres"] = rows["genres"].str.replace("|", ", ")
    columns = {
        "title": st.column_config.TextColumn("Title", width="medium"),
        "year": st.column_config.NumberColumn("Year", format="%d", width=55),
        "genres": st.column_config.TextColumn("Genres"),
        "change": st.column_config.NumberColumn("Score change", format="%+.2f", width=100),
    }
    st.dataframe(rows, hide_index=True, column_config=columns, key=key, placeholder="")
    taking.table(rows.reset_index(), key)


def clicked_cell(event: Any, rows: pd.DataFrame, walked: str | None = None) -> pd.Series | None:
    """The row of a single-cell selection, or None.

    walked: the first column where a click opens a page. Its own cells open nothing, so that arrow keys, which select
    whatever they pass, can walk down it.
    """
    cells = event.selection.cells
    there = cells and cells[0][0] < len(rows) and cells[0][1] != walked
    return rows.iloc[cells[0][0]] if there else None


def clicked_point(event: Any) -> int | None:
    """The feature of a clicked map point, or None."""
    points = event.selection.points
    return int(points[0]["customdata"]) if points and points[0].get("customdata") is not None else None
