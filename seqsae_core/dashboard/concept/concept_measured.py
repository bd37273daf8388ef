"""The measurement behind the Concept page, cached, and how the page writes its figures."""

import gc
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from seqsae_core.dashboard import literal
from seqsae_core.dashboard.concept.concept_choice import Chosen
from seqsae_core.dashboard.loading import Opened
from seqsae_core.dashboard.widgets import fixed
from seqsae_core.errors import UserError
from seqsae_core.study import Study

if TYPE_CHECKING:
    from seqsae_core.interpret.probing import Bench, Measured

READING = "Reading the activations of all users: some seconds, once"
ABOUT_SAME = "Same items: on users that took no part in choosing; the items are those that chose it."
ABOUT_NEW = "New items: chosen on one half of the items, scored on the other, mean over halvings; the sceptic's figure."


def measured_or_why_not(opened: Opened, chosen: Chosen) -> "Measured | None":
    """The measurement, cached; where none can be had, says why and returns None."""
    bench = bench_of(opened)
    try:
        return _measured(bench, _stamp(opened), chosen.labels.tobytes(), chosen.free)
    except UserError as error:
        st.info(literal.told(error), icon=":material/do_not_disturb_on:")
        return None


def bench_of(opened: Opened) -> "Bench":
    """What concepts of a dictionary are measured on, cached; reads all users' activations on the first call."""
    return _bench(str(opened.study.path), opened.dictionary, _stamp(opened))


def _stamp(opened: Opened) -> str:
    return f"{opened.study.path} {opened.dictionary} {opened.stamp('data', 'recommender', 'sae', 'evidence')}"


@st.cache_resource(max_entries=1, show_spinner=READING)
def _bench(path: str, dictionary: str | None, stamp: str) -> "Bench":
    import torch

    from seqsae_core.interpret.probing import Bench

    torch.set_num_threads(1)
    bench = Bench.from_study(Study.open(path), dictionary)
    gc.freeze()
    return bench


@st.cache_resource(max_entries=64, show_spinner="Measuring the concept")
def _measured(_bench: "Bench", stamp: str, labels: bytes, free: bool) -> "Measured":
    from seqsae_core.interpret.probing import measure

    return measure(_bench, np.frombuffer(labels, bool), free)


def used(opened: Opened, found: "Measured") -> int:
    """How many latents of the cover the page speaks of: as many as the study's own steering takes."""
    return min(opened.study.config.steering.latents_per_concept, len(found.cover.path))


def count(number: int, word: str) -> str:
    """A number with its noun."""
    return f"{number:,} {word}" + ("" if number == 1 else "s")


def at(values: np.ndarray | None, size: int) -> float | None:
    """The figure of the first `size` latents, or None."""
    return float(values[size - 1]) if values is not None and size else None


def gain(values: np.ndarray | None, size: int) -> str:
    """What the latents after the first add to it."""
    if values is None or size < 2:
        return ""
    return f"{fixed(values[size - 1] - values[0], signed=True)} on the first"
