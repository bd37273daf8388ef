"""How fast pages answer in a real browser: `python benchmarks/dashboard.py STUDY [PART ...] [--count N]`; prints JSON.

Each part opens a headless Chromium on a server that it has just started: slider (from letting go to the exact list,
and frames while dragging), latents (a click on the table or the map to the latent), pages (a switch in the bar),
filters (an invented study of 16,384 latents), start (`serve` to first content), shifts (how far things jump while a
page comes), crowd (the slider while four scripted sessions steer, and the server's memory), growth (memory over 1,000
reruns). Without parts, all of them. Times are taken inside the page, from the event of the hand to the change in the
DOM that answers it and to its frame.
"""

import argparse
import json
import os
import platform
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.browsing import clicking, crowding, filtering, shifting, sliding, starting  # noqa: E402
from tests.browser import driving  # noqa: E402

PARTS = {
    "slider": (sliding.measure, 60),
    "latents": (clicking.latents, 20),
    "pages": (clicking.pages, 6),
    "filters": (filtering.measure, 6),
    "start": (starting.measure, 8),
    "shifts": (shifting.measure, 2),
    "crowd": (crowding.crowd, 60),
    "growth": (crowding.growth, 1000),
}


def main() -> None:
    """Measure and print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("study", type=Path)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; all of them without any")
    parser.add_argument("--count", type=int, help="releases, clicks, rounds, filters, starts, openings or reruns")
    options = parser.parse_args()
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"no part {', '.join(sorted(unknown))}: the parts are {', '.join(PARTS)}")
    path = driving.chromium_path()
    if path is None:
        sys.exit("No Chromium on this machine: apt-get install chromium")
    found = {}
    for name in options.parts or PARTS:
        measure, count = PARTS[name]
        with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
            browser = driving.launch(playwright, path)
            found[name] = measure(browser, options.study.resolve(), Path(folder), options.count or count)
            version = browser.version
            browser.close()
    print(json.dumps({"study": str(options.study), **found, "machine": machine(version)}, indent=1))


def machine(browser: str) -> dict:
    """What it was measured on."""
    return {
        "cores": os.cpu_count(),
        "architecture": platform.machine(),
        "python": platform.python_version(),
        "browser": f"Chromium {browser}, headless, without a GPU",
        "load_at_end": os.getloadavg()[0],
    }


if __name__ == "__main__":
    main()
