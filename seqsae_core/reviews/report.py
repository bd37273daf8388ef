"""The report of review sessions: what was reviewed, how far reviewers agree, which names changed."""

import csv
import io
from html import escape

import numpy as np
import pandas as pd

from seqsae_core.reviews import agreement
from seqsae_core.reviews.agreement import Estimate
from seqsae_core.reviews.events import VERDICTS
from seqsae_core.reviews.exchange import escaped
from seqsae_core.reviews.preference import preference
from seqsae_core.reviews.store import Reviews

STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:64rem;margin:2rem auto;padding:0 1rem;color:#1b1f27}"
    "table{border-collapse:collapse;width:100%}td,th{border-bottom:1px solid #ccd;padding:.3rem .6rem;text-align:left;"
    "vertical-align:top;overflow-wrap:anywhere}h1,h2{line-height:1.2}"
)
PEOPLE = ["reviewer", "latents", *VERDICTS, "blind", "median_seconds", "first", "last"]
CHANGED = ["latent", "status", "automatic", "name", "verdict", "who", "at", "confidence", "settled", "cosine"]


def people(reviews: Reviews, fingerprint: str) -> pd.DataFrame:
    """One row a reviewer: verdicts that hold by kind, median seconds, first and last."""
    verdicts = [v for v in reviews.verdicts(fingerprint) if v.cosine is None]
    rows = []
    for name in sorted({v.reviewer for v in verdicts}):
        own = [v for v in verdicts if v.reviewer == name]
        seconds = [v.seconds for v in own if v.seconds is not None]
        kinds = {kind: sum(v.verdict == kind for v in own) for kind in VERDICTS}
        times = {"first": min(v.at for v in own), "last": max(v.at for v in own)}
        median = float(np.median(seconds)) if seconds else None
        blind = sum(v.blind for v in own)
        rows.append({"reviewer": name, "latents": len(own), **kinds, "blind": blind, "median_seconds": median, **times})
    return pd.DataFrame(rows, columns=PEOPLE)


def agreements(reviews: Reviews, fingerprint: str) -> pd.DataFrame:
    """κ of every pair and α of all: who, measure, value, low, high, latents. Verdicts carried over do not count."""
    values, names, _ = agreement.table([v for v in reviews.verdicts(fingerprint) if v.cosine is None])
    rows = [_row(f"{a}, {b}", "Cohen's κ", found) for (a, b), found in agreement.pairs(values, names).items()]
    if len(names) > 1:
        rows.append(_row("everybody", "Krippendorff's α", agreement.everybody(values)))
    return pd.DataFrame(rows, columns=["who", "measure", "value", "low", "high", "latents"])


def names(reviews: Reviews, fingerprint: str) -> pd.DataFrame:
    """One row a reviewed latent: its status, automatic name and the one that holds, who, when, how sure."""
    return reviews.outcomes(fingerprint).reset_index(drop=True)[CHANGED]


def to_csv(reviews: Reviews, fingerprint: str) -> str:
    """The reviewed latents, one row each."""
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(CHANGED)
    for row in names(reviews, fingerprint).itertuples(index=False):
        writer.writerow(["" if pd.isna(value) else escaped(str(value)) for value in row])
    return out.getvalue()


def to_html(reviews: Reviews, fingerprint: str, title: str) -> str:
    """One page without scripts; every text from reviewers and data is escaped."""
    rows = names(reviews, fingerprint)
    renamed = (rows["status"] == "accepted") & (rows["name"] != rows["automatic"])
    changed = rows[renamed | (rows["status"] == "rejected")]
    votes = preference([str(e.verdict) for e in reviews.preferences(fingerprint)])
    parts = [
        f"<h1>Review of {escape(title)}</h1><p>Dictionary {escape(fingerprint)}, {len(rows)} latents reviewed.</p>",
        "<h2>Who reviewed</h2>", _table(people(reviews, fingerprint)),
        "<h2>Agreement</h2>", _table(agreements(reviews, fingerprint)),
        "<p>95 % intervals: bootstrap over latents.</p>",
        f"<h2>Blind test</h2><p>{votes.latents} of {votes.votes} votes for the latent's list, {votes.ties} ties.</p>",
        "<h2>Changed names</h2>", _table(changed), "<h2>Every reviewed latent</h2>", _table(rows),
    ]  # fmt: skip
    head = f"<meta charset='utf-8'><title>Review of {escape(title)}</title><style>{STYLE}</style>"
    return f"<!doctype html><html lang='en'><head>{head}</head><body>{''.join(parts)}</body></html>"


def _row(who: str, measure: str, found: Estimate) -> dict:
    values = {"value": found.value, "low": found.low, "high": found.high, "latents": found.latents}
    return {"who": who, "measure": measure, **values}


def _table(rows: pd.DataFrame) -> str:
    if rows.empty:
        return "<p>Nothing yet.</p>"
    head = "".join(f"<th>{escape(str(c).replace('_', ' '))}</th>" for c in rows.columns)
    cells = ["".join(f"<td>{_text(value)}</td>" for value in row) for row in rows.itertuples(index=False)]
    body = "".join(f"<tr>{row}</tr>" for row in cells)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _text(value) -> str:
    if value is None or pd.isna(value):
        return "–"
    return f"{value:.3f}" if isinstance(value, float) else escape(str(value))
