"""A study's results in formats that other tools read."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd

from seqsae_core.errors import UserError
from seqsae_core.metrics import quoted
from seqsae_core.reviews.carrying import settle_in
from seqsae_core.reviews.exchange import escaped
from seqsae_core.reviews.names import with_reviews
from seqsae_core.reviews.store import Reviews
from seqsae_core.reviews.weights import Weights
from seqsae_core.study import DICTIONARY_FILES, Study

FORMATS = ("csv", "json", "saelens")


def as_csv(table: pd.DataFrame) -> bytes:
    """A table as CSV in UTF-8 with a byte order mark, so that spreadsheets read it as such; lists as JSON, formulas as
    text (`exchange.escaped`)."""
    return _written(_flat(table)).encode("utf-8-sig")


def as_parquet(table: pd.DataFrame) -> bytes:
    """A table as Parquet, lists as lists."""
    return table.reset_index(drop=True).to_parquet(index=False)


def _flat(table: pd.DataFrame) -> pd.DataFrame:
    """Lists and arrays in cells as JSON."""
    nested = [c for c in table if table[c].map(lambda value: isinstance(value, list | np.ndarray)).any()]
    written = {c: table[c].map(lambda value: json.dumps(np.asarray(value).tolist())) for c in nested}
    return table.assign(**written)


def export(study: Study, kind: str, out: Path) -> Path:
    """Write the default dictionary's results into the folder `out` and return it.

    csv: every table, formulas made text (`exchange.escaped`); json: the quoted figures; saelens: the dictionary in
    SAELens' folder format.
    Raises UserError for an unknown format or a folder that is not empty.
    """
    if kind not in FORMATS:
        raise UserError(f"Unknown format “{kind}”. Choose one of: {', '.join(FORMATS)}.")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UserError(f"{out} is there already and not empty. Name another folder with --to.")
    out.mkdir(parents=True, exist_ok=True)
    {"csv": _csv, "json": _json, "saelens": _saelens}[kind](study, out)
    return out


def _csv(study: Study, out: Path) -> None:
    for stage in ("data", "evidence", "map", "steering"):
        for path in sorted(study.folder(stage).glob("*.parquet")):
            table = pd.read_parquet(path)
            if path.stem == "latents":
                table = _reviewed(study, table)
            (out / f"{path.stem}.csv").write_text(_written(table), encoding="utf-8", newline="")


def _written(table: pd.DataFrame) -> str:
    # With this end of line a lone carriage return is quoted too, and what follows it begins no row.
    return _inert(table).to_csv(index=False, lineterminator="\r\n")


def _inert(table: pd.DataFrame) -> pd.DataFrame:
    """The same with a ' before each text that a spreadsheet would run as a formula, in headings too."""
    texts = [name for name in table.columns if not pd.api.types.is_numeric_dtype(table[name])]
    safe = {name: table[name].map(lambda value: escaped(value) if isinstance(value, str) else value) for name in texts}
    return table.assign(**safe).rename(columns=lambda name: escaped(str(name)))


def _reviewed(study: Study, latents: pd.DataFrame) -> pd.DataFrame:
    """Latents under the names that analysts accepted, with who, when and how sure; as built where nobody reviewed."""
    if not study.reviews.exists():
        return latents
    reviews, weights = Reviews(study.reviews), Weights.of(study)
    settle_in(reviews, weights, study.default_dictionary)
    return with_reviews(latents, reviews.outcomes(weights.fingerprint))


def _json(study: Study, out: Path) -> None:
    (out / "metrics.json").write_text(json.dumps(quoted(study), indent=1))


def _saelens(study: Study, out: Path) -> None:
    for name in DICTIONARY_FILES:
        shutil.copy(study.folder("sae") / name, out / name)
