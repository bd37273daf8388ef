"""The one way in which the parts of Steer change the edits: checked first, then into the link."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import streamlit as st

from seqsae_core.dashboard import permalink
from seqsae_core.dashboard.loading import Opened
from seqsae_core.dashboard.steer.scene import Scene
from seqsae_core.errors import UserError
from seqsae_core.steering.edits import Edit, check

if TYPE_CHECKING:
    from seqsae_core.steering.steerer import Steerer

REFUSED = "refused"


def steerer_of(opened: Opened, position: str | None) -> "Steerer":
    """The study's steerer, at the position of the link."""
    steerer = opened.steerer()
    return steerer if position is None else steerer.at(position)


def stamp(opened: Opened) -> str:
    """One cache key for everything that a list under edits is made from."""
    return f"{opened.study.path} {opened.dictionary} {opened.stamp('data', 'recommender', 'sae', 'evidence')}"


def apply(found: Scene, edits: Sequence[Edit]) -> bool:
    """Puts edits into the link; where they cannot be, says why beside the lists and leaves everything as it is."""
    try:
        permalink.parse(permalink.params(found.at(tuple(edits))))
        check(edits, 1 + max(latent for edit in edits for latent in edit.latents))
    except UserError as error:
        st.session_state[REFUSED] = str(error)
        return False
    permalink.write(found.at(tuple(edits)))
    return True
