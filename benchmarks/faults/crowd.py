"""A dashboard under many sessions at once, while studies come and go: does it stay quick, small and without errors?"""

import json
import shutil
import threading
import time
from pathlib import Path
from typing import Any

from benchmarks.faults import sessions
from benchmarks.reviews import write
from seqsae_core.log import LOG
from seqsae_core.reviews.store import Reviews
from seqsae_core.steering.edits import Edit
from seqsae_core.steering.scenarios import Scenario, delete, save
from seqsae_core.study import Study
from tests.browser import driving

BAD = ("Traceback", "Uncaught", "Exception", "Error")
WRITTEN = 200


def crowd(source: Path, folder: Path, count: int, seconds: float) -> dict[str, Any]:
    """`count` sessions at once for `seconds`; see `benchmarks/reliability.py`."""
    study = Study.open(shutil.copytree(source, folder / "studies" / source.name,
                                       ignore=shutil.ignore_patterns("reviews.sqlite*", LOG)))  # fmt: skip
    table = study.effects().sort_values("effect", ascending=False)
    latents, users = table["latent"].head(20).tolist(), min(1000, len(study.sequences()))
    seen, sizes = sessions.Seen(), []
    with driving.dashboard(study.path, folder / "dashboard.log") as address:
        warm = sessions.Seen()
        sessions.steer(address, 0, latents, users, time.monotonic() + 1, warm, time.monotonic())
        began = time.monotonic()
        until = began + seconds
        aside = threading.Thread(target=disturb, args=(study, folder / "studies" / "deleted", address, until, seen))
        watch = threading.Thread(target=weigh, args=(address.pid, began, until, sizes))
        for thread in (aside, watch):
            thread.start()
        writers = [write(study.reviews, who, WRITTEN) for who in _registered(study)]
        work = lambda i: sessions.steer(address, i, latents, users, until, seen, began)  # noqa: E731
        sessions.together(count, work)
        said = {uid for writer in writers for uid in writer.communicate()[0].split()}
        for thread in (aside, watch):
            thread.join()
    found = {event.uid for event in Reviews(study.reviews).events()}
    return report(seen, sizes, seconds) | {
        "sessions": count, "errors_in_logs": complaints(folder / "dashboard.log", study.path / LOG),
        "reviews_confirmed": len(said), "reviews_found": len(said & found),
    }  # fmt: skip


def _registered(study: Study) -> tuple[str, str]:
    """Two reviewers, once the dictionary that they review is known."""
    Reviews(study.reviews).register("f" * 16, "layer1")
    return ("Ada", "Bob")


def disturb(study: Study, other: Path, address: str, until: float, seen: sessions.Seen) -> None:
    """Keeps and deletes scenarios; copies the study beside itself, opens the copy and deletes it while it is open."""
    round_ = 0
    while time.monotonic() < until:
        round_ += 1
        save(study.scenarios, Scenario(f"crowd {round_}", (Edit(1, 1.0),), "f" * 16))
        delete(study.scenarios, f"crowd {round_ - 1}")
        shutil.copytree(study.path, other, ignore=shutil.ignore_patterns("reviews.sqlite*"), dirs_exist_ok=True)
        _open(address, "study=deleted", seen)
        shutil.rmtree(other)
        _open(address, "study=deleted", seen)
        time.sleep(2)


def _open(address: str, query: str, seen: sessions.Seen) -> None:
    with sessions.connect(address.replace("http", "ws") + "/_stcore/stream", origin=str(address),
                          subprotocols=["streamlit"], max_size=None) as socket:  # fmt: skip
        sessions.ask(socket, "latents", query)
        sessions.answer(socket, seen)


def weigh(pid: int, began: float, until: float, sizes: list[tuple[float, float]]) -> None:
    """(seconds, MiB) of the server, every two seconds."""
    while time.monotonic() < until:
        sizes.append((time.monotonic() - began, sessions.memory(pid)))
        time.sleep(2)


def report(seen: sessions.Seen, sizes: list[tuple[float, float]], seconds: float) -> dict[str, Any]:
    """First and last fifths of the time beside each other."""
    fifth = seconds / 5
    first = [ms for at, ms in seen.runs if at < fifth]
    last = [ms for at, ms in seen.runs if at >= seconds - fifth]
    held = {"first": [mib for at, mib in sizes if at < fifth], "last": [m for at, m in sizes if at >= seconds - fifth]}
    return {
        "seconds_held": round(seconds), "runs": len(seen.runs), "lists": seen.lists, "exceptions": seen.wrong[:20],
        "p95_ms_first": _whole(sessions.p95(first)), "p95_ms_last": _whole(sessions.p95(last)),
        **{f"mib_{name}": _whole(sum(of) / len(of)) if of else None for name, of in held.items()},
    }  # fmt: skip


def _whole(value: float | None) -> int | None:
    return None if value is None else round(value)


def complaints(printed: Path, log: Path) -> list[str]:
    """Lines of what the server printed that tell of errors, and errors of the study's log."""
    said = [line for line in printed.read_text().splitlines() if any(word in line for word in BAD)]
    lines = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
    return said[:20] + [f"{line['id']} {line['type']}: {line['message']}" for line in lines if line["event"] == "error"]
