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
    decided = {outcome["latent"]: outcome for outcome in outcomes.to_dict("records")}
    latents = zip(features["feature"], features["name"], features["name_evidence"], strict=True)
    rows = [_reviewed(str(name), str(evidence), decided.get(int(latent))) for latent, name, evidence in latents]
    columns = ("name", "name_evidence", *COLUMNS)
    table = features.assign(**{c: [row[i] for row in rows] for i, c in enumerate(columns)})
    return table.assign(name_score=table["name_score"].where(table["name"] == table["name_automatic"]))


def _reviewed(automatic: str, evidence: str, outcome: dict | None) -> tuple[str, ...]:
    """Name, evidence, and COLUMNS of one latent."""
    if outcome is None:
        return automatic, evidence, "", automatic, "", "", ""
    name = {"accepted": outcome["name"], "rejected": REJECTED}.get(outcome["status"], automatic)
    told = f"{provenance(outcome, automatic)} {evidence}"
    said = (outcome["status"], automatic, outcome["who"], outcome["at"], _confidence(outcome["confidence"]))
    return (name, told, *said)


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
