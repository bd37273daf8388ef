"""What the page Steer shows: whose history, and which latents are turned how far. Checked, or the defaults.

A link that names neither user nor strength needs the model: an opening is chosen that shows something.
"""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import streamlit as st

from seqsae_core.dashboard.loading import Opened
from seqsae_core.dashboard.permalink import View, quote
from seqsae_core.dashboard.steer.live import strengths
from seqsae_core.dashboard.steer.turning import clearest
from seqsae_core.data.sequences import SCORE, SELECT
from seqsae_core.errors import UserError
from seqsae_core.steering.edits import MAX_STRENGTH, WHOLE, Edit, check
from seqsae_core.study import Study

USUAL_LENGTHS = (12, 40)
CANDIDATES = 16


@dataclass(frozen=True)
class Audience:
    """Histories to steer for: items of all users one after another (`offsets`), how many events of each come before the
    test target (`ends`, -1 = no target), and the users that took no part in fitting the dictionary."""

    items: np.ndarray
    offsets: np.ndarray
    ends: np.ndarray
    held_out: np.ndarray

    def __len__(self) -> int:
        return len(self.ends)

    def history(self, user: int) -> tuple[int, ...]:
        """Items before the test target, or all of them where there is none; oldest first."""
        start, stop = self.offsets[user : user + 2]
        end = self.ends[user]
        return tuple(self.items[start : stop if end < 0 else start + end].tolist())

    def target(self, user: int) -> int | None:
        """The item that the user took next, which the model has not seen at this place."""
        return int(self.items[self.offsets[user] + self.ends[user]]) if self.ends[user] >= 0 else None


@dataclass(frozen=True)
class Scene:
    """One state of the page. user and target are None for a composed history; `chosen`: whether the link says how
    far the edits go. made_for: the dictionary's fingerprint, once it is known."""

    view: View
    history: tuple[int, ...]
    edits: tuple[Edit, ...]
    user: int | None = None
    target: int | None = None
    chosen: bool = True
    made_for: str | None = None

    @property
    def position(self) -> str | None:
        """Where the edits are made; None is the study's own choice."""
        return self.view.position

    def latest(self, view: View) -> "Scene":
        """The same scene at the strengths of a newer link: sliders change the URL without a run of the whole page."""
        return replace(self, view=view, edits=view.edits or self.edits, chosen=bool(view.edits) or self.chosen)

    def at(self, edits: tuple[Edit, ...]) -> View:
        """The link to this scene at these strengths: it says everything, also what was a default."""
        return self._said().but(edits=edits, latent=None, made_for=self.made_for or self.view.made_for)

    def but_at(self, position: str) -> View:
        """The link to the same edits made at another position."""
        return self._said().but(position=position)

    def of(self, user: int | None) -> View:
        """The link to the same edits for another user, None = the default one."""
        return self._said().but(user=user, history=None)

    def composed(self, history: tuple[int, ...]) -> View:
        """The link to the same edits for a history put together by hand."""
        return self._said().but(user=None, history=history)

    def whose(self) -> View:
        """The link to the same history, without edits."""
        return replace(self, edits=(), chosen=False, view=self.view.home())._said()

    def _said(self) -> View:
        edits = self.edits if self.chosen else self.view.edits
        who = {"user": self.user} if self.user is not None else {"history": self.history}
        here = {"position": self.view.position, "made_for": self.made_for or self.view.made_for if edits else None}
        named = {"items": self.view.items, "search": self.view.search}
        return self.view.home().but(
            **who, **here, **named, edits=edits, latent=self.view.latent if edits is None else None
        )


def audience(opened: Opened) -> Audience:
    """Histories of the study, cached."""
    return _audience(str(opened.study.path), opened.stamp("data"))


def scene(opened: Opened, view: View) -> Scene:
    """The scene of a link. Raises UserError naming what the link asks for that this study does not have."""
    edits = _edits(opened, view)
    chosen = bool(view.edits)
    if view.history is not None:
        return Scene(view, _history(opened, view.history), edits, chosen=chosen)
    people = audience(opened)
    user = _user(opened, people, view, edits)
    return Scene(view, people.history(user), edits, user, people.target(user), chosen)


def reading(opened: Opened, view: View) -> Scene:
    """The history of a link without any edit, or a held-out user's of a usual length. Raises UserError as `scene`."""
    if view.history is not None:
        return Scene(view, _history(opened, view.history), (), chosen=False)
    people = audience(opened)
    user = candidates(people)[0] if view.user is None else _known(people, view.user)
    return Scene(view, people.history(user), (), user, people.target(user), chosen=False)


def within_limits(opened: Opened, view: View) -> tuple[View, str]:
    """The link with strengths that are too large brought to the nearest allowed, and a word about it, "" for none."""
    allowed = tuple(_within(edit, limit(opened)) for edit in view.edits or ())
    moved = [(one, other) for one, other in zip(view.edits or (), allowed, strict=True) if one != other]
    words = [f"{one.strength:g} became {other.strength:g}" for one, other in moved]
    return (view.but(edits=allowed), f"Too large a strength in the link: {', '.join(words)}.") if moved else (view, "")


def _within(edit: Edit, most: float) -> Edit:
    most = most if edit.kind in ("add", "mass") else MAX_STRENGTH
    return edit if edit.strength == WHOLE else replace(edit, strength=min(max(edit.strength, -most), most))


def limit(opened: Opened) -> float:
    """The largest strength of a slider, in standard deviations of the latent where it fires."""
    return float(opened.study.config.steering.max_strength)


def steerable(opened: Opened) -> pd.DataFrame:
    """Latents that fire, the best evidenced first."""
    latents = opened.features("latents")
    latents = latents[latents["alive"] & (latents["sd_activation"] > 0)]
    return latents.sort_values(["significant", "correlation"], ascending=False, na_position="last")


def default_latent(opened: Opened) -> int:
    """The latent that opens the page: among significant ones (of genres, where there are any) the largest product of
    held-out correlation and steering effect; without effects the largest correlation."""
    latents = steerable(opened)
    if latents.empty:
        raise UserError("No latent of this dictionary fires, so there is nothing to steer: train it longer.")
    for wanted in ("significant", "of_genre"):
        kept = latents.assign(of_genre=latents["top_group"] == "genre").query(wanted)
        latents = latents if kept.empty else kept
    worth = latents["correlation"].fillna(0)
    if opened.has("steering"):
        worth = worth * opened.effects()["effect"].reindex(latents.index).fillna(0)
    return int(worth.idxmax())


def candidates(people: Audience) -> list[int]:
    """The first held-out users with histories of a usual length; where there is none, the first held-out users."""
    lengths = people.ends[people.held_out]
    usual = people.held_out[(lengths >= USUAL_LENGTHS[0]) & (lengths <= USUAL_LENGTHS[1])]
    return (usual if len(usual) else people.held_out)[:CANDIDATES].tolist()


def after(people: Audience, user: int) -> int:
    """The next held-out user, round and round."""
    return int(people.held_out[np.searchsorted(people.held_out, user, side="right") % len(people.held_out)])


def _user(opened: Opened, people: Audience, view: View, edits: tuple[Edit, ...]) -> int:
    """The user of the link, or a held-out one; while the strength is open, the one whose list shows most clearly
    what the latent does."""
    if view.user is None:
        stamp = opened.stamp("data", "recommender", "sae", "evidence")
        return candidates(people)[0] if view.edits else _clearest(opened, stamp, edits[0].latents[0])
    return _known(people, view.user)


def _known(people: Audience, user: int) -> int:
    if user >= len(people):
        raise UserError(f"There is no user {user} in this study: users run from 0 to {len(people) - 1}.")
    return user


@st.cache_data(max_entries=1000, show_spinner="Choosing a user whose list moves")
def _clearest(_opened: Opened, stamp: str, latent: int) -> int:
    people, table = audience(_opened), _opened.concepts()
    some, concept = candidates(people), str(_opened.features("latents").at[latent, "top_concept"] or "")
    labels = table.values[:, table.names.index(concept)] if concept else np.zeros(len(table.values))
    histories = [people.history(user) for user in some]
    return some[clearest(_opened.steerer(), histories, latent, strengths(limit(_opened)), labels)]


def _history(opened: Opened, history: tuple[int, ...]) -> tuple[int, ...]:
    n_items = len(opened.catalogue())
    unknown = next((item for item in history if not 1 <= item <= n_items), None)
    if unknown is not None:
        raise UserError(f"There is no item {unknown} in this study: items run from 1 to {n_items}.")
    return history


def _edits(opened: Opened, view: View) -> tuple[Edit, ...]:
    opening = default_latent(opened) if view.latent is None and not view.edits else view.latent
    edits = view.edits or (Edit(opening, 0.0),)
    for edit in edits:
        for latent in edit.latents:
            _check(opened, latent)
    if view.edits and view.made_for:
        _check_made_for(opened, view.made_for)
    return check(edits, int(opened.features("latents").index.max()) + 1)


def _check_made_for(opened: Opened, theirs: str) -> None:
    ours = fingerprint(opened)
    if theirs != ours:
        raise UserError(
            f"This link's edits were made for the dictionary {quote(theirs)}, this one is `{ours}`: its latents mean "
            "other things. Open the dictionary that they belong to, or start over."
        )


def fingerprint(opened: Opened) -> str:
    """Of the dictionary that is open, cached."""
    return _fingerprint(opened, f"{opened.study.path} {opened.dictionary} {opened.stamp('sae')}")


@st.cache_data(max_entries=32, show_spinner=False)
def _fingerprint(_opened: Opened, stamp: str) -> str:
    return _opened.steerer().fingerprint


def _check(opened: Opened, latent: int) -> None:
    latents = opened.features("latents")
    if latent not in latents.index:
        raise UserError(f"There is no latent {latent} in this dictionary: latents run from 0 to {len(latents) - 1}.")
    if not (latents.at[latent, "alive"] and latents.at[latent, "sd_activation"] > 0):
        raise UserError(f"Latent {latent} never fires, so it has no unit to be turned by: choose another one.")


@st.cache_resource(max_entries=4, show_spinner=False)
def _audience(path: str, stamp: str) -> Audience:
    study = Study.open(path)
    sequences = study.sequences()
    split = study.split(sequences)
    held_out = split.users(SELECT, SCORE)
    return Audience(sequences.items, sequences.offsets, split.test_at, held_out[split.test_at[held_out] > 0])
