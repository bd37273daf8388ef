"""The studies that are there: what each is, how far it is, what it cost to build; a click opens one."""

from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from seqsae_core.dashboard import loading, navigation, taking, waiting, widgets
from seqsae_core.dashboard.loading import Opened
from seqsae_core.dashboard.permalink import View
from seqsae_core.errors import UserError
from seqsae_core.figures.costs import stage_costs
from seqsae_core.store import DICTIONARY_STAGES
from seqsae_core.study import Study, read_progress

LEAD = "Every folder with a study in it. Each holds its data, one recommender, and the dictionaries read from it."
BUILT = ("sae", "evidence", "map", "steering")
HOW_TO_READ = "Seconds that each stage took on the machine that built it, as the study's manifest keeps them."
COLUMNS = {
    "open": st.column_config.CheckboxColumn("Open", width=50, help="The study that the pages show now."),
    "name": st.column_config.TextColumn("Study"),
    "state": st.column_config.TextColumn("State", width="medium"),
    "users": st.column_config.NumberColumn("Users", format="localized"),
    "items": st.column_config.NumberColumn("Items", format="localized"),
    "interactions": st.column_config.NumberColumn("Interactions", format="localized"),
    "model": st.column_config.TextColumn("Recommender"),
    "dictionaries": st.column_config.NumberColumn("Dictionaries", format="%d"),
    "seconds": st.column_config.NumberColumn("Built in (s)", format="localized", help="All stages together."),
    "finished": st.column_config.DatetimeColumn("Last stage", format="YYYY-MM-DD HH:mm"),
}


def rows(root: Path) -> pd.DataFrame:
    """One row a study folder; one that cannot be read has its reason as its state."""
    folders = sorted(root.iterdir()) if root.is_dir() else []
    found = [_row(f) for f in folders if Study.exists(f) or read_progress(f) is not None]
    table = pd.DataFrame(found, columns=list(COLUMNS)[1:])
    return table.assign(finished=pd.to_datetime(table["finished"]))


def _row(folder: Path) -> dict[str, Any]:
    try:
        study = Study.open(folder)
        config = study.config.recommender
    except UserError as error:
        return {"name": folder.name, "state": _state(folder, None) or str(error)}
    entries, sizes = study.manifest["stages"].values(), study.manifest.get("sizes", {})
    return {
        "name": folder.name,
        "state": _state(folder, study),
        **{name: sizes.get(name) for name in ("users", "items", "interactions")},
        "model": f"{config.architecture}, {config.blocks} blocks of {config.width}",
        "dictionaries": len(study.dictionaries),
        "seconds": round(sum(entry.get("seconds") or 0 for entry in entries)),
        "finished": max((entry["finished"] for entry in entries if entry.get("finished")), default=None),
    }


def _state(folder: Path, study: Study | None) -> str:
    progress = read_progress(folder) or {}
    if waiting.alive(progress):
        left = progress.get("eta_seconds")
        return "being built" + (f", about {waiting.duration(left)} left" if left else "")
    if study is None:
        return "" if Study.exists(folder) else "stopped before its first stage"
    missing = [stage for stage in BUILT if not study.has(stage)]
    return f"stopped before {missing[0]}" if missing else "complete"


def listing(here: str) -> None:
    """The table; a click on a row opens that study's Overview. here: the study that is open."""
    table = rows(loading.studies_root())
    table.insert(0, "open", table["name"] == here)
    event = st.dataframe(
        table, hide_index=True, column_config=COLUMNS, key="studies", on_select="rerun",
        selection_mode="single-cell", placeholder="–", alt="Studies",
    )  # fmt: skip
    st.caption(f"In `{loading.studies_root()}`. {widgets.BY_KEY}")
    taking.table(table, "studies")
    row = widgets.clicked_cell(event, table, "open")
    if row is not None:
        navigation.go("overview", View(study=row["name"]))


def costs(opened: Opened) -> None:
    """What each stage of the open study took, as bars and as a table."""
    widgets.section(f"What {widgets.plain(opened.study.name)} cost to build")
    table = stages(opened.study)
    if table.empty:
        st.caption("No stage is finished yet.")
        return
    left, right = widgets.pair([3, 2], "costs", gap="large")
    with left:
        widgets.chart(stage_costs(table), HOW_TO_READ, "stage-costs", "finding-and-comparing")
    with right:
        st.dataframe(
            table[["stage", "dictionary", "seconds", "finished"]], hide_index=True, key="stages", placeholder="–",
            column_config={"seconds": st.column_config.NumberColumn("Seconds", format="%.1f"), "stage": "Stage",
                           "dictionary": "Dictionary",
                           "finished": st.column_config.DatetimeColumn("Finished", format="YYYY-MM-DD HH:mm")},
        )  # fmt: skip
    taking.table(table, f"{opened.study.name}-stages")
    machine = [opened.study.manifest.get(name) for name in ("machine", "python", "threads")]
    where, python, threads = (widgets.plain(one or "–") for one in machine)
    st.caption(f"Machine {where}, Python {python}, {threads} threads.")


def stages(study: Study) -> pd.DataFrame:
    """One row a finished stage, in the order in which they were finished: stage, dictionary, seconds, finished."""
    found = []
    for key, entry in study.manifest["stages"].items():
        owner, stage = key.split("/")[-2:] if "/" in key else ("", key)
        dictionary = owner if stage in DICTIONARY_STAGES else ""
        found.append({"stage": stage, "dictionary": dictionary, "seconds": entry.get("seconds"),
                      "finished": entry.get("finished")})  # fmt: skip
    table = pd.DataFrame(found, columns=["stage", "dictionary", "seconds", "finished"])
    return table.assign(finished=pd.to_datetime(table["finished"]), seconds=table["seconds"].astype(float))


def another(view: View) -> None:
    """The way to the page that builds one more."""
    navigation.link("new_study", view.home(), "Build another study", icon=":material/add:")
