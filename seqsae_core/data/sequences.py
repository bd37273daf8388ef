"""The ragged sequence store, the splits and the users' roles."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from seqsae_core.config import SPLITS
from seqsae_core.data import order
from seqsae_core.data.interactions import ITEM, TIME, USER, by_user_and_time, hash_share
from seqsae_core.errors import UserError

FIT, SELECT, SCORE = 0, 1, 2
ROLES = ("fit", "select", "score")
TRAIN_SHARE, HISTORY_SHARE = 0.85, 0.9


@dataclass(frozen=True)
class Sequences:
    """All users' items in order of time, one after the other.

    users: (n_users,) original ids; items: int32 (n_events,), values 1..n_items; offsets: int64 (n_users + 1,);
    times: int64 (n_events,) or None.
    """

    users: np.ndarray
    items: np.ndarray
    offsets: np.ndarray
    times: np.ndarray | None
    n_items: int

    def __len__(self) -> int:
        return len(self.users)

    @property
    def lengths(self) -> np.ndarray:
        """Number of events of each user, int64 (n_users,)."""
        return np.diff(self.offsets)

    def of(self, user: int) -> np.ndarray:
        """Items of user index `user`, in order."""
        return self.items[self.offsets[user] : self.offsets[user + 1]]


@dataclass(frozen=True)
class Split:
    """Which leading events train the recommender, which event is a target, and each user's role.

    All int64 (n_users,), counted from the user's first event; -1 = no such target. `role` is uint8.
    """

    train_end: np.ndarray
    valid_at: np.ndarray
    test_at: np.ndarray
    context_end: np.ndarray
    role: np.ndarray

    def users(self, *roles: int) -> np.ndarray:
        """User indices that have one of the roles."""
        return np.flatnonzero(np.isin(self.role, roles))

    @property
    def validated(self) -> np.ndarray:
        """User indices whose validation targets may choose the recommender's weights: those it trains on."""
        return np.flatnonzero((self.valid_at >= 1) & (self.train_end >= 1))


def build_sequences(interactions: pd.DataFrame) -> tuple[Sequences, np.ndarray]:
    """Sequences of checked interactions, and the original id of each item (index 0 is item 1).

    Events are ordered by time; ties keep the order of the file.
    """
    (owners, users), (numbers, item_ids) = (order.codes(interactions[column]) for column in (USER, ITEM))
    times = interactions[TIME].to_numpy()
    rows = by_user_and_time(owners, times)
    offsets = np.concatenate([[0], np.cumsum(np.bincount(owners))]).astype(np.int64)
    items = (numbers.astype(np.int32) + 1)[rows]
    return Sequences(users, items, offsets, times[rows], len(item_ids)), item_ids


def make_split(sequences: Sequences, kind: str, source: str = "The data") -> Split:
    """The split of a name in `SPLITS`; source: what messages call the data.

    Raises UserError for an unknown name, for a single item, for users with fewer than three events or events without
    times where the split needs them, and for data in which nothing is left to train on or to measure.
    """
    if kind not in SPLITS:
        raise UserError(f"Unknown split “{kind}”. Choose one of: {', '.join(SPLITS)}.")
    if sequences.n_items < 2:
        raise UserError("All events are of one item, so there is nothing to rank. Bring data with more items.")
    if kind != "leave-one-out" and sequences.times is None:
        raise UserError(f"The split “{kind}” needs the time of every event: bring times, or take leave-one-out.")
    if kind != "global-temporal":
        _refuse_short(sequences, kind, source)
    split = _MAKERS[kind](sequences)
    _refuse_empty(split, kind)
    return split


def _refuse_short(sequences: Sequences, kind: str, source: str) -> None:
    """Raise UserError naming the first user with fewer than three events."""
    short = sequences.lengths < 3
    if short.any():
        first = int(short.argmax())
        raise UserError(
            f"{source}: user {sequences.users[first]} has fewer than three events ({int(short.sum())} such users), and "
            f"the split “{kind}” needs three. Build with `--min-interactions 3` or more."
        )


def _refuse_empty(split: Split, kind: str) -> None:
    """Raise UserError unless there are training pairs, validation targets, roles to fit and score, and users to steer
    for."""
    held_out = split.role != FIT
    parts = {
        "no user has two events to train on": split.train_end >= 2,
        "no user has a validation target": split.valid_at >= 1,
        "no held-out user has both a validation and a test target": held_out
        & (split.valid_at >= 1)
        & (split.test_at >= 1),
    }
    for role, name in enumerate(ROLES):
        parts[f"no user of the role {name} has a context"] = (split.role == role) & (split.context_end >= 1)
    missing = next((what for what, users in parts.items() if not users.any()), None)
    if missing:
        raise UserError(f"The split “{kind}” leaves nothing to measure: {missing}. Bring more data or another split.")


def _roles(sequences: Sequences) -> np.ndarray:
    """60 % fit, 20 % select, 20 % score, by a stable hash of the user."""
    return np.digitize(hash_share(sequences.users, "split"), [0.6, 0.8]).astype(np.uint8)


def _leave_one_out(sequences: Sequences) -> Split:
    n = sequences.lengths
    return Split(train_end=n - 2, valid_at=n - 2, test_at=n - 1, context_end=n - 2, role=_roles(sequences))


def _global_temporal(sequences: Sequences) -> Split:
    """Two points in time for everybody: events up to t0 train, the first event in (t0, t1] is the validation target,
    the first after t1 the test target, each given all events before it.

    t0 and t1 are the times by which 85 % and 90 % of all events have happened; an event at exactly that time is
    before it. A user without an earlier event has no target.
    """
    t0, t1 = np.quantile(sequences.times, [TRAIN_SHARE, HISTORY_SHARE], method="inverted_cdf")
    trained, known = (_events_until(sequences, t) for t in (t0, t1))
    return Split(
        train_end=trained,
        valid_at=np.where((trained >= 1) & (trained < known), trained, -1),
        test_at=np.where((known >= 1) & (known < sequences.lengths), known, -1),
        context_end=trained,
        role=_roles(sequences),
    )


def _events_until(sequences: Sequences, time: int) -> np.ndarray:
    """Number of events of each user at or before `time`, int64 (n_users,)."""
    until = np.concatenate([[0], np.cumsum(sequences.times <= time)])
    return np.diff(until[sequences.offsets])


def _user_disjoint(sequences: Sequences) -> Split:
    """The seed paper's protocol: the 10 % of users with the latest last event are test users; of the rest,
    60 % train the transformer and 40 % the SAE; the last item is the target (the one before: validation)."""
    n, share = sequences.lengths, hash_share(sequences.users, "split")
    last = sequences.times[sequences.offsets[1:] - 1]
    test = np.zeros(len(n), bool)
    test[np.argsort(last, kind="stable")[int(0.9 * len(n)) :]] = True
    train = ~test & (share < 0.6)
    role = np.where(test, np.where(hash_share(sequences.users, "role") < 0.5, SELECT, SCORE), FIT)
    return Split(
        train_end=np.where(train, n - 1, 0),
        valid_at=np.where(test, n - 2, np.where(train, n - 1, -1)),
        test_at=np.where(test, n - 1, -1),
        context_end=np.where(test, n - 2, np.where(train, 0, n)),
        role=role.astype(np.uint8),
    )


_MAKERS = {"leave-one-out": _leave_one_out, "global-temporal": _global_temporal, "user-disjoint": _user_disjoint}


def windows(sequences: Sequences, users: np.ndarray, ends: np.ndarray, max_length: int) -> np.ndarray:
    """The last `max_length` events before `ends[i]` of each user, int64 (len(users), longest), left-padded with 0."""
    ends = np.asarray(ends)
    lengths = np.minimum(ends, max_length)
    longest = max(int(lengths.max(initial=1)), 1)
    columns = np.arange(longest) - longest
    at = (sequences.offsets[users] + ends)[:, None] + columns
    real = columns >= -lengths[:, None]
    return np.where(real, sequences.items[np.where(real, at, 0)], 0).astype(np.int64)
