"""Reviews of a study as files: for the command line."""

from pathlib import Path

from seqsae_core.errors import UserError
from seqsae_core.files import replacing
from seqsae_core.reviews import exchange, report
from seqsae_core.reviews.store import Reviews
from seqsae_core.reviews.weights import Weights
from seqsae_core.study import Study


def export_file(study: Study, form: str, path: Path) -> Path:
    """Writes all reviews (json, csv) or the report on the default dictionary (html); the path.

    Raises UserError when the file is there already."""
    if path.exists():
        raise UserError(f"{path} is there already. Name another file with --to.")
    reviews = Reviews(study.reviews)
    make = {
        "json": lambda: exchange.to_json(reviews),
        "csv": lambda: exchange.to_csv(reviews.events()),
        "html": lambda: report.to_html(reviews, Weights.of(study).fingerprint, study.name),
    }
    with replacing(path) as aside:
        aside.write_bytes(make[form]().encode())
    return path


def import_file(study: Study, path: Path, confirmed: bool = False) -> int:
    """Brings an export in; how many events were new. Raises UserError as `exchange.read` and `exchange.apply` do."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}.") from None
    reviews, weights = Reviews(study.reviews), Weights.of(study)
    found = exchange.read(exchange.decoded(data), reviews, weights.fingerprint, range(len(weights.decoder)))
    return exchange.apply(found, reviews, confirmed)
