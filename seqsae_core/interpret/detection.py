"""Each feature as a detector of each concept: how well its activation orders positions, or its output items."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.sparse import csc_array
from scipy.stats import rankdata


@dataclass(frozen=True)
class Detection:
    """Each (f, c). roc_auc; average_precision; f1: the best over thresholds; mean_in and mean_out: mean activation
    where the concept holds and where it does not. NaN for a concept that holds everywhere or nowhere."""

    roc_auc: np.ndarray
    average_precision: np.ndarray
    f1: np.ndarray
    mean_in: np.ndarray
    mean_out: np.ndarray

    def table(self, names: tuple[str, ...]) -> pd.DataFrame:
        """One row for each feature × concept, features first."""
        features, concepts = self.roc_auc.shape
        columns = {name: values.ravel() for name, values in vars(self).items()}
        index = {
            "feature": np.repeat(np.arange(features, dtype=np.int32), concepts),
            "concept": pd.Categorical.from_codes(np.tile(np.arange(concepts), features), list(names)),
        }
        return pd.DataFrame(index | columns)


def detect(codes: csc_array, concepts: np.ndarray) -> Detection:
    """Every figure of every pair in one walk over the codes that are not zero.

    codes: non-negative, (n, f) at positions; concepts: bool (n, c) at the same positions. Positions with equal codes
    (most are 0) share a threshold, as in scikit-learn: the area is that of the ROC curve with straight segments, the
    average precision is Σ (recall − recall before) · precision over thresholds.
    """
    n, features = codes.shape
    positives = concepts.sum(0).astype(float)
    found = [np.empty((features, len(positives))) for _ in range(5)]
    bytes_of = concepts.astype(np.uint8)
    for feature in range(features):
        part = slice(codes.indptr[feature], codes.indptr[feature + 1])
        values, rows = codes.data[part], codes.indices[part]
        values, rows = values[values > 0], rows[values > 0]
        order = np.argsort(-values, kind="stable")
        row = _of_feature(values[order], bytes_of[rows[order]], positives, n)
        for figure, value in zip(found, row, strict=True):
            figure[feature] = value
    undefined = (positives == 0) | (positives == n)
    return Detection(*(np.where(undefined, np.nan, figure) for figure in found))


def promoted(effects: np.ndarray, concepts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What features do to the output: (difference, roc_auc), each (f, c).

    effects: change of each item's score for one unit of the feature, (f, items); concepts: bool (items, c). The
    difference of mean effect on items with the concept and without, in standard deviations of the feature's effects;
    the area under the ROC curve by mid-ranks (Mann & Whitney, 1947). NaN for a concept of all items or of none.
    """
    inside, outside = concepts.sum(0).astype(float), (~concepts).sum(0).astype(float)
    both = inside * outside > 0
    weights = np.where(both, concepts / inside.clip(1) - ~concepts / outside.clip(1), np.nan)
    spread = effects.std(1, keepdims=True)
    difference = np.divide(effects @ weights, spread, out=np.zeros((len(effects), len(inside))), where=spread > 0)
    ranks = rankdata(effects, axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        area = (ranks @ concepts - inside * (inside + 1) / 2) / (inside * outside)
    return np.where(both, difference, np.nan), np.where(both, area, np.nan)


def _of_feature(values: np.ndarray, concepts: np.ndarray, positives: np.ndarray, n: int) -> tuple[np.ndarray, ...]:
    """The fields of `Detection` for one feature. values: falling, all positive, (m,); concepts: (m, c)."""
    last_of_ties = np.append(values[1:] != values[:-1], True)[: len(values)]
    hits = np.cumsum(concepts, axis=0, dtype=np.int32)[last_of_ties]
    hits = np.vstack([np.zeros(len(positives)), hits, positives])
    called = np.concatenate([[0], 1 + np.flatnonzero(last_of_ties), [n]]).astype(float)[:, None]
    gained = np.diff(hits, axis=0)
    some, others = positives.clip(1), (n - positives).clip(1)
    area = (np.diff(called - hits, axis=0) * (hits[1:] + hits[:-1])).sum(0) / (2 * some * others)
    precision = hits[1:] / called[1:]
    f1 = (2 * hits[1:] / (called[1:] + positives)).max(0)
    total = values @ concepts
    return area, (gained * precision).sum(0) / some, f1, total / some, (values.sum() - total) / others
