"""What a page shows while its study is being built, when the build stopped, and when there is no study."""

import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from seqsae_core.commands import build_command
from seqsae_core.dashboard import navigation, processes
from seqsae_core.dashboard.literal import code, plain, told
from seqsae_core.dashboard.permalink import View
from seqsae_core.errors import UserError
from seqsae_core.figures import recommender as recommender_figures
from seqsae_core.study import Study, read_progress

ICONS = {
    "done": ":material/check_circle:",
    "running": ":material/progress_activity:",
    "failed": ":material/error:",
}
STOP = "Ends the work; what is complete stays, and the command below goes on from there."


def no_study(folder: Path, others: Sequence[str]) -> None:
    """Nothing at the folder and nothing on its way: what to run, and which studies there are."""
    st.header("There is no study here yet", anchor=False)
    looked = f"Looked for {code(folder)}."
    st.markdown(f"{looked} A study holds the data, the recommender, its dictionary and their evidence.")
    st.markdown("Build the default one (about six minutes on two cores) and open it:")
    st.code("make run", language=None)
    st.markdown("Or build this one; the page opens by itself as stages end:")
    st.code(build_command(folder), language=None)
    navigation.link("new_study", View(), "Or build one of your own data", icon=":material/add:")
    if others:
        st.markdown("Studies that are there:")
        for name in others:
            navigation.link("overview", View(study=name), plain(name), icon=":material/folder_open:")
    _look_again(folder)


@st.fragment(run_every=2.0)
def _look_again(folder: Path) -> None:
    if Study.exists(folder) or read_progress(folder) is not None:
        st.rerun()


@st.fragment(run_every=1.0)
def room(folder: Path, needs: Sequence[str], dictionary: str | None) -> None:
    """All stages with the time left; opens the page as soon as the stages it needs are there."""
    if landed(folder, needs, dictionary):
        st.rerun()
    progress = read_progress(folder) or {"stages": [], "state": "idle"}
    labels = [s["label"] for s in progress["stages"] if s["name"] in needs and s["state"] != "done"]
    moving = alive(progress)
    st.header("This page is being made" if moving else "This page waits for the build", anchor=False)
    if labels and moving:
        st.caption(f"It opens by itself when this is done: {plain(', '.join(labels))}.")
    stages(progress)
    curve(progress)
    verdict(folder, progress)


@st.fragment(run_every=1.0)
def panel(folder: Path, dictionary: str | None) -> None:
    """All stages with the time left, on a page that shows what is there already; gone when the last one lands."""
    if landed(folder, ("steering",), dictionary):
        st.rerun()
    progress = read_progress(folder)
    if progress:
        stages(progress)
        curve(progress)
        verdict(folder, progress)


@st.fragment(run_every=1.5)
def note(folder: Path, stage: str, dictionary: str | None, text: str) -> None:
    """A line in place of a part whose stage is not there yet; redraws the page when the stage lands."""
    if landed(folder, (stage,), dictionary):
        st.rerun()
    progress = read_progress(folder) or {}
    about = next((s for s in progress.get("stages", []) if s["name"] == stage), None)
    running = bool(about) and about["state"] == "running" and alive(progress)
    st.caption(f":material/hourglass_empty: {text}" + (f" {about['fraction']:.0%} done." if running else ""))


def landed(folder: Path, needs: Sequence[str], dictionary: str | None) -> bool:
    """Whether all stages are complete on disk."""
    try:
        study = Study.open(folder)
    except UserError:
        return False
    return all(study.has(stage, dictionary) for stage in needs)


def stages(progress: dict[str, Any]) -> None:
    """One bar a stage; nothing where none is known."""
    if not progress["stages"]:
        return
    with st.container(border=True):
        for stage in progress["stages"]:
            name, bar, time = st.columns([3, 6, 2], vertical_alignment="center")
            icon = ICONS.get(stage["state"], ":material/radio_button_unchecked:")
            name.markdown(f"{icon} {plain(stage['label'])}")
            bar.progress(1.0 if stage["state"] == "done" else min(1.0, stage["fraction"] or 0.0))
            time.caption(_stage_time(stage) + (f" · {plain(stage['detail'])}" if stage.get("detail") else ""))


def curve(progress: dict[str, Any]) -> None:
    """How the training that runs, or that stopped, has gone so far; nothing where no stage logs one."""
    logs = [s["log"] for s in progress["stages"] if s.get("log") and s["state"] != "done"]
    if logs:
        st.plotly_chart(recommender_figures.training(logs[0]), key="training-so-far", config={"displayModeBar": False})


def verdict(folder: Path, progress: dict[str, Any]) -> None:
    """Under the bars: time left; or why the build stands still and the command that goes on."""
    if progress["state"] == "failed":
        reason = told(progress.get("error") or "no reason was recorded")
        st.error(f"The build stopped: {reason}", icon=":material/error:")
    elif alive(progress):
        left = progress.get("eta_seconds")
        st.caption("Estimating the time left." if left is None else f"About {duration(left)} left.")
        if processes.stoppable(folder):
            st.button("Stop", icon=":material/stop:", on_click=processes.stop, args=(folder,), help=STOP, key="stop")
        return
    else:
        st.info("No build is running. It goes on where it stopped:", icon=":material/pause_circle:")
    st.code(resume_command(folder), language=None)


def alive(progress: dict[str, Any]) -> bool:
    """Whether the process that writes this progress is running."""
    if progress.get("state") != "running":
        return False
    try:
        os.kill(int(progress["pid"]), 0)
    except (KeyError, TypeError, ProcessLookupError):
        return False
    except PermissionError:
        return True
    return True


def resume_command(folder: Path) -> str:
    """The build command that goes on with a study, with the settings it was started with."""
    try:
        return Study.open(folder).build_command()
    except UserError:
        return build_command(folder)


def duration(seconds: float) -> str:
    """Seconds as a person says them: 40 s, 3 min, 1 h 5 min."""
    if seconds < 60:
        return f"{max(1, math.ceil(seconds))} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def _stage_time(stage: dict[str, Any]) -> str:
    if stage["state"] == "waiting" or not stage.get("seconds"):
        budget = stage.get("budget_seconds")
        return f"about {duration(budget)}" if budget and stage["state"] == "waiting" else ""
    return duration(stage["seconds"])
