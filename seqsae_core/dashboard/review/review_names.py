"""The reviews of the dictionary that is open, and the names that follow from them."""

from dataclasses import dataclass

import pandas as pd
import streamlit as st

from seqsae_core.dashboard import literal
from seqsae_core.errors import UserError
from seqsae_core.reviews.carrying import settle_in
from seqsae_core.reviews.names import with_reviews
from seqsae_core.reviews.store import Reviews
from seqsae_core.reviews.weights import Weights
from seqsae_core.study import Study


@dataclass(frozen=True)
class Desk:
    """The store of a study, and the dictionary that is open."""

    reviews: Reviews
    weights: Weights


def desk(study: Study, dictionary: str | None) -> Desk:
    """The store, in which the dictionary is known and has what carries over from its predecessor."""
    reviews, found = Reviews(study.reviews), weights(study, dictionary)
    settle_in(reviews, found, dictionary or study.default_dictionary)
    return Desk(reviews, found)


def weights(study: Study, dictionary: str | None) -> Weights:
    """The dictionary's fingerprint and directions, cached."""
    return _weights(str(study.path), dictionary, str(study.stamp("sae", dictionary)))


def named(study: Study, dictionary: str | None, latents: pd.DataFrame, stamp: str) -> pd.DataFrame:
    """Latents under the names that analysts accepted; as they are where nobody reviewed. stamp: of the table."""
    if not study.reviews.exists():
        return latents
    try:
        found = desk(study, dictionary)
        last = found.reviews.last()
        return _named(str(study.reviews), found.weights.fingerprint, last, stamp, latents) if last else latents
    except UserError:
        return latents


def note(study: Study) -> None:
    """A warning where reviews are there but cannot be read, so that no page passes off automatic names as reviewed."""
    try:
        Reviews(study.reviews).last()
    except UserError as error:
        st.warning(f"Names are the automatic ones. {literal.told(error)}", icon=":material/warning:")


@st.cache_resource(max_entries=8, show_spinner=False)
def _weights(path: str, dictionary: str | None, stamp: str) -> Weights:
    return Weights.of(Study.open(path), dictionary)


@st.cache_resource(max_entries=8, show_spinner=False)
def _named(path: str, fingerprint: str, last: int, stamp: str, _latents: pd.DataFrame) -> pd.DataFrame:
    return with_reviews(_latents, Reviews(path).outcomes(fingerprint))
