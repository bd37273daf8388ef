"""How far a build is: a file that the dashboard reads, and lines in the terminal."""

import json
import os
import shutil
import sys
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol, TextIO

WRITE_EVERY = 0.25
BEAT_EVERY = 1.0
LINE_EVERY = 10.0
STALE_AFTER = 30.0
PRIOR_SECONDS = 10.0


class Report(Protocol):
    """What running work calls to say how far it is: see `Progress.update`."""

    def __call__(self, fraction: float, detail: str, **facts: Any) -> None:
        """At `fraction` (0..1); facts: what only some work has to say."""
        ...


@dataclass
class StageProgress:
    """One stage. state: waiting, running, done or failed; fraction in 0..1; seconds spent in this run.

    reported: the seconds spent when the fraction was last told; resumed: the fraction that earlier runs had reached;
    log: rows of figures that a reader may draw while the stage runs.
    """

    name: str
    label: str
    budget_seconds: float
    state: str = "waiting"
    fraction: float = 0.0
    seconds: float = 0.0
    detail: str = ""
    reported: float = 0.0
    resumed: float = 0.0
    log: Sequence[Mapping[str, Any]] = ()


class Progress:
    """Keeps progress.json and the terminal up to date during one build.

    While a stage runs, a thread repeats the last state every second, so that a reader can tell long silent
    work from a process that is gone.
    """

    def __init__(
        self, path: Path, stages: Sequence[tuple[str, str, float]], out: TextIO | None = None, job: str = "build",
        shown: "Terminal | None" = None,
    ):  # fmt: skip
        """job: what the work is called, so that a reader can tell it from other work on the same study.

        shown: what draws it, in place of lines to `out` (stderr unless given).
        """
        self._path, self._job = Path(path), job
        self._stages = {name: StageProgress(name, label, budget) for name, label, budget in stages}
        self._terminal = shown or Terminal(sys.stderr if out is None else out)
        self._lock = threading.RLock()
        self._running: StageProgress | None = None
        self._began = self._written = 0.0
        self._state, self._error = "running", None
        self._write()

    def start(self, stage: str) -> None:
        """A stage begins."""
        with self._lock:
            self._running = self._stages[stage]
            self._running.state, self._began = "running", time.monotonic()
            self._write()
        threading.Thread(target=self._beat, args=(self._running,), daemon=True).start()

    def update(
        self, fraction: float, detail: str = "", *, resumed: float | None = None,
        log: Sequence[Mapping[str, Any]] | None = None,
    ) -> None:  # fmt: skip
        """The running stage is at `fraction` (0..1) of its work; cheap enough to be called at every step.

        resumed: the fraction at which this run took the work up, so that the pace counts its own share only.
        log: the stage's figures so far, in JSON's own types. What is left out stays as it was.
        """
        with self._lock:
            self._running.fraction = min(1.0, max(0.0, float(fraction)))
            self._running.resumed = self._running.resumed if resumed is None else resumed
            self._running.log = self._running.log if log is None else log
            self._running.reported = time.monotonic() - self._began
            self._running.detail = detail or self._running.detail
            if time.monotonic() - self._written >= WRITE_EVERY:
                self._write()

    def done(self, stage: str, detail: str = "") -> None:
        """A stage has ended well."""
        self._end(stage, "done", detail)

    def skip(self, stage: str) -> None:
        """A stage was there already."""
        self._end(stage, "done", "already built")

    def fail(self, stage: str, message: str) -> None:
        """A stage has failed, and the build with it."""
        self._state, self._error = "failed", message
        self._end(stage, "failed", message)

    def finish(self) -> None:
        """Every stage has ended."""
        with self._lock:
            self._state = "done"
            self._write()

    def _end(self, name: str, state: str, detail: str) -> None:
        with self._lock:
            stage, self._running = self._stages[name], None
            stage.seconds = time.monotonic() - self._began if stage.state == "running" else 0.0
            stage.reported = stage.seconds
            stage.state, stage.detail = state, detail
            stage.fraction = 1.0 if state == "done" else stage.fraction
            self._write()
            self._terminal.end(stage, self._position(stage))

    def _beat(self, stage: StageProgress) -> None:
        while True:
            time.sleep(BEAT_EVERY)
            with self._lock:
                if self._running is not stage:
                    return
                self._write()

    def _write(self) -> None:
        if self._running:
            self._running.seconds = time.monotonic() - self._began
            self._terminal.show(self._running, self._position(self._running), eta(self._stages.values()))
        _put_in_place(self._path, json.dumps(self._document()))
        self._written = time.monotonic()

    def _document(self) -> dict[str, Any]:
        stages = [asdict(s) | {"seconds": round(s.seconds, 1)} for s in self._stages.values()]
        for stage in stages:
            del stage["reported"], stage["resumed"]
            if not stage["log"]:
                del stage["log"]
        left = eta(self._stages.values()) if self._state == "running" else None
        return {
            "stages": stages, "eta_seconds": left, "state": self._state, "error": self._error,
            "updated": time.time(), "pid": os.getpid(), "job": self._job,
        }  # fmt: skip

    def _position(self, stage: StageProgress) -> str:
        return f"{list(self._stages).index(stage.name) + 1}/{len(self._stages)}"


class Terminal:
    """Plain text: on a terminal one line, redrawn; elsewhere a line every ten seconds and at each end."""

    def __init__(self, stream: TextIO):
        self._stream, self._live = stream, stream.isatty()
        self._shown = time.monotonic()

    def show(self, stage: StageProgress, position: str, left: float) -> None:
        """The running stage, with the time left for the whole build."""
        if not self._live and time.monotonic() - self._shown < LINE_EVERY:
            return
        bar = f"[{'#' * round(20 * stage.fraction):.<20}] {stage.fraction:4.0%}"
        line = f"{position} {stage.label} {bar}  {clock(left)} left  {stage.detail}"
        self._put(line.rstrip(), "" if self._live else "\n")

    def end(self, stage: StageProgress, position: str) -> None:
        """How a stage ended."""
        word = f"done in {clock(stage.seconds)}" if stage.seconds else stage.state
        self._put(f"{position} {stage.label}: {word}. {stage.detail}".rstrip(), "\n")

    def _put(self, line: str, end: str) -> None:
        if self._live:
            line = f"\r\x1b[K{line[: shutil.get_terminal_size().columns - 1]}"
        print(line, end=end, file=self._stream, flush=True)
        self._shown = time.monotonic()


def _put_in_place(path: Path, text: str) -> None:
    """Replaces a file. What the disk refuses is left out: a build does not end because nobody can see how far it is."""
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        aside.write_text(text)
        os.replace(aside, path)
    except OSError:
        with suppress(OSError):
            aside.unlink(missing_ok=True)


def eta(stages: Iterable[StageProgress]) -> float:
    """Seconds left: what is not done yet, by its budget times the pace (seconds per budgeted second) so far.

    The pace starts at 1 and counts what has been told: a fraction that stands still says nothing.
    """
    stages = list(stages)
    told = [s for s in stages if s.reported > 0]
    spent, planned = sum(s.reported for s in told), sum(s.budget_seconds * (s.fraction - s.resumed) for s in told)
    pace = (PRIOR_SECONDS + spent) / (PRIOR_SECONDS + planned)
    return round(sum(_left(s, pace) for s in stages), 1)


def _left(stage: StageProgress, pace: float) -> float:
    if stage.state not in ("waiting", "running"):
        return 0.0
    expected = (1 - stage.fraction) * stage.budget_seconds * pace
    return max(expected - (stage.seconds - stage.reported), 0.05 * expected)


def clock(seconds: float) -> str:
    """Minutes and seconds, e.g. 2:05."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}"


def read(path: str | Path) -> dict[str, Any] | None:
    """The last build's progress.json, or None where there is none that can be read.

    A build that says it is running but whose process is gone, or silent for 30 s, has state `interrupted`.
    """
    try:
        found = json.loads(Path(path).read_text(encoding="utf-8"))
        if not _is_document(found):
            return None
    except (OSError, ValueError, RecursionError):
        return None
    fresh = time.time() - found["updated"] < STALE_AFTER
    if found["state"] == "running" and not (fresh and _alive(found["pid"])):
        found |= {"state": "interrupted", "eta_seconds": None}
    return found


def _is_document(found: Any) -> bool:
    """Whether a value has what readers of a progress rely on."""
    types = {"stages": list, "state": str, "updated": (int, float), "pid": int}
    if not isinstance(found, dict) or not all(isinstance(found.get(name), kind) for name, kind in types.items()):
        return False
    texts = ("name", "label", "state")
    return all(isinstance(stage, dict) and all(isinstance(stage.get(name), str) for name in texts)
               for stage in found["stages"])  # fmt: skip


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        pass
    return True
