"""A latent's report: what it is taken to mean and on what evidence, what fires it, what it does."""

from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pandas as pd

from seqsae_core.errors import UserError
from seqsae_core.reports import svg
from seqsae_core.reports.page import document, interval, node, number, table
from seqsae_core.study import Study

CONCEPTS, STRIPS, LONGEST_TITLE = 12, 3, 200
QUANTILES = ("Strongest", "Strong", "Middling", "Weak", "Weakest")


def latent_report(study: Study, dictionary: str, rows: pd.DataFrame, latent: int) -> str:
    """One HTML page. rows: the latents under the names that hold, indexed by number. Raises UserError without it."""
    if latent not in rows.index:
        raise UserError(f"The dictionary has latents 0 to {rows.index.max()}; the report is asked for latent {latent}.")
    row, catalogue = rows.loc[latent], study.catalogue().set_index("item")
    name = str(row["name"]) if row["alive"] else "dead: never fires"
    parts = [node("h1", f"Latent {latent}: {name}"), _source(study, dictionary)]
    if row["alive"]:
        parts += [node("p", row["name_evidence"]), _figures(study, dictionary, row)]
        parts += [*_concepts(study, dictionary, latent), *_examples(study, dictionary, latent, catalogue)]
        parts += [*_activations(study, dictionary, latent), *_moved(study, dictionary, latent, catalogue)]
        parts += _neighbours(row, rows)
    return document(f"Latent {latent}: {name}", *parts)


def _source(study: Study, dictionary: str) -> ET.Element:
    return node(
        "p", f"Study {study.name}, dictionary {dictionary}, model {study.model_fingerprint()}. What each figure means "
        "is in the documentation's METHOD.", class_="note",
    )  # fmt: skip


def _figures(study: Study, dictionary: str, row: pd.Series) -> ET.Element:
    bounds = [row["correlation_low"], row["correlation_high"]]
    told = [
        (f"r with {row['top_concept'] or 'its top concept'}", number(row["correlation"]) + interval(bounds)),
        ("Density", number(row["density"], ".2%")),
        ("Distinct items", f"{int(row['n_items']):,}"),
        ("Mean activation", number(row["mean_activation"], ".2f")),
        ("Monosemanticity", number(row["monosemanticity"])),
        ("Name confidence", number(row["name_score"], ".2f")),
    ]
    if study.has("steering", dictionary):
        effects = study.effects(dictionary).set_index("latent")["effect"]
        told.append(("Steering effect at +2 sd, of 10 items", number(effects.get(row["feature"]), ".1f")))
    return table(("", ""), told)


def _concepts(study: Study, dictionary: str, latent: int) -> list[ET.Element]:
    found = study.enrichment(dictionary, latent)
    found = found[(found["lift"] > 0) & np.isfinite(found["lift"])]
    order = found["correlation"].abs().sort_values(ascending=False, kind="stable").index[:CONCEPTS]
    found = found.loc[order].sort_values("lift", ascending=False)
    logs = np.log2(found[["lift", "low", "high"]].where(found[["lift", "low", "high"]] > 0))
    rows = [svg.Dot(str(c), *values) for c, values in zip(found["concept"], logs.to_numpy(float), strict=True)]
    chart = svg.dots(rows, "log₂ of the lift: how much more often where it fires; 0 = as everywhere")
    return [node("h2", "Concepts where it fires"), chart] if rows else []


def _examples(study: Study, dictionary: str, latent: int, catalogue: pd.DataFrame) -> list[ET.Element]:
    found = study.examples(dictionary, "latents", latent)
    parts = [node("h2", "What fires it"), node("p", "Oldest item first; the outlined one fires it.", class_="note")]
    peak = max((max(values) for values in found["activations"]), default=1.0)
    for quantile, rows in found.groupby("quantile"):
        parts.append(node("h3", QUANTILES[int(quantile)] if quantile < len(QUANTILES) else f"Quantile {quantile + 1}"))
        parts += [_strip(row, catalogue, peak) for row in rows.head(STRIPS).to_dict("records")]
    return parts


def _strip(row: dict[str, Any], catalogue: pd.DataFrame, peak: float) -> ET.Element:
    tiles = []
    for at, (item, value) in enumerate(zip(row["items"], row["activations"], strict=True)):
        share = round(60 * max(0.0, float(value)) / (peak or 1.0))
        shade = f"background: color-mix(in srgb, {svg.LATENTS} {share}%, transparent)"
        said = node("div", number(float(value), ".2f")) if value > 0 else None
        inside = (node("b", _title(catalogue, item), dir="auto"), _about(catalogue, item), said)
        tiles.append(node("div", *inside, class_="tile firing" if at == row["at"] else "tile", style=shade))
    return node("div", *tiles, class_="strip")


def _activations(study: Study, dictionary: str, latent: int) -> list[ET.Element]:
    found = study.histogram(dictionary, latent)
    if found.empty:
        return []
    chart = svg.bars(*(found[name].to_numpy() for name in ("low", "high", "count")), "activation where it fires")
    return [node("h2", "Activations"), chart]


def _moved(study: Study, dictionary: str, latent: int, catalogue: pd.DataFrame) -> list[ET.Element]:
    effects = study.effects(dictionary).set_index("latent") if study.has("steering", dictionary) else pd.DataFrame()
    if latent not in effects.index:
        return []
    parts, found = [node("h2", "What steering it does (+2 sd, mean over fixed histories)")], effects.loc[latent]
    for which in ("promoted", "demoted"):
        pairs = zip(found[which], found[f"{which}_change"], strict=True)
        rows = [(_title(catalogue, i), _about(catalogue, i), number(float(c), "+.2f")) for i, c in pairs]
        parts += [node("h3", which.capitalize()), table(("Title", "Year and genres", "Score change"), rows)]
    return parts


def _neighbours(row: pd.Series, rows: pd.DataFrame) -> list[ET.Element]:
    pairs = zip(row["neighbours"], row["neighbour_cosines"], strict=True)
    told = [(int(other), rows["name"].get(int(other), ""), number(float(cosine), ".2f")) for other, cosine in pairs]
    return [node("h2", "Nearest latents"), table(("Latent", "Name", "Cosine"), told)]


def _title(catalogue: pd.DataFrame, item: int) -> str:
    title = str(catalogue.at[int(item), "title"])
    return title if len(title) <= LONGEST_TITLE else title[: LONGEST_TITLE - 1] + "…"


def _about(catalogue: pd.DataFrame, item: int) -> str:
    row = catalogue.loc[int(item)]
    year = "" if pd.isna(row["year"]) else str(int(row["year"]))
    return " · ".join(filter(None, (year, str(row["genres"] or "").replace("|", ", "))))
