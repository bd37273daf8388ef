"""Reviews: nothing lost, and how fast: `python benchmarks/reviews.py STUDY [--verdicts N] [--kills N] [--presses N]`.

Two processes write verdicts at once and all are looked for; a writer is killed (SIGKILL) again and again and every
verdict that it had confirmed is looked for; and, on a copy of the study with N reviews stored, the time in a real
browser from the key that decides to the frame that shows the next latent.
"""

import argparse
import json
import os
import platform
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from seqsae_core.reviews.events import Event  # noqa: E402
from seqsae_core.reviews.store import Reviews  # noqa: E402
from seqsae_core.reviews.weights import Weights  # noqa: E402
from seqsae_core.study import Study  # noqa: E402
from tests.browser import driving  # noqa: E402

FINGERPRINT = "f" * 16
WRITER = """
import sys
from seqsae_core.reviews.events import Event
from seqsae_core.reviews.store import Reviews
store, who, count = Reviews(sys.argv[1], wait=60), sys.argv[2], int(sys.argv[3])
for i in range(count):
    event = Event(who, "f" * 16, i, "verdict", "confirm", automatic="Horror")
    store.record(event)
    print(event.uid, flush=True)
"""
WATCH = """() => {
  const roots = [...document.querySelectorAll('[data-testid=stBidiComponentIsolated]')].map((e) => e.shadowRoot);
  const panel = roots.map((r) => r.querySelector('.review')).find(Boolean);
  const seen = window.seen = { panel: [], evidence: [] };
  let pressed = 0, strips = null;
  const find = () => [...document.querySelectorAll('[data-testid=stBidiComponentIsolated]')]
    .map((e) => e.shadowRoot.querySelector('.strips')).find(Boolean);
  const painted = (name) => requestAnimationFrame(() => requestAnimationFrame((now) => seen[name].push(now - pressed)));
  window.addEventListener('keydown', () => { pressed = performance.now(); }, true);
  new MutationObserver(() => painted('panel')).observe(panel, { attributes: true, attributeFilter: ['data-latent'] });
  new MutationObserver(() => painted('evidence')).observe(find(), { childList: true });
}"""


def main() -> None:
    """Runs all three and prints one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("study", type=Path)
    parser.add_argument("--verdicts", type=int, default=10_000)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--presses", type=int, default=200)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.study.parent) as folder:
        found = {
            "two_writers": two_writers(Path(folder) / "two.sqlite", options.verdicts),
            "kills": kills(Path(folder) / "kills.sqlite", options.kills),
            "browser": in_the_browser(options.study, Path(folder), options.verdicts, options.presses),
        }
    machine = {"cores": os.cpu_count(), "python": platform.python_version(), "load": os.getloadavg()}
    print(json.dumps(found | {"machine": machine}, indent=1))


def write(path: Path, who: str, count: int) -> subprocess.Popen:
    """A process that writes verdicts and prints the uid of each that was confirmed."""
    command = [sys.executable, "-c", WRITER, str(path), who, str(count)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)


def two_writers(path: Path, count: int) -> dict:
    """`count` verdicts, half by each of two processes at once."""
    Reviews(path).register(FINGERPRINT, "layer1")
    began = time.monotonic()
    writers = [write(path, who, count // 2) for who in ("Ada", "Bob")]
    said = {uid for writer in writers for uid in writer.communicate()[0].split()}
    seconds = time.monotonic() - began
    there = {event.uid for event in Reviews(path).events()}
    return {"confirmed": len(said), "found": len(said & there), "seconds": round(seconds, 1)}


def kills(path: Path, tries: int) -> dict:
    """A writer that is killed after a random time, `tries` times, on one file."""
    Reviews(path).register(FINGERPRINT, "layer1")
    draw, said = random.Random(0), []
    for i in range(tries):
        writer = write(path, f"reviewer {i}", 1_000_000)
        said.append(writer.stdout.readline().strip())
        time.sleep(draw.uniform(0, 0.3))
        writer.send_signal(signal.SIGKILL)
        said += writer.stdout.read().split("\n")[:-1]
        writer.wait()
    there = {event.uid for event in Reviews(path).events()}
    rows = Reviews(path).rows("PRAGMA integrity_check")
    found, whole = len(set(said) & there), rows[0]["integrity_check"]
    return {"tries": tries, "confirmed": len(said), "found": found, "integrity": whole}


def filled(study: Path, folder: Path, count: int) -> Path:
    """A copy of a study with `count` verdicts of ten reviewers, who do not all agree."""
    copy = folder / study.name
    shutil.copytree(study, copy, ignore=shutil.ignore_patterns("reviews.sqlite*", "extras"))
    opened, rng = Study.open(copy), np.random.default_rng(0)
    weights, latents = Weights.of(opened), opened.features()["feature"].to_numpy()
    names = opened.features()["name"].tolist()
    kinds = rng.choice(["confirm", "reject", "unsure"], count, p=[0.7, 0.2, 0.1])
    n, whose = len(latents), weights.fingerprint
    events = [
        Event(f"reviewer {i // n}", whose, int(latents[i % n]), "verdict", str(kind), automatic=names[i % n])
        for i, kind in enumerate(kinds)
    ]
    Reviews(opened.reviews).add_all({weights.fingerprint: opened.default_dictionary}, events, {})
    return copy


def in_the_browser(study: Path, folder: Path, count: int, presses: int) -> dict:
    """Milliseconds from the key to the frame that shows the next question, and the one that shows its evidence."""
    copy = filled(study, folder, count)
    with driving.dashboard(copy, folder / "dashboard.log") as address, sync_playwright() as playwright:
        browser = driving.launch(playwright, driving.chromium_path())
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        driving.open_page(page, f"{address}/review")
        page.locator(".review input").fill("Eve")
        page.keyboard.press("Enter")
        page.locator(".review .actions").wait_for()
        driving.settled(page)
        time.sleep(1)
        page.evaluate(WATCH)
        for i in range(presses):
            press(page, i)
        seen = page.evaluate("window.seen")
        browser.close()
    kept = sum(e.reviewer == "Eve" for e in Reviews(Study.open(copy).reviews).events())
    return {"stored": count, "presses": presses, "kept": kept, **{name: summary(ms) for name, ms in seen.items()}}


def press(page: Page, number: int) -> None:
    """Decides one latent, and leaves time as a quick reader would."""
    latent = page.locator(".review").get_attribute("data-latent")
    page.keyboard.press("xu"[number % 2])
    page.wait_for_function("n => window.seen.panel.length > n && window.seen.evidence.length > n", arg=number)
    if page.locator(".review").get_attribute("data-latent") == latent:
        raise RuntimeError(f"the question about {latent} stayed")
    time.sleep(0.3)


def summary(milliseconds: list[float]) -> dict:
    """Count, median, 95th percentile, most."""
    p50, p95, most = np.percentile(milliseconds, [50, 95, 100]).round(0).tolist()
    return {"n": len(milliseconds), "p50_ms": p50, "p95_ms": p95, "max_ms": most}


if __name__ == "__main__":
    main()
