"""Popularity as a dial: latents that make lists more or less mainstream, beside a term of log-popularity in the scores.

On both dials a positive strength is more mainstream, a negative one less.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from seqsae_core.errors import UserError
from seqsae_core.recommender.lists import list_figures
from seqsae_core.recommender.protocol import Hidden
from seqsae_core.recommender.ranking import hr, ndcg
from seqsae_core.recommender.recommend import Ranking, best
from seqsae_core.steering import outcomes
from seqsae_core.steering.algebra import beside_plain
from seqsae_core.steering.displacement import positions
from seqsae_core.steering.edits import Edit
from seqsae_core.steering.evaluation import Contexts, K, Lists, collect_contexts, held_out_users, lists_under
from seqsae_core.steering.goals import price
from seqsae_core.steering.steerer import Steerer

if TYPE_CHECKING:
    from seqsae_core.study import Study

LATENTS = 10
LAMBDAS = tuple(round(0.05 * step, 2) for step in range(-40, 41))


@dataclass(frozen=True)
class Dial:
    """What two dials do to the lists of the same users.

    table: one row a method ("latents", "log_popularity") and strength, 0 first: the figures of `list_figures`, ndcg@10,
    hr@10 and replaced@10, the mean number of items that are not in the unsteered list; ndcg_change, relative to
    strength 0, with _low and _high, its 95 % interval over users. lists: of each method, in that order.
    """

    table: pd.DataFrame
    lists: dict[str, Lists]


def log_popularity(counts: np.ndarray) -> np.ndarray:
    """Natural logarithm of training events, (n_items + 1,), 0 at padding; counts: (n_items,), none counts as one."""
    return np.concatenate([[0.0], np.log(np.maximum(counts, 1))]).astype(np.float32)


def popularity_edit(
    steerer: Steerer, contexts: Contexts, log_counts: np.ndarray, strength: float = 1.0, count: int = LATENTS
) -> Edit:
    """The `count` latents whose unit most changes the expected log-popularity of a recommendation, as one concept.

    The expectation is Σᵢ pᵢ · log_countsᵢ, p the softmax of a user's scores; its gradient in the hidden state, where
    the steerer edits, is averaged over the users of the contexts. A latent's slope is unit × decoder direction ·
    gradient, its weight slope / largest |slope|. Raises UserError where no latent has a slope.
    """
    gradient = sum(_gradient(steerer, bucket.hidden, log_counts) for bucket in contexts.buckets) / len(contexts.users)
    slopes = steerer.units * (steerer.sae.W_dec.detach() @ gradient)
    chosen = slopes.abs().argsort(descending=True, stable=True)[:count]
    chosen = chosen[slopes[chosen] != 0]
    if not len(chosen):
        raise UserError("No latent changes how popular recommendations are: use a dictionary whose latents fire.")
    weights = slopes[chosen] / slopes[chosen[0]].abs()
    return Edit(tuple((int(n), float(w)) for n, w in zip(chosen, weights, strict=True)), strength)


def measure_dial(
    steerer: Steerer,
    contexts: Contexts,
    edit: Edit,
    counts: np.ndarray,
    strengths: Sequence[float],
    lambdas: Sequence[float],
) -> Dial:
    """Lists of the contexts' users under an edit at each strength, and with each λ · log-popularity on the scores.

    counts: training events (n_items,). A negative λ subtracts. Errors as in `Steerer.grid`.
    """
    boosts = torch.tensor([0.0, *lambdas])[:, None] * torch.from_numpy(log_popularity(counts))
    still = torch.zeros(1, steerer.model.width)
    lists = {
        "latents": lists_under(contexts, beside_plain(steerer.sweep([edit], 0, strengths)), steerer.position),
        "log_popularity": lists_under(contexts, still, steerer.position, boosts),
    }
    levels = {"latents": strengths, "log_popularity": lambdas}
    tables = [_figures(name, [0.0, *levels[name]], found, counts) for name, found in lists.items()]
    return Dial(pd.concat(tables, ignore_index=True), lists)


def tilted(steerer: Steerer, history: Sequence[int], log_counts: np.ndarray, weight: float, k: int = 10) -> Ranking:
    """One history's k best items by score + weight · log_counts, unsteered otherwise. Errors as in `recommend`."""
    scores = steerer.scores(history, torch.zeros(0, steerer.model.width)) + weight * torch.from_numpy(log_counts)
    return best(scores, history, k)[0]


def for_one(
    steerer: Steerer, history: Sequence[int], edits: Sequence[Edit], log_counts: np.ndarray, k: int = K
) -> pd.DataFrame:
    """One history's list as it is, under the edits, and with the λ of LAMBDAS whose list is about as popular as that.

    A row a list: method ("plain", "latents", "log_popularity"), weight (λ, NaN elsewhere), items, popularity (geometric
    mean of training events), and what it costs: replaced and probability_kept, see `goals.Price`. Errors as in
    `recommend`.
    """
    plain = steerer.scores(history, torch.zeros(0, steerer.model.width))
    weights = np.array(sorted(LAMBDAS, key=abs))
    terms = torch.from_numpy(np.outer(weights, log_counts).astype(np.float32))
    tilts = best(plain + terms, history, k)
    before, steered = steerer.compare(history, edits, k)
    means = np.array([log_counts[one.items].mean() for one in tilts])
    at = int(np.abs(means - log_counts[steered.items].mean()).argmin())
    best(plain, history, k)  # the items seen become −∞
    lists = {"plain": before, "latents": steered, "log_popularity": tilts[at]}
    rows = []
    for method, one in lists.items():
        weight = float(weights[at]) if method == "log_popularity" else np.nan
        cost = price(plain[0].numpy(), before, one)
        popularity = float(np.exp(log_counts[one.items].mean()))
        rows.append((method, weight, one.items.tolist(), popularity, cost.replaced, cost.probability_kept))
    return pd.DataFrame(rows, columns=["method", "weight", "items", "popularity", "replaced", "probability_kept"])


def contexts_of(study: "Study", steerer: Steerer, users: int) -> Contexts:
    """`users` held-out users with their validation targets, half of them of either role."""
    sequences = study.sequences()
    split = study.split(sequences)
    who = held_out_users(sequences, split, users // 2)
    return collect_contexts(steerer.model, steerer.layer, sequences, who, split.valid_at[who])


def _figures(method: str, levels: Sequence[float], lists: Lists, counts: np.ndarray) -> pd.DataFrame:
    plain, rows = lists.items[:, 0], []
    for items in lists.items.swapaxes(0, 1):
        kept = ((items[:, :, None] == plain[:, None, :]) & (items > 0)[:, :, None]).any(2)
        replaced = float(((items > 0) & ~kept).sum(1).mean())
        rows.append(list_figures(items, np.append(0, counts)) | {f"replaced@{K}": replaced})
    gains = ndcg(lists.ranks, K)
    changes = outcomes.relative_changes(outcomes.user_weights(len(gains), 0), gains)
    low, high = outcomes.interval(changes)
    accuracy = {f"ndcg@{K}": gains.mean(0), f"hr@{K}": hr(lists.ranks, K).mean(0)}
    accuracy |= {"ndcg_change": changes[0], "ndcg_change_low": low, "ndcg_change_high": high}
    table = pd.DataFrame(rows).assign(**accuracy)
    return pd.DataFrame({"method": method, "strength": np.asarray(levels, float)}).join(table)


def _gradient(steerer: Steerer, hidden: Hidden, log_counts: np.ndarray) -> Tensor:
    """Gradient of the expected log-popularity in a displacement of the hidden state, summed over a batch, (width,)."""
    hidden = Hidden(*(part.clone() for part in hidden))
    where = positions(hidden, steerer.position)[..., None]
    with torch.enable_grad():
        moved = torch.zeros(steerer.model.width, requires_grad=True)
        state = steerer.model.resume(hidden.activations + where * moved, hidden.item_at, steerer.layer)
        expected = steerer.model.scores(state).softmax(-1) @ torch.from_numpy(log_counts)
        return torch.autograd.grad(expected.sum(), moved)[0]
