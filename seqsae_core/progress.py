"""Progress of a build: a file that pages read, and lines in the terminal."""

import json
import os
import sys
import time
from pathlib import Path
from typing import Any, TextIO

STALE_SECONDS = 30.0
WRITE_EVERY, PRINT_EVERY = 0.25, 10.0


class Progress:
    """Tells how far a build is. `stages`: (name, label, budget in seconds on two cores) in order."""

    def __init__(self, path: Path, stages: list[tuple[str, str, float]], out: TextIO = sys.stderr):
        self.path, self.out = path, out
        self.stages = [
            {"name": n, "label": text, "state": "waiting", "fraction": 0.0, "seconds": 0.0, "budget_seconds": b, "detail": ""}
            for n, text, b in stages
        ]
        self.state, self.error = "running", None
        self._by_name = {stage["name"]: stage for stage in self.stages}
        self._current: dict[str, Any] | None = None
        self._began = self._written = self._printed = 0.0
        self._write()

    def start(self, name: str) -> None:
        """A stage begins."""
        self._current, self._began = self._by_name[name], time.monotonic()
        self._current["state"] = "running"
        self._write()
        self._print(force=True)

    def update(self, fraction: float, detail: str = "") -> None:
        """The running stage has done `fraction` (0 to 1) of its work."""
        now, stage = time.monotonic(), self._current
        stage |= {"fraction": min(max(fraction, 0.0), 1.0), "seconds": now - self._began}
        stage["detail"] = detail or stage["detail"]
        if now - self._written >= WRITE_EVERY:
            self._write()
            self._print(force=False)

    def done(self, name: str, detail: str = "") -> None:
        """A stage has ended well."""
        seconds = time.monotonic() - self._began
        self._by_name[name] |= {"state": "done", "fraction": 1.0, "seconds": seconds, "detail": detail}
        self._write()
        self._print(force=True, end="\n")
        self._current = None

    def skip(self, name: str) -> None:
        """A stage is there already."""
        self._by_name[name] |= {"state": "done", "fraction": 1.0, "detail": "already built"}
        self._write()

    def fail(self, name: str, message: str) -> None:
        """A stage has failed; what is built stays."""
        self._by_name[name] |= {"state": "failed", "detail": message}
        self.state, self.error = "failed", message
        self._write()
        self._print(force=True, end="\n")

    def finish(self) -> None:
        """All stages are there."""
        self.state = "done"
        self._write()

    def eta_seconds(self) -> float:
        """Time left: budgets of what is to come, scaled by how this machine has kept the budgets so far."""
        spent = sum(s["seconds"] for s in self.stages)
        planned = sum(s["budget_seconds"] * s["fraction"] for s in self.stages if s["seconds"])
        pace = spent / planned if planned > 5 else 1.0
        left = sum(s["budget_seconds"] * (1 - s["fraction"]) for s in self.stages if s["state"] != "done")
        return left * min(max(pace, 0.2), 5.0)

    def _write(self) -> None:
        self._written = time.monotonic()
        values = {
            "stages": self.stages, "eta_seconds": round(self.eta_seconds(), 1), "state": self.state,
            "error": self.error, "updated": time.time(), "pid": os.getpid(),
        }  # fmt: skip
        aside = self.path.with_name(f".{self.path.name}.{os.getpid()}")
        aside.write_text(json.dumps(values))
        os.replace(aside, self.path)

    def _print(self, force: bool, end: str = "") -> None:
        tty = self.out.isatty()
        if not (force or tty or time.monotonic() - self._printed > PRINT_EVERY):
            return
        self._printed = time.monotonic()
        stage = self._current
        number = self.stages.index(stage) + 1
        line = (
            f"[{number}/{len(self.stages)}] {stage['label']:<34} {stage['fraction']:4.0%} {stage['seconds']:5.0f} s"
            f" · {self.eta_seconds():4.0f} s left · {stage['detail']}"
        )
        self.out.write(f"\r\x1b[2K{line[:150]}{end}" if tty else f"{line}\n")
        self.out.flush()


def read(path: Path) -> dict[str, Any] | None:
    """The progress file, or None when there is none; `state` is `interrupted` where its process is gone."""
    try:
        found = json.loads(Path(path).read_text())
    except (FileNotFoundError, NotADirectoryError, json.JSONDecodeError):
        return None
    if found["state"] == "running" and not _alive(found["pid"], found["updated"]):
        found["state"] = "interrupted"
    return found


def _alive(pid: int, updated: float) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return time.time() - updated < STALE_SECONDS
    return True
