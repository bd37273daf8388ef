"""Names that analysts accepted, in place of automatic ones."""

import pandas as pd

from seqsae_core.reviews.events import CONFIDENCE

REJECTED = "rejected"
COLUMNS = ("name_review", "name_automatic", "name_by", "name_at", "name_confidence")


def with_reviews(features: pd.DataFrame, outcomes: pd.DataFrame) -> pd.DataFrame:
    """Latents with the names that hold today; the table given is left as it is.

    features: one row a latent, with feature, name, name_evidence, name_score. outcomes: see `Reviews.outcomes`.
    Adds name_review (accepted, rejected, disputed, unsure or empty), name_automatic, name_by, name_at and
    name_confidence. An accepted name replaces `name`, a rejected one reads "rejected"; `name_evidence` begins with who
    decided, when and how sure. A score is of the automatic name: it goes where that name goes.
    """
    table = features.copy()
    table[list(COLUMNS)] = ""
    table["name_automatic"] = table["name"]
    known = outcomes[outcomes["latent"].isin(table["feature"])]
    rows = pd.Series(table.index, index=table["feature"])
    for outcome in known.to_dict("records"):
        _apply(table, rows[outcome["latent"]], outcome)
    return table


def _apply(table: pd.DataFrame, row, outcome: dict) -> None:
    automatic = str(table.at[row, "name"])
    said = {
        "name_review": outcome["status"], "name_by": outcome["who"], "name_at": outcome["at"],
        "name_confidence": _confidence(outcome["confidence"]),
    }  # fmt: skip
    for column, value in said.items():
        table.at[row, column] = value
    name = {"accepted": outcome["name"], "rejected": REJECTED}.get(outcome["status"], automatic)
    table.at[row, "name"] = name
    table.at[row, "name_evidence"] = f"{provenance(outcome, automatic)} {table.at[row, 'name_evidence']}"
    if name != automatic:
        table.at[row, "name_score"] = pd.NA if table["name_score"].dtype == "Float64" else float("nan")


def provenance(outcome: dict, automatic: str) -> str:
    """Who decided, when and how sure, in one sentence; what the automatic name was where it is another."""
    if outcome["status"] == "unsure":
        return "Reviewed, but nobody is sure of it."
    if outcome["status"] == "disputed":
        return f"Reviewers disagree ({outcome['who']}); the name is the automatic one."
    did = {"confirm": "Confirmed", "rename": "Named", "reject": "Rejected"}[outcome["verdict"]]
    sure = _confidence(outcome["confidence"])
    parts = [f"{did} by {outcome['who']} on {str(outcome['at'])[:10]}", sure, "settled" if outcome["settled"] else ""]
    if not _missing(outcome["cosine"]):
        parts.append(f"carried over from an earlier training, cosine {outcome['cosine']:.2f}")
    shown = outcome["name"] if outcome["status"] == "accepted" else REJECTED
    was = f" The automatic name was “{automatic}”." if shown != automatic else ""
    return f"{', '.join(filter(None, parts))}.{was}"


def _confidence(value) -> str:
    return "" if _missing(value) else CONFIDENCE[int(value)]


def _missing(value) -> bool:
    return value is None or bool(pd.isna(value))
