"""What a study's manifest must be before anything in it is believed: it may be damaged, or come from a stranger."""

import json
import re
from pathlib import Path
from typing import Any

from seqsae_core.commands import build_command
from seqsae_core.errors import UserError
from seqsae_core.files import explained

FORMAT = 1
LARGEST = 2**24
SHARED_STAGES = ("data", "recommender")
DICTIONARY_STAGES = ("sae", "screen", "evidence", "map", "steering", "extras")
KEY = re.compile(
    rf"{'|'.join(SHARED_STAGES)}|dictionaries/(?!\.{{1,2}}/)[^/\\\0]{{1,200}}/(?:{'|'.join(DICTIONARY_STAGES)})"
)


def read(path: Path) -> dict[str, Any]:
    """The manifest in a file.

    Raises FileNotFoundError where there is none, and UserError for one that is damaged, of another format, or names a
    folder that is not the study's own.
    """
    with explained(path):
        if path.stat().st_size > LARGEST:
            raise UserError(f"{path} is damaged (more than {LARGEST:,} bytes). Delete it and build again.")
        data = path.read_bytes()
    try:
        manifest = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path} is damaged ({error}). Delete it and build again.") from None
    if not isinstance(manifest, dict):
        raise UserError(f"{path} is damaged (no JSON object). Delete it and build again.")
    _check_format(path, manifest)
    wrong = next(_wrong(manifest), None)
    if wrong:
        raise UserError(f"{path} is damaged ({wrong}). Delete it and build again.")
    return manifest


def _check_format(path: Path, manifest: dict[str, Any]) -> None:
    theirs = manifest.get("format")
    if theirs != FORMAT or isinstance(theirs, bool):
        known = None if next(_wrong(manifest), None) else manifest
        raise UserError(
            f"{path.parent} has study format {str(theirs)[:40]}; this version reads format {FORMAT}. "
            f"Build it again: `{build_command(path.parent, known)}`."
        )


def _wrong(manifest: dict[str, Any]):
    """What in a manifest is not of the shape that readers rely on."""
    stages, config = manifest.get("stages", {}), manifest.get("config", {})
    if not isinstance(stages, dict) or not isinstance(config, dict):
        yield "“stages” and “config” must be objects"
        return
    for key, entry in stages.items():
        if not KEY.fullmatch(key):
            yield f"“{key[:60]}” is no stage"
        if not isinstance(entry, dict) or not isinstance(entry.get("stamp"), str):
            yield f"the stage “{key[:60]}” has no stamp"
        elif not isinstance(entry.get("sha256", {}), dict):
            yield f"the stage “{key[:60]}” has no digests"
    texts = [manifest.get(name) for name in ("fingerprint", "default_dictionary", "used")] + [config.get("preset")]
    if not all(value is None or isinstance(value, str) for value in texts):
        yield "“fingerprint”, “default_dictionary”, “used” and “preset” must be text"
    parts = [config.get(part, {}) for part in ("data", "recommender", "sae", "evidence", "layout", "steering")]
    if not all(isinstance(part, dict) for part in (manifest.get("sizes", {}), manifest.get("versions", {}), *parts)):
        yield "“sizes”, “versions” and the parts of “config” must be objects"
