"""Is a study what its manifest says: fingerprints again, and the headline figures again from the stored weights."""

import json
import math
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from seqsae_core.build import environment
from seqsae_core.config import StudyConfig
from seqsae_core.data.readers import fingerprint
from seqsae_core.errors import UserError
from seqsae_core.study import Study, plain, sha256

TOLERANCE = 1e-6


@dataclass(frozen=True)
class Finding:
    """Something that differs. what: a file, a figure or a circumstance; figures and files are wrong, the others only
    explain why figures may differ (`wrong`)."""

    what: str
    stored: Any
    found: Any
    wrong: bool = True


@dataclass(frozen=True)
class Verdict:
    """checked: how many files and figures were compared; left_out: what could not be, and why."""

    checked: int
    findings: tuple[Finding, ...]
    left_out: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """Whether every file and figure is as stored."""
        return not any(one.wrong for one in self.findings)


def verify(folder: str | Path, tolerance: float = TOLERANCE, say: Callable[[str], None] = lambda _: None) -> Verdict:
    """Compare a study with its manifest; nothing in it is changed but spilled activations that go again.

    tolerance: the difference of a figure that counts as none, absolute and relative. say: told what is checked next.
    The figures of the default dictionary are measured again, without training, as the build measured them: on the same
    machine with as many threads, to the last bit. Raises UserError where there is no study.
    """
    study = Study.open(folder)
    say("files")
    checked, findings, left_out = _files(study)
    findings += list(_circumstances(study))
    for name, again in (("recommender", _recommender), ("sae", _dictionary), ("evidence", _evidence),
                        ("steering", _steering)):  # fmt: skip
        if not study.has(name):
            left_out.append(f"{name}: not built")
            continue
        say(name)
        stored, found = _as_json(again(study))
        pairs = list(_pairs(name, stored, found))
        checked += len(pairs)
        findings += [Finding(*pair) for pair in pairs if not same(pair[1], pair[2], tolerance)]
    return Verdict(checked, tuple(findings), tuple(left_out))


def same(stored: Any, found: Any, tolerance: float) -> bool:
    """Whether two values of JSON are one; numbers within the tolerance."""
    numbers = all(isinstance(v, int | float) and not isinstance(v, bool) for v in (stored, found))
    return math.isclose(stored, found, rel_tol=tolerance, abs_tol=tolerance) if numbers else stored == found


def _files(study: Study) -> tuple[int, list[Finding], list[str]]:
    """The source's fingerprint, and the SHA-256 of every file of every stage."""
    checked, findings, left_out = 0, [], []
    try:
        source = study.config.data
        now, checked = fingerprint(source.source, source.items), 1
        if now != study.manifest.get("fingerprint"):
            findings.append(Finding(f"data {source.source}", study.manifest.get("fingerprint"), now))
    except UserError as error:
        left_out.append(str(error))
    for key, entry in study.manifest["stages"].items():
        if not entry.get("sha256"):
            left_out.append(f"{key}: an earlier version kept no digests of its files")
        for name, digest in entry.get("sha256", {}).items():
            path, checked = study.own(study.path / key / name), checked + 1
            now = sha256(path) if path.is_file() else None
            findings += [] if now == digest else [Finding(f"file {key}/{name}", digest, now)]
    return checked, findings, left_out


def _circumstances(study: Study) -> Iterator[Finding]:
    """Where other versions, another machine or another number of threads measure than those that built."""
    from seqsae_core.device import best_device, use_threads

    now = environment(study.config) | {"threads": use_threads(study.manifest.get("threads"))}
    now |= {"device": str(best_device())}
    for name in ("versions", "python", "machine", "threads", "device"):
        for what, stored, found in _pairs(name, study.manifest.get(name), now[name]):
            if stored != found:
                yield Finding(what, stored, found, wrong=False)


def _recommender(study: Study) -> tuple[dict, dict]:
    from seqsae_core import stages

    sequences = study.sequences()
    return study.recommender_metrics(), stages.recommender_figures(study.model(), sequences, study.split(sequences))


def _dictionary(study: Study) -> tuple[dict, dict]:
    from seqsae_core import stages

    return study.sae_metrics(), stages.dictionary_figures(study, _config(study), study.sae())


def _evidence(study: Study) -> tuple[dict, dict]:
    return _again(study, "evidence", "summary.json")


def _steering(study: Study) -> tuple[dict, dict]:
    return _again(study, "steering", "steering.json")


def _again(study: Study, stage: str, name: str) -> tuple[dict, dict]:
    """A stage's figures as stored, and as the same stage writes them now, aside."""
    from seqsae_core import stages

    with tempfile.TemporaryDirectory() as aside:
        getattr(stages, f"run_{stage}")(study, _config(study), Path(aside), lambda *_, **__: None)
        found = json.loads((Path(aside) / name).read_text())
    return json.loads((study.folder(stage) / name).read_text()), found


def _config(study: Study) -> StudyConfig:
    """The settings of the default dictionary."""
    return replace(study.config, sae=study.sae_config(study.default_dictionary))


def _as_json(values: tuple[dict, dict]) -> tuple[dict, dict]:
    """Both as a file would hold them; of the stored ones what was measured again: no timings, log nor settings."""
    stored, found = (json.loads(json.dumps(one, default=plain)) for one in values)
    return {key: stored.get(key) for key in found}, found


def _pairs(name: str, stored: Any, found: Any) -> Iterator[tuple[str, Any, Any]]:
    """(name, stored, found) of every value of two documents, keyed alike."""
    if isinstance(stored, dict) and isinstance(found, dict):
        for key in sorted({*stored, *found}):
            yield from _pairs(f"{name}.{key}", stored.get(key), found.get(key))
    elif isinstance(stored, list) and isinstance(found, list) and len(stored) == len(found):
        for i, (one, other) in enumerate(zip(stored, found, strict=True)):
            yield from _pairs(f"{name}[{i}]", one, other)
    else:
        yield name, stored, found
