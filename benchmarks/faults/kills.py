"""Builds that are killed (SIGKILL) and begun again: do they end with the bytes of a build that ran through?

Every build is a fork of this process, which has imported torch once. One kind of kill falls before the n-th change that
the build makes to the study's names (Python's audit events of opening for writing, making, renaming and removing), so
that between two of them none is left out; the other at a random moment. Meanwhile a reader opens the study again and
again, and compares every stage that the manifest lists with the uninterrupted build's.
"""

import hashlib
import json
import os
import random
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from seqsae_core.build import PIPELINE, build
from seqsae_core.config import StudyConfig
from seqsae_core.errors import UserError
from seqsae_core.study import Study

CHANGES = ("os.rename", "os.mkdir", "os.rmdir", "os.remove", "shutil.rmtree", "open")
NOT_COUNTED = ("progress.json", ".lock")  # written as time goes by, or for whoever is refused
TIMINGS = ("seconds", "train_seconds")
STAGES = tuple(stage.name for stage in PIPELINE)


@dataclass
class Found:
    """Kills that were tried, that fell while the build ran, and after which the study was as it should be."""

    tried: int = 0
    fell: int = 0
    survived: int = 0
    reads: int = 0
    half_stages: int = 0
    complaints: list[str] = field(default_factory=list)


def digests(study: Study) -> dict[str, str]:
    """Of every stage that the manifest lists: SHA-256 over its files' names and bytes, timings apart."""
    return {key: _digest(study.path / key) for key in study.manifest["stages"]}


def _digest(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        data = path.read_bytes()
        if path.suffix == ".json":
            data = json.dumps(_untimed(json.loads(data))).encode()
        digest.update(f"{path.relative_to(folder)} {len(data)} ".encode() + data)
    return digest.hexdigest()


def _untimed(value: object) -> object:
    if isinstance(value, dict):
        return {key: _untimed(inner) for key, inner in value.items() if key not in TIMINGS}
    return [_untimed(inner) for inner in value] if isinstance(value, list) else value


def forked(folder: Path, config: StudyConfig, before: Callable[[], None] = lambda: None) -> int:
    """The process number of a build of `folder` that begins now; `before` is called in it first."""
    child = os.fork()
    if child:
        return child
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        before()
        build(folder, config)
    except BaseException:  # noqa: BLE001 - whatever it is, the status says it
        os._exit(1)
    os._exit(0)


def killed_before(folder: Path, count: int, log: Path | None = None) -> Callable[[], None]:
    """Arms this process to kill itself before its `count`-th change to names in a folder; 0 never. log: each change."""
    left, within = [count], f"{folder}{os.sep}"

    def watch(event: str, arguments: tuple) -> None:
        if event not in CHANGES or not _changes(event, arguments, within):
            return
        left[0] -= 1
        if log is not None:
            os.write(handle, f"{event} {str(arguments[0]).removeprefix(within)}\n".encode())
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND) if log is not None else -1
    return lambda: sys.addaudithook(watch)


def _changes(event: str, arguments: tuple, within: str) -> bool:
    path = str(arguments[0])
    if not path.startswith(within) or any(name in path for name in NOT_COUNTED):
        return False
    return event != "open" or bool(arguments[2] & (os.O_WRONLY | os.O_RDWR))


def begun(reference: Path, folder: Path, stage: str) -> None:
    """A copy of the reference as a build leaves it that has finished all before a stage."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(reference, folder)
    study = Study.open(folder)
    study.drop(stage)
    for path in folder.rglob("*"):
        key = str(path.relative_to(folder))
        if path.is_dir() and path.name in STAGES and key not in study.manifest["stages"]:
            shutil.rmtree(path)


@contextmanager
def read_meanwhile(folder: Path, wanted: dict[str, str], found: Found) -> Iterator[None]:
    """Opens the study again and again, in a thread: stages that are listed are whole."""
    over = threading.Event()

    def look() -> None:
        while not over.wait(0.1):
            found.half_stages += _half(folder, wanted, found)

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _half(folder: Path, wanted: dict[str, str], found: Found) -> int:
    try:
        seen = digests(Study.open(folder))
    except UserError as error:
        if "No study at" in str(error):
            return 0
        found.complaints.append(str(error))
        return 1
    found.reads += 1
    wrong = [key for key, digest in seen.items() if digest != wanted[key]]
    found.complaints += [f"{key} is not whole" for key in wrong]
    return len(wrong)


def attempt(folder: Path, config: StudyConfig, wanted: dict[str, str], found: Found, kill: Callable[[], int]) -> None:
    """One kill, then the same build again; whether all stages then are as they should be. kill: the wait status."""
    with read_meanwhile(folder, wanted, found):
        found.fell += os.WIFSIGNALED(kill())
        again = forked(folder, config)
        status = os.waitpid(again, 0)[1]
    seen = digests(Study.open(folder)) if status == 0 else {}
    found.tried += 1
    found.survived += seen == wanted
    if seen != wanted:
        other = sorted({key for key, _ in set(wanted.items()) ^ set(seen.items())})
        found.complaints.append(f"kill {found.tried}: status {status}, other or missing: {', '.join(other)}")


def at_every_change(reference: Path, folder: Path, config: StudyConfig, stages: tuple[str, ...] = STAGES,
                    step: int = 1, until: float = float("inf")) -> Found:  # fmt: skip
    """Kills before every `step`-th change of names that each stage makes, until a time (of time.monotonic())."""
    found, wanted = Found(), digests(Study.open(reference))
    for stage in stages:
        for count in range(1, changes_of(reference, folder, config, stage) + 1, step):
            if time.monotonic() > until:
                return found
            begun(reference, folder, stage)

            def kill(count: int = count) -> int:
                return os.waitpid(forked(folder, config, killed_before(folder, count)), 0)[1]

            attempt(folder, config, wanted, found, kill)
    return found


def changes_of(reference: Path, folder: Path, config: StudyConfig, stage: str) -> int:
    """How many changes a build makes that begins with this stage, until the next one begins."""
    begun(reference, folder, stage)
    log = folder.with_name("changes.log")
    log.unlink(missing_ok=True)
    os.waitpid(forked(folder, config, killed_before(folder, 0, log)), 0)
    lines, later = log.read_text().splitlines(), STAGES[STAGES.index(stage) + 1 :]
    ends = [i for i, line in enumerate(lines) if any(f".partial/{s}" in line or f".checkpoint/{s}" in line
            or (".partial/dictionaries" in line and line.endswith(f"/{s}")) for s in later)]  # fmt: skip
    return ends[0] if ends else len(lines)


def at_random(reference: Path, folder: Path, config: StudyConfig, tries: int, seconds: float, seed: int = 0,
              until: float = float("inf")) -> Found:  # fmt: skip
    """Kills builds from the beginning after a random time of up to `seconds`, `tries` times or until a time."""
    found, wanted, draw = Found(), digests(Study.open(reference)), random.Random(seed)
    while found.tried < tries and time.monotonic() < until:
        shutil.rmtree(folder, ignore_errors=True)

        def kill() -> int:
            child = forked(folder, config)
            time.sleep(draw.uniform(0, seconds))
            os.kill(child, signal.SIGKILL)
            return os.waitpid(child, 0)[1]

        attempt(folder, config, wanted, found, kill)
    return found
