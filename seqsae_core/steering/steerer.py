"""Recommendations for one history under edits of latents."""

from collections.abc import Sequence
from copy import copy
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from seqsae_core.errors import UserError
from seqsae_core.recommender.protocol import Hidden, SequenceModel
from seqsae_core.recommender.recommend import Ranking, best, check_history, hidden_of, rank_items
from seqsae_core.recommender.single import one_history
from seqsae_core.sae.autoencoders import Autoencoder
from seqsae_core.sae.interchange import fingerprint
from seqsae_core.steering.algebra import Variants, beside_plain
from seqsae_core.steering.displacement import check_position, displaced, displaced_states
from seqsae_core.steering.edits import Edit, check, linear
from seqsae_core.steering.sureness import factor, sureness

if TYPE_CHECKING:
    from seqsae_core.study import Study


class Steerer:
    """A model with a dictionary on one layer.

    An edit adds (edited codes − codes) · W_dec to the hidden state, so the dictionary's reconstruction error stays in;
    for the kinds of edits see `Edit`. units: (latents,), one standard deviation of each latent's activation where it
    fires. `position`: "last" edits the last position, "all" every one, "from N" those from the N-th item on. usual:
    (latents,), mean codes over users' positions; edits by taste need it.
    Items of the whole history are never recommended, also those before the model's window.
    """

    def __init__(
        self, model: SequenceModel, sae: Autoencoder, layer: int, units: np.ndarray, position: str = "last",
        usual: np.ndarray | None = None,
    ):  # fmt: skip
        if len(units) != sae.latents or not 0 <= layer <= model.n_layers + 1:
            raise ValueError(f"{len(units)} units, {sae.latents} latents; layer {layer} of {model.n_layers}")
        self.model, self.sae, self.layer, self.position = model, sae, layer, check_position(position)
        self._single = one_history(model)
        self.units = torch.as_tensor(np.nan_to_num(units), dtype=torch.float32)
        self.usual = None if usual is None else torch.as_tensor(np.nan_to_num(usual), dtype=torch.float32)

    @classmethod
    def from_study(
        cls, study: "Study", dictionary: str | None = None, position: str | None = None
    ) -> "Steerer":
        """The steerer of a study's dictionary, on one torch thread; `position` is the study's unless given."""
        torch.set_num_threads(1)
        table = study.features("latents", dictionary).sort_values("feature")
        units, usual = table["sd_activation"].to_numpy(), (table["density"] * table["mean_activation"]).to_numpy()
        position = position or study.config.steering.position
        return cls(study.model(), study.sae(dictionary), study.layer(dictionary), units, position, usual)

    @property
    def fingerprint(self) -> str:
        """Of the dictionary whose latents the edits name; see `interchange.fingerprint`."""
        return fingerprint(self.sae)

    def at(self, position: str) -> "Steerer":
        """The same steerer for edits at another position. Errors as in `check_position`."""
        other = copy(self)
        other.position = check_position(position)
        return other

    @torch.inference_mode()
    def recommend(self, history: Sequence[int], edits: Sequence[Edit] = (), k: int = 10) -> Ranking:
        """The k best items after `history` (items 1..n, oldest first) under the edits.

        No edit, or edits that move no code, is the plain model bit for bit. Ties go to the lower item id.
        Raises UserError for an empty history, an unknown item, and edits that `check` refuses.
        """
        edits = check(edits, self.sae.latents)
        if any(edit.strength for edit in edits):
            events = check_history(history, self.model.n_items)
            hidden = self._single.hidden(torch.from_numpy(events[-self.model.max_length :]), self.layer)
            rows = self._rows(hidden, self.variants(edits))
            if rows.any():
                moved = displaced(hidden, rows, self.position)[:, 0]
                return best(self._single.resume(moved, hidden.item_at, self.layer), events, k)[0]
        return rank_items(self._single, history, k)

    def compare(self, history: Sequence[int], edits: Sequence[Edit], k: int = 10) -> tuple[Ranking, Ranking]:
        """Before and after the edits, out of one batch; errors as in `recommend`."""
        before, after = best(self.scores(history, self.variants(edits)), history, k)
        return before, after

    def grid(
        self,
        history: Sequence[int],
        edits: Sequence[Edit],
        which: int,
        strengths: Sequence[float],
        k: int = 10,
    ) -> list[Ranking]:
        """One ranking for each strength of edit number `which`, the other edits held, out of one batch.

        Errors as in `recommend`; an edit towards a level takes no negative strength.
        """
        return best(self.scores(history, self.sweep(edits, which, strengths)), history, k)[1:]

    @torch.inference_mode()
    def taste(self, history: Sequence[int], edits: Sequence[Edit]) -> list[float]:
        """What each edit's strength is multiplied by for a history; see `taste.affinity`. Errors as in `recommend`."""
        hidden, single = hidden_of(self.model, history, self.layer), self.single(check(edits, self.sae.latents))
        own = replace(single, strengths=torch.ones_like(single.strengths))
        factors = own.for_users(self.sae.encode(hidden.activations), hidden.item_at)
        return factors[:, 0, 0].tolist()

    @torch.inference_mode()
    def sureness(self, history: Sequence[int], usual: float) -> tuple[float, float]:
        """How sure the model is of its unsteered list, and what strengths by sureness are multiplied by: see `factor`.

        Errors as in `recommend`.
        """
        scores = torch.from_numpy(rank_items(self._single, history, self.model.n_items).scores)
        own = sureness(scores.softmax(0)[None])
        return float(own), float(factor(own, usual))

    def variants(self, edits: Sequence[Edit]) -> Tensor | Variants:
        """The edits at their own strengths, as one variant. Errors as in `edits.check`."""
        edits = check(edits, self.sae.latents)
        if linear(edits):
            return self.displacement(edits)[None]
        return self.single(edits)

    def single(self, edits: Sequence[Edit]) -> Variants:
        """Checked edits at their own strengths, of any kind, as one variant."""
        return Variants.one(self.sae, self.units, edits, self.usual)

    def sweep(self, edits: Sequence[Edit], which: int, strengths: Sequence[float]) -> Tensor | Variants:
        """One variant for each strength of edit number `which`. Errors as in `grid`."""
        if not 0 <= which < len(edits):
            raise UserError(f"There is no edit number {which}: there are {len(edits)}, counted from 0.")
        edits = check(edits, self.sae.latents)
        asked = [check([replace(edits[which], strength=float(s))], self.sae.latents)[0].strength for s in strengths]
        levels = torch.tensor(asked, dtype=torch.float32)
        if linear(edits):
            held = self.displacement([edit for n, edit in enumerate(edits) if n != which])
            return held + levels[:, None] * self.displacement([replace(edits[which], strength=1.0)])
        single = self.single(edits)
        table = single.strengths.repeat(1, len(levels))
        table[which] = levels
        return replace(single, strengths=table)

    def displacement(self, edits: Sequence[Edit]) -> Tensor:
        """The sum of the displacements of the hidden state by edits that add, (width,).

        Errors as in `edits.check`; ValueError for another kind, which moves each state in its own way.
        """
        edits = check(edits, self.sae.latents)
        if not linear(edits):
            raise ValueError("only edits that add have one displacement for all states")
        parts = [(latent, edit.strength * weight) for edit in edits for latent, weight in edit.parts]
        latents = torch.tensor([int(latent) for latent, _ in parts], dtype=torch.long)
        strengths = torch.tensor([float(strength) for _, strength in parts], dtype=torch.float32)
        with torch.inference_mode():
            return (strengths * self.units[latents]) @ self.sae.W_dec[latents]

    @torch.inference_mode()
    def scores(self, history: Sequence[int], displacements: Tensor | Variants) -> Tensor:
        """Scores (1 + variants, n_items + 1): the plain row first, then one a variant.

        displacements: (variants, width), or variants of edits. A row without displacement is a copy of the plain row,
        so that equality at strength 0 does not hang on how a matrix product rounds in different rows.
        """
        hidden = hidden_of(self.model, history, self.layer)
        rows = self._rows(hidden, beside_plain(displacements))
        still = ~(rows if rows.ndim == 2 else rows[0]).flatten(1).any(1)
        scores = self._scored(hidden, rows)
        scores[still] = scores[0].clone()
        return scores

    def _rows(self, hidden: Hidden, displacements: Tensor | Variants) -> Tensor:
        """Displacements as `displaced_states` takes them."""
        return displacements if isinstance(displacements, Tensor) else displacements.of(hidden, self.position)

    def _scored(self, hidden: Hidden, rows: Tensor) -> Tensor:
        """Scores (variants, n_items + 1) under displacements of one history."""
        return self.model.scores(displaced_states(self.model, hidden, self.layer, rows, self.position)[0])


def moves(before: Ranking, after: Ranking, k: int = 10) -> pd.DataFrame:
    """How the items among the first k of either ranking moved, in the new order, then the dropped ones.

    Columns: item, old_rank and new_rank (1-based, Int64), score_change (Float64), status (up, down, same, new,
    dropped). Ranks and changes are NA where an item lies beyond the end of a ranking: `compare` with a larger k.
    """
    top, was = after.items[:k], before.items[:k]
    items = np.concatenate([top, was[~np.isin(was, top)]])
    table = pd.DataFrame({"item": items, "old_rank": _ranks(before, items), "new_rank": _ranks(after, items)})
    scores = [pd.Series(r.scores, r.items, dtype="Float64").reindex(items).array for r in (before, after)]
    table["score_change"] = scores[1] - scores[0]
    change = (table["new_rank"] - table["old_rank"]).fillna(0)
    tests = [~table["item"].isin(was), ~table["item"].isin(top), change < 0, change > 0]
    names = ["new", "dropped", "up", "down"]
    table["status"] = np.select([test.to_numpy(bool) for test in tests], names, "same")
    return table


def _ranks(ranking: Ranking, items: np.ndarray) -> pd.api.extensions.ExtensionArray:
    return pd.Series(np.arange(1, len(ranking.items) + 1), ranking.items, dtype="Int64").reindex(items).array
