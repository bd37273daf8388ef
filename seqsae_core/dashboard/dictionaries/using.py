"""A dictionary that a sweep trained, before its evidence is built: how to build it."""

from pathlib import Path

import streamlit as st

from seqsae_core.commands import use_command, use_job
from seqsae_core.dashboard import detached, literal, navigation, waiting
from seqsae_core.dashboard.permalink import View
from seqsae_core.study import Study

OPENS, LABEL = ("evidence", "map", "steering"), "Use this dictionary"
WHY = (
    "A sweep trained this dictionary and screened it. What its latents mean and how they steer is measured when it is "
    "used; that takes a few minutes, and makes it the study's default. The other dictionaries stay."
)


def is_swept_only(study: Study, dictionary: str | None) -> bool:
    """Whether a dictionary lacks evidence that no build of the study's default would bring."""
    default = (None, study.config.dictionary, study.manifest.get("default_dictionary"))
    return dictionary not in default and study.has("sae", dictionary) and not opens(study, dictionary)


def opens(study: Study, dictionary: str) -> bool:
    """Whether every page can show a dictionary."""
    return all(study.has(stage, dictionary) for stage in OPENS)


def room(view: View, folder: Path, dictionary: str) -> None:
    """In place of a page that needs the evidence."""
    st.header("This dictionary has no evidence yet", anchor=False)
    st.markdown(literal.code(dictionary))
    panel(folder, dictionary)
    home = view.home().but(dictionary=None)
    navigation.link("dictionaries", home, "Compare the dictionaries", icon=":material/stacked_line_chart:")


def panel(folder: Path, dictionary: str) -> None:
    """Why there is no evidence, and the button and the command that build it; redraws the page when it is there."""
    st.markdown(WHY)
    landed = lambda: waiting.landed(folder, OPENS, dictionary)  # noqa: E731
    detached.runner(folder, LABEL, use_command(folder, dictionary), use_job(dictionary), landed)
