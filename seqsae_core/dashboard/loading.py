"""From the URL to an open study: what every page asks first. Tables are cached by the stamp of their stage.

Torch is imported only by `Opened.steerer`.
"""

import gc
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import numpy as np
import pandas as pd
import streamlit as st

from seqsae_core import log
from seqsae_core.build import out_of_date
from seqsae_core.dashboard import literal, navigation, permalink, versions, waiting
from seqsae_core.dashboard.dictionaries import using
from seqsae_core.dashboard.permalink import View
from seqsae_core.dashboard.review import review_names
from seqsae_core.data.concepts import ConceptTable
from seqsae_core.errors import UserError
from seqsae_core.study import Study, read_progress

if TYPE_CHECKING:
    from seqsae_core.steering.steerer import Steerer


@dataclass(frozen=True)
class Opened:
    """A study as one page run and its fragments see it: manifest and tables are read once. Never mutate a table."""

    view: View
    study: Study
    dictionary: str | None
    seen: dict[tuple, Any] = field(default_factory=dict, compare=False, repr=False)

    def has(self, *stages: str) -> bool:
        """Whether all these stages are complete."""
        return all(self.study.has(stage, self.dictionary) for stage in stages)

    def stamp(self, *stages: str) -> str:
        """One cache key for what was made from these stages."""
        return "-".join(str(self.study.stamp(stage, self.dictionary)) for stage in stages)

    def catalogue(self) -> pd.DataFrame:
        """Items 1..n, indexed by item number: item_id, title, year, genres, count."""
        return self.once("catalogue", lambda: _catalogue(str(self.study.path), self.stamp("data")))

    def concepts(self) -> ConceptTable:
        """Item concepts."""
        return self._read("concepts", "data")

    def recommender_metrics(self) -> dict[str, Any]:
        """Quality of the recommender and of its baselines."""
        return self._read("recommender_metrics", "recommender")

    def sae_metrics(self) -> dict[str, Any]:
        """Fidelity of the dictionary."""
        return self._read("sae_metrics", "sae", self.dictionary)

    def summary(self) -> dict[str, Any]:
        """Headline figures of every kind of feature."""
        return self._read("evidence_summary", "evidence", self.dictionary)

    def features(self, kind: str = "latents") -> pd.DataFrame:
        """One row a feature, indexed by feature number; latents under the names that analysts accepted.

        Raises UserError when the study has no such kind.
        """
        return self.as_built(kind) if kind != "latents" else self.once("latents", self._named)

    def _named(self) -> pd.DataFrame:
        stamp = self.stamp("evidence", "extras")
        return review_names.named(self.study, self.dictionary, self.as_built("latents"), stamp)

    def as_built(self, kind: str = "latents") -> pd.DataFrame:
        """The same with automatic names only."""
        read = lambda: self._read("features", "evidence", kind, self.dictionary)  # noqa: E731
        return self.once("as built", lambda: read().set_index("feature", drop=False), kind)

    def best(self) -> pd.DataFrame:
        """The best feature per concept and kind."""
        return self._read("best", "evidence", self.dictionary)

    def enrichment(self, latent: int) -> pd.DataFrame:
        """Concept enrichment of one latent."""
        return self._read("enrichment", "evidence", self.dictionary, latent)

    def alignment(self, latent: int) -> pd.DataFrame:
        """See `Study.alignment`."""
        return self._read("alignment", "evidence", self.dictionary, latent)

    def context(self, latent: int) -> pd.DataFrame:
        """See `Study.context`."""
        return self._read("context", "evidence", self.dictionary, latent)

    def histogram(self, latent: int) -> pd.DataFrame:
        """Activation histogram of one latent."""
        return self._read("histogram", "evidence", self.dictionary, latent)

    def examples(self, kind: str, feature: int) -> pd.DataFrame:
        """Example windows of one feature."""
        return self._read("examples", "evidence", self.dictionary, kind, feature)

    def map(self) -> pd.DataFrame:
        """Positions of the latents on the map."""
        return self._read("map", "map", self.dictionary)

    def effects(self) -> pd.DataFrame:
        """Steering effect of each latent, indexed by latent."""
        read = lambda: self._read("effects", "steering", self.dictionary)  # noqa: E731
        return self.once("effects by latent", lambda: read().set_index("latent", drop=False))

    def tradeoff(self) -> pd.DataFrame:
        """Trade-off curves."""
        return self._read("tradeoff", "steering", self.dictionary)

    def lowered(self) -> pd.DataFrame:
        """Curves at negative strengths."""
        return self._read("lowered", "steering", self.dictionary)

    def segments(self) -> pd.DataFrame:
        """Curves by how often users watch the concept."""
        return self._read("segments", "steering", self.dictionary)

    def steering_summary(self) -> dict[str, Any]:
        """Lift within a budget of each method."""
        return self._read("steering_summary", "steering", self.dictionary)

    def decoder(self) -> np.ndarray:
        """Decoder directions, float32 (latents, width); without torch."""
        return review_names.weights(self.study, self.dictionary).decoder

    def steerer(self) -> "Steerer":
        """Model and dictionary, ready to steer; imports torch on the first call."""
        return _steerer(str(self.study.path), self.dictionary, self.stamp("recommender", "sae", "evidence"))

    def _read(self, method: str, stage: str, *arguments: Any) -> Any:
        if not self.has(stage):
            self.study.folder(stage, self.dictionary)
        found = lambda: _table(str(self.study.path), self.stamp(stage, "extras"), method, arguments)  # noqa: E731
        return self.once(method, found, *arguments)

    def once(self, name: str, read: Callable[[], Any], *arguments: Any) -> Any:
        """What was read under this name before, or is now: a key of the cache costs more than a look-up here."""
        if (name, *arguments) not in self.seen:
            self.seen[name, *arguments] = read()
        return self.seen[name, *arguments]


def page(body: Callable[[Opened], None], needs: Sequence[str]) -> None:
    """The frame of every page: the bar, then `body`, or in its place a waiting state or the error and its remedy."""
    navigation.showing(body)
    try:
        view = permalink.read()
    except UserError as error:
        navigation.bar(View())
        _broken_link(error)
        return
    navigation.bar(view)
    with errors_shown(), _timed(view):
        folder = study_folder(view)
        opened = _open(view, folder, needs)
        if opened is not None:
            if opened.has("sae"):
                versions.note(opened.study, opened.dictionary)
                review_names.note(opened.study)
            body(opened)


def page_without_study(body: Callable[[], None]) -> None:
    """The frame of a page that is not about a study: the bar of the study that the link names, then `body`."""
    navigation.showing(body)
    try:
        view = permalink.read()
    except UserError:
        view = View()
    navigation.bar(view)
    with errors_shown():
        body()


@contextmanager
def errors_shown() -> Iterator[None]:
    """Shows a UserError in place of what the block would have drawn; for bodies of pages and of fragments.

    Anything else goes to the study's log; the page shows the id that the log explains it under.
    """
    try:
        yield
    except UserError as error:
        st.error(literal.told(error), icon=":material/error:")
    except Exception as error:  # noqa: BLE001 - a page shows what went wrong; the log says why
        if told := _removed():
            st.error(told, icon=":material/error:")
        else:
            st.exception(_unexpected(error))


def _removed() -> str | None:
    """What to say where the study that a page shows is there no more; then every other error follows from that."""
    with suppress(UserError):
        folder = study_folder(permalink.read())
        if not folder.exists():
            gone = f"The study {literal.code(folder)} was removed while this page showed it."
            return f"{gone} Others are listed under Studies."
    return None


class Unexpected(Exception):
    """What a page says of an error that nobody expected."""


def _unexpected(error: Exception) -> Unexpected:
    """The error is in the log afterwards; what to say of it, with its id and where it is explained."""
    folder, remedy = studies_root(), ""
    with suppress(UserError):
        view = permalink.read()
        folder = study_folder(view)
        remedy = _of_another_version(Study.open(folder), view)
    name = log.error(folder, error, page=_page_name())
    return Unexpected(f"error {name}. {remedy}What happened stands in {folder / log.LOG} under this id.")


def _of_another_version(study: Study, view: View) -> str:
    """A study that an earlier version built may lack what this one reads: then what builds it anew."""
    dictionary = view.dictionary or study.default_dictionary
    old = dictionary in study.dictionaries and out_of_date(study, dictionary)
    return f"An earlier version built this study; build it anew: {study.build_command()}. " if old else ""


@contextmanager
def _timed(view: View) -> Iterator[None]:
    """Writes how long a page took to the log of a study that is there."""
    began = time.perf_counter()
    yield
    with suppress(UserError):
        folder = study_folder(view)
        if Study.exists(folder):
            log.write(folder, "page", page=_page_name(), ms=round(1000 * (time.perf_counter() - began)))


def _page_name() -> str:
    """The last part of the address, `` for the first page; only the path, not what the link says."""
    return urlsplit(str(st.context.url or "")).path.rsplit("/", 1)[-1]


def studies_root() -> Path:
    """Where studies live: $SEQSAE_STUDIES, or ./studies."""
    return Path(os.environ.get("SEQSAE_STUDIES") or "studies")


def study_folder(view: View) -> Path:
    """Folder of the study that a link names, or of the default one ($SEQSAE_STUDY, or movietweetings).

    Raises UserError where a link names a folder that leads out of the one with the studies.
    """
    root = studies_root()
    if view.study and not (root / view.study).resolve().is_relative_to(root.resolve()):
        named = permalink.quote(view.study)
        raise UserError(f"The link's study {named} is not in {root}: open it by `serve` with its own path.")
    return root / (view.study or os.environ.get("SEQSAE_STUDY") or "movietweetings")


def studies() -> list[str]:
    """Names of the studies that exist, in order."""
    root = studies_root()
    folders = sorted(root.iterdir()) if root.is_dir() else []
    return [f.name for f in folders if Study.exists(f)]


def _open(view: View, folder: Path, needs: Sequence[str]) -> Opened | None:
    """The study when the stages needed are there; otherwise draws the state that says why not and returns None."""
    if not Study.exists(folder):
        waiting.no_study(folder, studies()) if read_progress(folder) is None else waiting.room(folder, needs, None)
        return None
    study = Study.open(folder)
    dictionary = _dictionary(study, view)
    if all(study.has(stage, dictionary) for stage in needs):
        return Opened(view, study, dictionary)
    if using.is_swept_only(study, dictionary):
        using.room(view, folder, dictionary)
    else:
        waiting.room(folder, needs, dictionary)
    return None


def _dictionary(study: Study, view: View) -> str | None:
    """The dictionary of a link, else the default; None while there is none. Raises UserError on an unknown one."""
    there = study.dictionaries
    if view.dictionary and there and view.dictionary not in there:
        raise UserError(f"The study has no dictionary `{view.dictionary}`. It has: {', '.join(there)}.")
    return view.dictionary or (there[0] if there else None)


def _broken_link(error: UserError) -> None:
    st.error(f"This link cannot be read. {literal.told(error)}", icon=":material/link_off:")
    if st.button("Open this page without the link's settings"):
        st.query_params.clear()
        st.rerun()


@st.cache_resource(max_entries=256, show_spinner=False)
def _table(path: str, stamp: str, method: str, arguments: tuple) -> Any:
    return getattr(Study.open(path), method)(*arguments)


@st.cache_resource(max_entries=4, show_spinner=False)
def _catalogue(path: str, stamp: str) -> pd.DataFrame:
    table = Study.open(path).catalogue().set_index("item", drop=False)
    gc.freeze()
    return table


@st.cache_resource(max_entries=2, show_spinner="Loading the model")
def _steerer(path: str, dictionary: str | None, stamp: str) -> "Steerer":
    from seqsae_core.steering.steerer import Steerer

    steerer = Steerer.from_study(Study.open(path), dictionary)
    gc.freeze()
    return steerer
