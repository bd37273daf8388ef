"""From the start of `serve` to a healthy server, and to the first content in a browser with an empty cache."""

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser

from benchmarks.browsing.watching import summary
from tests.browser import driving


def measure(browser: Browser, study: Path, folder: Path, count: int) -> dict[str, Any]:
    """Seconds of `count` starts; the first content is the heading of the page Overview."""
    starts = [_start(browser, study, folder / "serve.log") for _ in range(count)]
    health, content = zip(*starts, strict=True)
    return {
        "process_to_healthy_s": _seconds(health),
        "healthy_to_content_s": _seconds([second - first for first, second in starts]),
        "process_to_content_s": _seconds(content),
    }


def _start(browser: Browser, study: Path, log: Path) -> tuple[float, float]:
    """Seconds to the healthy server and to the first content."""
    port = driving.free_port()
    command = [sys.executable, "-m", "seqsae_core", "serve", str(study), "--port", str(port)]
    context, began = browser.new_context(viewport=driving.SIZE), time.monotonic()
    with log.open("w") as out:
        child = subprocess.Popen(
            command, cwd=driving.ROOT, env=os.environ | {"SEQSAE_NO_BROWSER": "1"}, stdout=out, stderr=out
        )
    try:
        driving.wait_until_up(child, port, log)
        healthy = time.monotonic()
        page = context.new_page()
        page.goto(f"http://localhost:{port}", wait_until="commit")
        page.locator("h1").first.wait_for(timeout=1000 * driving.PATIENCE)
        return healthy - began, time.monotonic() - began
    finally:
        context.close()
        child.terminate()
        child.wait(timeout=20)


def _seconds(values: Any) -> dict[str, float]:
    """As `summary`, in seconds."""
    return {name: value if name == "n" else round(value / 1000, 2) for name, value in
            summary([1000 * value for value in values]).items()}  # fmt: skip
