"""What `import seqsae_core as ss` offers to notebooks: a study from tables or files, its steering by ids or titles."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm.auto import tqdm

from seqsae_core.build import build as build_study
from seqsae_core.config import preset as settings_of
from seqsae_core.data.lookup import Lookup
from seqsae_core.errors import UserError
from seqsae_core.files import replacing
from seqsae_core.progress import StageProgress, Terminal, clock
from seqsae_core.recommender.recommend import Ranking, Recommendations
from seqsae_core.steering import steerer
from seqsae_core.steering.edits import Edit
from seqsae_core.study import Study

Table = pd.DataFrame | str | Path


def build(
    interactions: Table, items: Table | None = None, out: str | Path = "studies/mine", preset: str = "default",
    seed: int = 0, extras: bool = False, **choices: object,
) -> Study:  # fmt: skip
    """The study of `interactions` in the folder `out`, built as far as it is not there yet; tqdm bars show how far.

    interactions: a row an event, with a user, an item and a time; items: a row an item, with title and genres. Each is
    a table, or what `build --data` and `--items` take; tables are kept in `out`/source, so that the command line can go
    on with the study. choices: as `config.preset` takes them (split, architecture, time_budget, user_column, ...).
    Raises UserError for bad data or settings, naming the row or the choice.
    """
    source = _located(interactions, Path(out), "interactions")
    named = None if items is None else _located(items, Path(out), "items")
    try:
        config = settings_of(preset, seed, source, named, **choices)
    except TypeError as error:
        raise UserError(f"{error}: see `seqsae_core.config.preset` for what can be chosen.") from None
    return build_study(out, config, extras, Bars())


def _located(table: Table, out: Path, name: str) -> str:
    """Where a table's file is; one in memory is written first, unless the same is there."""
    if not isinstance(table, pd.DataFrame):
        return str(table)
    path = out / "source" / f"{name}.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as aside:
        table.to_parquet(aside, index=False)
    return str(path)


class Bars(Terminal):
    """A tqdm bar a stage, in a notebook a widget."""

    def __init__(self) -> None:
        self._bar: tqdm | None = None

    def show(self, stage: StageProgress, position: str, left: float) -> None:
        """The running stage, with the time left for the whole build."""
        self._draw(stage, position, f"{clock(left)} left  {stage.detail}")

    def end(self, stage: StageProgress, position: str) -> None:
        """How a stage ended."""
        self._draw(stage, position, f"{stage.state}. {stage.detail}")
        self._bar.close()
        self._bar = None

    def _draw(self, stage: StageProgress, position: str, text: str) -> None:
        if self._bar is None:
            layout = "{desc} |{bar:20}| {percentage:3.0f}% {elapsed}{postfix}"
            self._bar = tqdm(total=1.0, desc=f"{position} {stage.label}", bar_format=layout)
        self._bar.n = stage.fraction
        self._bar.set_postfix_str(text.rstrip())


class Steerer(steerer.Steerer):
    """`Steerer(study).recommend(history, edits)`: `steering.Steerer` of a study, with names in and out.

    dictionary, position: the study's unless given.
    """

    def __init__(self, study: Study, dictionary: str | None = None, position: str | None = None):
        vars(self).update(vars(steerer.Steerer.from_study(study, dictionary, position)))
        self.lookup, self._told = Lookup(study.catalogue()), f"{study.path}, layer {self.layer}"

    def __repr__(self) -> str:
        return f"Steerer({self._told}, {self.sae.latents:,} latents, edits at {self.position})"

    def recommend(
        self, history: Sequence[object] | np.ndarray | str, edits: Sequence[Edit] = (), k: int = 10, by: str = "item"
    ) -> Recommendations:
        """The k best items after `history`, oldest first, under the edits; `.table()` shows them with titles.

        by: what the history holds: "item" numbers, "id" original ids, "title" titles. Errors as in the parent's
        `recommend` and in `Lookup.items`.
        """
        found: Ranking = super().recommend(self.lookup.items(history, by), edits, k)
        at = found.items - 1
        return Recommendations(found.items, found.scores, self.lookup.item_ids[at], self.lookup.titles[at])
