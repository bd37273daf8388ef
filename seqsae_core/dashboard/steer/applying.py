"""The one way in which the parts of Steer change the edits: checked first, then into the link."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NoReturn

import streamlit as st

from seqsae_core.dashboard import permalink
from seqsae_core.dashboard.loading import Opened
from seqsae_core.dashboard.steer.scene import Scene
from seqsae_core.errors import UserError
from seqsae_core.steering.edits import Edit, check

if TYPE_CHECKING:
    from seqsae_core.steering.steerer import Steerer

REFUSED, RELEASED, TURNED = "refused", "released", "turned"


def steerer_of(opened: Opened, position: str | None) -> "Steerer":
    """The study's steerer, at the position of the link."""
    steerer = opened.steerer()
    return steerer if position is None else steerer.at(position)


def stamp(opened: Opened) -> str:
    """One cache key for everything that a list under edits is made from."""
    return f"{opened.study.path} {opened.dictionary} {opened.stamp('data', 'recommender', 'sae', 'evidence')}"


def shown(found: Scene) -> tuple[Edit, ...]:
    """The edits of the lists that are shown: released strengths too, and those that the page chose itself."""
    turned = st.session_state.get(TURNED)
    return turned.edits if turned else found.edits


def apply(found: Scene, edits: Sequence[Edit]) -> NoReturn:
    """Puts edits into the link; where they cannot be, says why beside the lists and leaves everything as it is.

    For callbacks of widgets anywhere on the page, which runs again.
    """
    try:
        permalink.parse(permalink.params(found.at(tuple(edits))))
        check(edits, 1 + max(latent for edit in edits for latent in edit.latents))
    except UserError as error:
        refuse(str(error))
    st.session_state.pop(RELEASED, None)
    permalink.write(found.at(tuple(edits)))
    st.rerun()


def refuse(why: str) -> NoReturn:
    """Says beside the lists why something was not done; for callbacks."""
    st.session_state[REFUSED] = why
    st.rerun()
