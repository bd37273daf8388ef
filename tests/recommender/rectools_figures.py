"""RecTools' figures of scores; run by the Python of .venv-rivals, cases as JSON on stdin, figures on stdout."""

import json
import sys
from itertools import combinations

import numpy as np
import pandas as pd
from rectools import Columns
from rectools.metrics import MRR, NDCG, CatalogCoverage, HitRate, Intersection, MeanInvUserFreq
from rectools.models.rank import Distance, ImplicitRanker
from scipy.sparse import csr_matrix

LIST = 10


def main() -> None:
    """One object of figures a case."""
    print(json.dumps([figures(**case) for case in json.load(sys.stdin)]))


def figures(scores: list, seen: list, targets: list, cutoffs: list, counts: list) -> dict[str, float]:
    """scores: (users, items); seen: pairs of user and item that no list may hold; targets: one item a user.

    counts: events of each item, (items,).
    """
    users, items = np.shape(scores)
    lists = recommended(np.array(scores, np.float32), np.array(seen), max(cutoffs))
    truth = pd.DataFrame({Columns.User: range(users), Columns.Item: targets})
    found = {}
    for k in cutoffs:
        found[f"hr@{k}"] = HitRate(k=k).calc(lists, truth)
        found[f"ndcg@{k}"] = NDCG(k=k, divide_by_achievable=True).calc(lists, truth)
        found[f"mrr@{k}"] = MRR(k=k).calc(lists, truth)
    found[f"coverage@{LIST}"] = CatalogCoverage(k=LIST, normalize=True).calc(lists, range(items))
    found[f"novelty@{LIST}"] = MeanInvUserFreq(k=LIST).calc(lists, as_many_users(counts))
    found[f"diversity@{LIST}"] = 1 - jaccard(lists)
    return {name: float(value) for name, value in found.items()}


def recommended(scores: np.ndarray, seen: np.ndarray, k: int) -> pd.DataFrame:
    """The k best items of each user as RecTools ranks them: users' factors are the scores, items' the identity."""
    users, items = scores.shape
    known = csr_matrix((np.ones(len(seen)), seen.T), (users, items))
    ranker = ImplicitRanker(Distance.DOT, scores, np.eye(items, dtype=np.float32))
    who, what, _ = ranker.rank(np.arange(users), k=k, filter_pairs_csr=known)
    lists = pd.DataFrame({Columns.User: who, Columns.Item: what})
    return lists.assign(**{Columns.Rank: lists.groupby(Columns.User).cumcount() + 1})


def as_many_users(counts: list) -> pd.DataFrame:
    """Each event as the one interaction of a user, so that RecTools' shares of users are shares of events."""
    items = np.repeat(np.arange(len(counts)), counts)
    return pd.DataFrame({Columns.User: np.arange(len(items)), Columns.Item: items})


def jaccard(lists: pd.DataFrame) -> float:
    """Mean Jaccard similarity over all pairs of users, from RecTools' intersections: shares of the first list.

    Each pair stands for one of RecTools' users.
    """
    lists = lists[lists[Columns.Rank] <= LIST]
    pairs = pd.DataFrame(combinations(lists[Columns.User].unique(), 2), columns=["one", "other"])
    one, other = (
        pairs[[side]].rename_axis("pair").reset_index().merge(lists, left_on=side, right_on=Columns.User)
        for side in pairs
    )
    sides = [side.assign(**{Columns.User: side["pair"]}) for side in (one, other)]
    lengths = [side.groupby(Columns.User).size() for side in sides]
    common = Intersection(k=LIST).calc_per_user(*sides) * lengths[0]
    return (common / (lengths[0] + lengths[1] - common)).mean()


if __name__ == "__main__":
    main()
