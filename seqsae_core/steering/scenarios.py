"""Named scenarios ("family evening", "less of last year"): edits that are kept as JSON files in a study's folder."""

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seqsae_core.errors import UserError
from seqsae_core.files import explained, replacing
from seqsae_core.steering.displacement import check_position
from seqsae_core.steering.edits import Edit, check
from seqsae_core.steering.notation import check_dictionary, from_list, to_list

if TYPE_CHECKING:
    from seqsae_core.steering.steerer import Steerer

FORMAT, SUFFIX = 1, ".json"
LONGEST_NAME, LONGEST_NOTE, LARGEST_FILE = 80, 2000, 2**20
KEYS = {"format", "name", "edits", "position", "note", "dictionary"}


@dataclass(frozen=True)
class Scenario:
    """Edits under a name; dictionary: the fingerprint of the one whose latents are meant (`Steerer.fingerprint`).

    Raises UserError for a name that is empty, not printable or too long, a note that is too long, or an unknown
    position. Names are the same where they differ in capitals or in spaces around them only.
    """

    name: str
    edits: tuple[Edit, ...]
    dictionary: str
    position: str = "last"
    note: str = ""

    def __post_init__(self) -> None:
        if not self.name.strip() or not self.name.isprintable() or len(self.name) > LONGEST_NAME:
            raise UserError(f"A scenario needs a name of 1 to {LONGEST_NAME} printable characters: “{self.name[:90]}”.")
        if len(self.note) > LONGEST_NOTE:
            raise UserError(f"The note has {len(self.note)} characters: shorten it to {LONGEST_NOTE}.")
        if any("\ud800" <= c <= "\udfff" for c in self.note + self.dictionary):
            raise UserError("The note holds characters that cannot be stored (lone surrogates). Remove them.")
        check_position(self.position)

    def for_steerer(self, steerer: "Steerer") -> tuple["Steerer", tuple[Edit, ...]]:
        """The steerer at the scenario's position, and the edits, checked.

        Raises UserError where they were made for another dictionary, and as `edits.check` does.
        """
        check_dictionary(self.dictionary, steerer.fingerprint)
        return steerer.at(self.position), check(self.edits, steerer.sae.latents)


@dataclass(frozen=True)
class Listing:
    """The scenarios of a folder, by name; bad: what is wrong with each file that is none."""

    scenarios: tuple[Scenario, ...]
    bad: dict[Path, str]


def save(folder: Path, scenario: Scenario) -> Path:
    """Write a scenario, whole or not at all; it takes the place of the one of the same name. Returns its file.

    Raises UserError where the disk refuses.
    """
    path = path_of(folder, scenario.name)
    with explained(folder):
        folder.mkdir(parents=True, exist_ok=True)
        with replacing(path) as aside:
            aside.write_text(to_json(scenario), encoding="utf-8")
    return path


def load(folder: Path, name: str) -> Scenario:
    """The scenario of a name. Raises UserError where there is none, or its file is damaged."""
    path = path_of(folder, name)
    if not path.is_file():
        there = ", ".join(f"“{one.name}”" for one in listing(folder).scenarios) or "none yet"
        raise UserError(f"There is no scenario “{name[:90]}” in {folder}. There are: {there}.")
    return read(path)


def delete(folder: Path, name: str) -> None:
    """Remove the scenario of a name; nothing happens where there is none."""
    with explained(folder):
        path_of(folder, name).unlink(missing_ok=True)


def listing(folder: Path) -> Listing:
    """Every scenario of a folder, by name, and the files that are none; an absent folder holds nothing."""
    found, bad = [], {}
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        try:
            found.append(read(path))
        except UserError as error:
            bad[path] = str(error)
    return Listing(tuple(sorted(found, key=lambda one: (one.name.casefold(), one.name))), bad)


def read(path: Path) -> Scenario:
    """The scenario of a file, from wherever it came. Raises UserError naming the file and what is wrong with it."""
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise ValueError(f"it has more than {LARGEST_FILE:,} bytes")
        return from_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, UserError) as error:
        raise UserError(f"{path} is no scenario: {error} Mend or delete it.") from None


def to_json(scenario: Scenario) -> str:
    """The JSON form; `from_json` reads it back exactly."""
    values = {
        "format": FORMAT, "name": scenario.name, "note": scenario.note, "dictionary": scenario.dictionary,
        "position": scenario.position, "edits": to_list(scenario.edits),
    }  # fmt: skip
    return json.dumps(values, indent=1, ensure_ascii=False, allow_nan=False)


def from_json(text: str) -> Scenario:
    """The scenario that `to_json` came from. Raises UserError on anything else.

    Whether its dictionary is the one that is open, and has the latents, is for `Scenario.for_steerer`.
    """
    try:
        values = json.loads(text)
        _check_keys(values)
        edits = from_list(values.pop("edits"))
    except KeyError as error:
        raise UserError(f"{error} is missing.") from None
    except (ValueError, TypeError, RecursionError) as error:
        raise UserError(f"{error}.") from None
    del values["format"]
    return Scenario(edits=edits, **values)


def path_of(folder: Path, name: str) -> Path:
    """The file of a name: what can be read of it, and a hash, because a name may hold anything."""
    key = name.strip().casefold()
    readable = re.sub(r"[^a-z0-9]+", "-", key)[:40].strip("-")
    return folder / f"{readable or 'scenario'}-{hashlib.sha256(key.encode()).hexdigest()[:8]}{SUFFIX}"


def _check_keys(values: Any) -> None:
    if not isinstance(values, dict) or values.get("format") != FORMAT:
        raise ValueError(f"it is not JSON of a scenario of format {FORMAT}")
    if wrong := sorted(set(values) ^ KEYS):
        raise ValueError(f"unknown or missing: {', '.join(wrong)}")
    if wrong := sorted(key for key in KEYS - {"edits", "format"} if not isinstance(values[key], str)):
        raise ValueError(f"no text: {', '.join(wrong)}")
