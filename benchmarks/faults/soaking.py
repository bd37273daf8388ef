"""One browser and some scripted sessions for an hour: does the dashboard stay quick, small and without errors?

Everybody pauses as people do, so that the machine is mostly idle. What was measured so far stands in a file all the
time: a soak that is cut off still tells.
"""

import json
import math
import os
import random
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import BrowserContext, Page, sync_playwright

from benchmarks.faults import sessions
from benchmarks.faults.crowd import complaints
from seqsae_core.files import replacing
from seqsae_core.log import LOG
from seqsae_core.study import Study
from tests.browser import driving

EACH = 10.0
TURN_PAUSE, PAGE_PAUSE, DRAG_PAUSE = (4.0, 8.0), (3.0, 7.0), (2.0, 4.0)
DRAGS, SIZE = 12, {"width": 1440, "height": 900}
PAGES = (
    "", "latents", "latent", "compare", "find", "concept", "latents_vs_neurons", "dictionaries", "review", "studies",
    "new_study", "steer",
)  # fmt: skip
NOT_COPIED = shutil.ignore_patterns("reviews.sqlite*", LOG)


@dataclass
class Held:
    """What was seen so far: (seconds since the beginning, milliseconds) of each kind of wait; server samples
    (seconds, MiB, processor seconds); what went wrong, by where it was seen."""

    waits: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    samples: list[tuple[float, float, float]] = field(default_factory=list)
    loads: list[tuple[float, float]] = field(default_factory=list)
    wrong: dict[str, list[str]] = field(default_factory=lambda: {"sessions": [], "browser": [], "console": []})

    @contextmanager
    def timed(self, kind: str, began: float) -> Iterator[None]:
        """Keeps how long a block took, when it ended without error."""
        at = time.monotonic()
        yield
        self.waits.setdefault(kind, []).append((at - began, 1000 * (time.monotonic() - at)))


def soak(source: Path, folder: Path, count: int, seconds: float, part: float, out: Path) -> dict[str, Any]:
    """A copy of a study under `count` sessions and a browser; told by parts of so many seconds. out: the file."""
    study = Study.open(shutil.copytree(source, folder / "studies" / source.name, ignore=NOT_COPIED))
    held, printed = Held(), folder / "dashboard.log"
    latents = study.effects().sort_values("effect", ascending=False)["latent"].head(50).tolist()
    with driving.dashboard(study.path, printed) as address, sync_playwright() as playwright:
        window = driving.launch(playwright, driving.chromium_path()).new_context(viewport=SIZE)
        browse(window, address, latents, Held(wrong=held.wrong), 0.0, math.inf)  # warms up
        began = time.monotonic()
        until = began + seconds

        def told() -> dict[str, Any]:
            errors = held.wrong | {"logs": complaints(printed, study.path / LOG)}
            return {"sessions": count, "asked_seconds": seconds} | report(held, errors, time.monotonic() - began, part)

        users = min(1000, len(study.sequences()))
        each = [(address, seed, latents, users, began, until, held) for seed in range(count)]
        work = [threading.Thread(target=turns, args=arguments) for arguments in each]
        work.append(threading.Thread(target=watch, args=(address.pid, began, until, held, told, out)))
        for thread in work:
            thread.start()
        while time.monotonic() < until:
            browse(window, address, latents, held, began, until)
        for thread in work:
            thread.join()
        found = told() | {"complete": True}
        window.browser.close()
    keep(out, found)
    return found


# ---- who uses it


def turns(address: str, seed: int, latents: list[int], users: int, began: float, until: float, held: Held) -> None:
    """One scripted session on the page Steer: another user, latent and strength at each turn, then a pause."""
    draw, seen = random.Random(seed), sessions.Seen(wrong=held.wrong["sessions"])
    stream = address.replace("http", "ws") + "/_stcore/stream"
    while time.monotonic() < until:
        try:
            with sessions.connect(stream, origin=address, subprotocols=["streamlit"], max_size=None) as socket:
                while time.monotonic() < until:
                    time.sleep(draw.uniform(*TURN_PAUSE))
                    edits = f"{draw.choice(latents)}:{draw.uniform(-4, 4):.2f}"
                    query = f"user={draw.randrange(users)}&edits={edits}"
                    with held.timed("session_turn", began):
                        sessions.ask(socket, "steer", query)
                        sessions.answer(socket, seen)
        except Exception as error:  # noqa: BLE001 - a session that breaks is a finding, and another takes its place
            held.wrong["sessions"].append(f"session {seed}: {type(error).__name__}: {error}")


def browse(window: BrowserContext, address: str, latents: list[int], held: Held, began: float, until: float) -> None:
    """Once through the pages in one tab, with a pause on each; on the last one, Steer, the slider is dragged."""
    page, draw = window.new_page(), random.Random(len(held.waits.get("browser_page", ())))
    driving.Complaints(held.wrong["console"]).listen(page)
    asked = {"latent": f"?latent={draw.choice(latents)}", "compare": f"?latent={latents[0]}&other={latents[1]}"}
    try:
        for path in PAGES:
            if time.monotonic() > until:
                return
            with held.timed("browser_page", began):
                driving.open_page(page, f"{address}/{path}{asked.get(path, '')}")
            held.wrong["browser"] += page.get_by_test_id("stException").all_inner_texts()
            pause(page, draw, PAGE_PAUSE)
        drag(page, draw, held, began, until)
    except Exception as error:  # noqa: BLE001 - a browser that is stuck is a finding, and opens another tab
        held.wrong["browser"].append(f"{type(error).__name__}: {error}"[:500])
    finally:
        page.close()


def drag(page: Page, draw: random.Random, held: Held, began: float, until: float) -> None:
    """Takes the slider somewhere and lets go, DRAGS times; what is timed is from letting go to the exact list."""
    driving.scene_of(page)
    slider = page.locator(".steer input[type=range]").first
    for _ in range(DRAGS):
        if time.monotonic() > until:
            return
        now, most = slider.evaluate("e => [+e.value, +e.max]")
        driving.drag(page, across(draw, now, most))
        with held.timed("browser_release", began):
            driving.release(page)
        pause(page, draw, DRAG_PAUSE)


def across(draw: random.Random, now: float, most: float) -> float:
    """A strength on the other side of 0: one that stays where it is asks for no list."""
    return (-1 if now > 0 else 1) * draw.uniform(0.05, 1) * most


def pause(page: Page, draw: random.Random, between: tuple[float, float]) -> None:
    """Waits as a reader does; meanwhile the browser's console is listened to."""
    page.wait_for_timeout(1000 * draw.uniform(*between))


# ---- what is seen of it


def watch(pid: int, began: float, until: float, held: Held, told: Callable[[], dict], out: Path) -> None:
    """Samples the server and rewrites the file every EACH seconds."""
    while time.monotonic() < until:
        now = time.monotonic() - began
        held.samples.append((now, sessions.memory(pid), sessions.processor(pid)))
        held.loads.append((now, os.getloadavg()[0]))
        keep(out, told())
        time.sleep(EACH)


def keep(out: Path, found: dict[str, Any]) -> None:
    """Replaces the file as a whole."""
    with replacing(out) as aside:
        aside.write_text(json.dumps(found, indent=1))


def report(held: Held, errors: dict[str, list[str]], seconds: float, part: float) -> dict[str, Any]:
    """Everything by parts of the time, and the last whole one beside the first."""
    parts = [within(held, at, at + part) for at in np.arange(0, seconds, part)]
    whole = [one for one in parts if one["to_second"] <= seconds + EACH] or parts
    first, last = whole[0], whole[-1]
    kinds = [kind for kind in held.waits if kind in first and kind in last]
    return {
        "complete": False, "seconds": round(seconds),
        "pauses_seconds": {"session_turn": TURN_PAUSE, "browser_page": PAGE_PAUSE, "browser_release": DRAG_PAUSE},
        "server_cores_busy": busy(held.samples), "parts": parts,
        "p95_last_to_first": {kind: ratio(held.waits[kind], first, last) for kind in kinds},
        "mib": {"first": first.get("mib"), "last": last.get("mib"), "rise_per_hour": rise(held.samples, seconds)},
        "errors": {where: len(said) for where, said in errors.items()},
        "said": {where: said[:20] for where, said in errors.items()},
        "mib_each_10_s": [round(mib) for _, mib, _ in held.samples],
    }  # fmt: skip


def within(held: Held, low: float, high: float) -> dict[str, Any]:
    """Counts, medians and 95th percentiles of the waits that began in a part; memory and processor of the server."""
    samples = [s for s in held.samples if low <= s[0] < high]
    loads = [load for at, load in held.loads if low <= at < high]
    found: dict[str, Any] = {"from_second": round(low), "to_second": round(high)}
    for kind, waits in list(held.waits.items()):
        if took := between(waits, low, high):
            middle, most = float(np.median(took)), sessions.p95(took)
            found[kind] = {"n": len(took), "p50_ms": round(middle), "p95_ms": round(most)}
    if samples:
        found |= {"mib": round(sum(mib for _, mib, _ in samples) / len(samples)), "server_cores_busy": busy(samples),
                  "machine_load": round(sum(loads) / len(loads), 1)}  # fmt: skip
    return found


def ratio(waits: list[tuple[float, float]], first: dict[str, Any], last: dict[str, Any]) -> dict[str, float]:
    """The last part's 95th percentile by the first's, and what 95 % of 2,000 resamplings of both say (percentiles)."""
    draw = np.random.default_rng(0)
    before, after = (between(waits, part["from_second"], part["to_second"]) for part in (first, last))
    drawn = [
        np.percentile(draw.choice(ms, (2000, len(ms))), 95, axis=1, method="inverted_cdf") for ms in (before, after)
    ]
    low, high = np.percentile(drawn[1] / drawn[0], [2.5, 97.5])
    found = {"ratio": sessions.p95(after) / sessions.p95(before), "low": low, "high": high}
    return {name: round(float(value), 3) for name, value in found.items()}


def between(waits: list[tuple[float, float]], low: float, high: float) -> list[float]:
    """Milliseconds of the waits that began in a part of the time."""
    return [ms for at, ms in waits if low <= at < high]


def busy(samples: list[tuple[float, float, float]]) -> float | None:
    """Processor seconds of the server by second."""
    if len(samples) < 2:
        return None
    return round((samples[-1][2] - samples[0][2]) / (samples[-1][0] - samples[0][0]), 3)


def rise(samples: list[tuple[float, float, float]], seconds: float) -> float | None:
    """MiB an hour: the least-squares line through the second half of the samples, when caches have filled."""
    later = [(at / 3600, mib) for at, mib, _ in samples if at >= seconds / 2]
    return round(float(np.polyfit(*zip(*later, strict=True), 1)[0]), 1) if len(later) > 2 else None
