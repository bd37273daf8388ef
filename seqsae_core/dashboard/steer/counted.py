"""What the page counts in lists: the titles that its link names, or the concept that the edits are about."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from seqsae_core.dashboard.loading import Opened
from seqsae_core.dashboard.permalink import View, quote
from seqsae_core.data.lookup import Lookup
from seqsae_core.errors import UserError
from seqsae_core.steering.edits import WHOLE, Edit


@dataclass(frozen=True)
class Counted:
    """Item values, float32 (n_items + 1,), under a name; concept: that of the study which it is, None for titles."""

    name: str
    labels: np.ndarray
    concept: str | None = None


def counted(opened: Opened, view: View, edits: Sequence[Edit]) -> Counted | None:
    """The titles of the link, or else the concept of the edits, or None. Errors as in `titles`."""
    found = titles(opened, view)
    if found is not None:
        return found
    concept = concept_of(opened, edits)
    return None if concept is None else of_study(opened, concept)


def titles(opened: Opened, view: View) -> Counted | None:
    """The list of titles, or the words in titles, of a link; None where it names neither.

    Raises UserError for an item that the study has not, and for words that no title has.
    """
    n_items = len(opened.catalogue())
    if view.items:
        unknown = next((item for item in view.items if not 1 <= item <= n_items), None)
        if unknown is not None:
            raise UserError(f"There is no item {unknown} in this study: items run from 1 to {n_items}.")
        return Counted(f"a list of {len(set(view.items)):,} titles", _labels(n_items, view.items))
    if view.search:
        items = Lookup(opened.catalogue()).containing(view.search)
        if not len(items):
            raise UserError(f"No title has the words {quote(view.search)} of the link. Take them out of it.")
        return Counted(f"titles with “{view.search}”", _labels(n_items, items))
    return None


def of_study(opened: Opened, concept: str) -> Counted:
    """A concept of the study."""
    table = opened.concepts()
    return Counted(concept, table.values[:, table.names.index(concept)].astype(np.float32), concept)


def concept_of(opened: Opened, edits: Sequence[Edit]) -> str | None:
    """The concept that these edits are about: that of the latent turned furthest which has one, whole ways last."""
    latents = opened.features("latents")
    ordered = sorted(edits, key=lambda edit: (edit.strength == WHOLE, -abs(edit.strength)))
    return next((c for edit in ordered for n in edit.latents if (c := str(latents.at[n, "top_concept"] or ""))), None)


def _labels(n_items: int, items: Sequence[int]) -> np.ndarray:
    labels = np.zeros(n_items + 1, np.float32)
    labels[np.asarray(items, int)] = 1
    return labels
