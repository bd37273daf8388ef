"""What happened to a study, one JSON object a line: stages and requests with their times, errors with their ids.

`log.jsonl` lies in the study's folder; beyond 5 MB it becomes `log.1.jsonl`, in place of the one before. Builds and the
dashboard append at once: each line is one write (O_APPEND). A log that cannot be written, or is a link, stops nobody.
"""

import json
import os
import sys
import traceback
import uuid
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

LOG, BEFORE = "log.jsonl", "log.1.jsonl"
LARGEST = 5_000_000


def write(folder: Path, event: str, **facts: Any) -> None:
    """One line about a study. event: what it is (stage, page, error …); facts: whatever JSON can hold."""
    at = datetime.now(UTC).isoformat(timespec="milliseconds")
    line = json.dumps({"at": at, "event": event, "pid": os.getpid(), **facts}, default=str) + "\n"
    with suppress(OSError):
        path = folder / LOG
        if path.exists() and path.stat().st_size > LARGEST:
            os.replace(path, folder / BEFORE)
        handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o644)
        try:
            os.write(handle, line.encode(errors="replace"))
        finally:
            os.close(handle)


def error(folder: Path, found: BaseException, **facts: Any) -> str:
    """Writes what nobody expected, with its traceback, to the log and to the terminal; the id that names it."""
    name, lines = uuid.uuid4().hex[:8], traceback.format_exception(found)
    write(folder, "error", id=name, type=type(found).__name__, message=str(found), traceback="".join(lines), **facts)
    print(f"error {name}\n{''.join(lines)}", file=sys.stderr, flush=True)
    return name
