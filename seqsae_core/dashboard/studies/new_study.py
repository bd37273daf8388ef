"""The page New study: a table, what its columns are, settings; then the command that builds it, and its progress."""

import re
from dataclasses import dataclass, field, replace
from pathlib import Path

import pandas as pd
import streamlit as st

from seqsae_core.commands import build_command
from seqsae_core.config import ARCHITECTURES, PRESETS, SPLITS, StudyConfig, preset, to_dict
from seqsae_core.dashboard import detached, loading, navigation, waiting, widgets
from seqsae_core.dashboard.studies import uploads
from seqsae_core.dashboard.permalink import View
from seqsae_core.data.columns import EVENTS, ITEMS
from seqsae_core.data.preview import preview
from seqsae_core.data.readers import locate
from seqsae_core.errors import UserError
from seqsae_core.serving import LOCAL
from seqsae_core.study import Study, read_progress

UPLOAD, PATH, SHIPPED = "Upload", "A path on this machine", "MovieTweetings"
SHOWN = 6
LABELS = {"user": "User", "item": "Item", "time": "Time", "title": "Title", "concept": "Concepts"}
MEANS = {
    "user": "Whose event it is.",
    "item": "What was taken up; in both tables under the same column name, or guessed in each.",
    "time": "Unix seconds, or milliseconds and finer; or dates such as 2020-12-31.",
    "title": "What pages call an item; without titles they show ids.",
    "concept": "Genres, classes, departments, joined by “|”; without them latents are named by their items.",
}
TAKES = {
    "tiny": "seconds; to see whether the data can be read",
    "quick": "about a minute; a first look",
    "default": "about six minutes for half a million interactions",
    "paper": "hours; the paper's protocol",
    "full": "hours; long training",
}
GENERAL = ("ratings", "interactions", "u")
NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")


@dataclass(frozen=True)
class Source:
    """What `build --data` and `--items` get; a name that tells what it is; the columns chosen against the guess,
    `user_column` and so on."""

    data: str
    items: str | None = None
    name: str = ""
    columns: dict[str, str] = field(default_factory=dict)

    @property
    def study(self) -> str:
        """A study's name made of the data's, where those have a telling one."""
        path = Path(self.name)
        words = path.parent.name if path.stem in GENERAL else path.name.split(".")[0]
        return re.sub(r"[^a-z0-9]+", "-", words.lower())[:40].strip("-") or "mine"


def source() -> Source | None:
    """Asks where the data are; None until they are named. Raises UserError for data that cannot be found."""
    local = st.get_option("server.address") in LOCAL
    kinds = [UPLOAD, PATH, SHIPPED] if local else [UPLOAD, SHIPPED]
    kind = st.segmented_control("Where the interactions are", kinds, default=UPLOAD, required=True, key="kind")
    if kind == SHIPPED:
        return Source("movietweetings", name="movietweetings")
    return _uploaded() if kind == UPLOAD else _named()


def _uploaded() -> Source | None:
    left, right = widgets.pair([1, 1], "uploads")
    data = left.file_uploader("Interactions: one row an event", uploads.TYPES, key="data-file")
    items = right.file_uploader("Items: titles and concepts (optional)", uploads.TYPES, key="items-file")
    if data is None:
        return None
    kept = [str(uploads.keep(file, loading.studies_root())) for file in (data, items) if file is not None]
    return Source(*kept, name=data.name) if items else Source(kept[0], name=data.name)


def _named() -> Source | None:
    left, right = widgets.pair([1, 1], "paths")
    data = left.text_input("Interactions: a file, or a folder of MovieLens or RecBole", key="data-path").strip()
    items = right.text_input("Items: titles and concepts (optional)", key="items-path").strip()
    return Source(data, items or None, data) if data else None


def mapped(chosen: Source) -> Source:
    """Shows the first rows of each table and which column is what, to be changed; the source with what was changed.

    Raises UserError for a table that cannot be read, or that lacks a column that every build needs.
    """
    data, items = locate(chosen.data, chosen.items)
    changed = _table(data, EVENTS, "Interactions", {})
    if items is not None:
        shared = {role: column for role, column in changed.items() if role == "item"}
        changed |= _table(items, ("title", "concept"), "Items", shared)
    return replace(chosen, columns={f"{role}_column": column for role, column in changed.items()})


def _table(path: Path, roles: tuple[str, ...], label: str, given: dict[str, str]) -> dict[str, str]:
    """Role → column of those that were chosen against the guess."""
    widgets.section(label)
    seen = preview(path, EVENTS if roles == EVENTS else ITEMS, given)
    st.dataframe(seen.rows.head(SHOWN), hide_index=True)
    with st.container(horizontal=True):
        picked = {role: _column(seen.rows, role, seen.taken.get(role), label) for role in roles}
    absent = [LABELS[role].lower() for role in roles if roles == EVENTS and picked[role] is None]
    if absent:
        raise UserError(f"Which column is the {' and the '.join(absent)}? Choose above.")
    return {role: column for role, column in picked.items() if column is not None and column != seen.taken.get(role)}


def _column(rows: pd.DataFrame, role: str, guess: str | None, label: str) -> str | None:
    columns = list(map(str, rows.columns))
    names = columns if guess is not None else [None, *columns]
    return st.selectbox(
        LABELS[role], names, index=names.index(guess), key=f"{label}-{role}", help=MEANS[role],
        format_func=lambda name: "none" if name is None else f"{name} (guessed)" if name == guess else name,
    )  # fmt: skip


def settings(chosen: Source) -> tuple[str, StudyConfig]:
    """Asks for the study's name and the few settings that a first build needs. Raises UserError for a bad name."""
    widgets.section("The study")
    left, right = widgets.pair([1, 1], "settings")
    name = left.text_input("Name", chosen.study, max_chars=40, help="Its folder, and its name in links.", key="name")
    size = right.selectbox("Preset", list(PRESETS), index=1, format_func=lambda p: f"{p}: {TAKES[p]}", key="preset")
    with st.expander("Other settings"), st.container(horizontal=True):
        own = PRESETS[size]()
        architecture = st.selectbox("Model", list(ARCHITECTURES), key="architecture")
        split = st.selectbox("Held out", list(SPLITS), index=list(SPLITS).index(own.data.split), key="split")
        least = st.number_input(
            "Fewest interactions of a user or an item", 1, 1000, own.data.min_interactions, key="least"
        )
    if not NAME.fullmatch(name):
        raise UserError("A study's name is of small letters, digits, - and _, and begins with a letter or a digit.")
    config = preset(
        size, source=chosen.data, items=chosen.items, architecture=architecture, split=split,
        min_interactions=int(least), **chosen.columns,
    )  # fmt: skip
    return name, config


def building(name: str, config: StudyConfig) -> None:
    """The command and the button that runs it; of a study that is there, its progress or the way to it."""
    folder = loading.studies_root() / name
    home = View(study=name)
    if Study.exists(folder) and Study.open(folder).manifest["stages"]:
        state = "is there" if waiting.landed(folder, ("steering",), None) else "is there, not finished"
        st.info(f"A study of this name {state}. Choose another name, or open it.", icon=":material/folder_open:")
        navigation.link("overview", home, f"Open {widgets.plain(name)}", icon=":material/folder_open:")
        _progress(folder)
        return
    command = build_command(folder, {"config": to_dict(config)})
    detached.runner(folder, "Build this study", command, "build", lambda: waiting.landed(folder, ("data",), None))


def _progress(folder: Path) -> None:
    progress = read_progress(folder)
    if progress and waiting.alive(progress):
        waiting.panel(folder, None)
