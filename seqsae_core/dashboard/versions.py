"""What a page says of a dictionary that another version, or other settings of its study, made."""

import streamlit as st

from seqsae_core.build import PIPELINE, out_of_date
from seqsae_core.commands import extras_command, sweep_command, use_command
from seqsae_core.dashboard.literal import code
from seqsae_core.study import Study

CHOOSING = "screen"


def note(study: Study, dictionary: str, choosing: bool = False) -> None:
    """A warning that names the stages and what makes them anew; choosing: whether it speaks of the screen too."""
    old = [stage for stage in out_of_date(study, dictionary) if choosing or stage != CHOOSING]
    if old:
        st.warning(
            f"Out of date: an earlier version, or other settings of this study, made {_listed(old)} of the dictionary "
            f"{code(dictionary)}. Do not compare its figures with those of others. {remedy(study, dictionary, old)}",
            icon=":material/history:",
        )


def remedy(study: Study, dictionary: str, old: list[str]) -> str:
    """How those stages of a dictionary are made anew."""
    if dictionary != study.config.dictionary and not study.keeps_settings(dictionary):
        return f"Its settings were not kept; others are trained by `{sweep_command(study.path)}`."
    if set(old) == {CHOOSING}:
        return f"A sweep over its settings makes them anew: `{sweep_command(study.path)}`."
    if dictionary != study.config.dictionary:
        return f"This makes them anew, and it the default: {code(use_command(study.path, dictionary))}."
    built = not {stage.name for stage in PIPELINE}.isdisjoint(old)
    return f"This makes them anew: `{study.build_command() if built else extras_command(study.path)}`."


def _listed(stages: list[str]) -> str:
    return ", ".join(f"“{stage}”" for stage in stages)
