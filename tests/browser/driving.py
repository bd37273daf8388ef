"""The dashboard as a process of its own, and Chromium driven by hand: for browser tests and for the benchmark."""

import re
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import urlopen

from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, Playwright, WebSocketRoute
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from seqsae_core.serving import command, environment

ROOT = Path(__file__).resolve().parents[2]
NAMES = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = (
    "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update",
    "--disable-sync",
)  # fmt: skip
PATIENCE = 60.0
SIZE = {"width": 1440, "height": 900}
GO_ON = """(address) => {
  history.pushState(null, '', address);
  dispatchEvent(new PopStateEvent('popstate'));
}"""
PROBES = ("/_stcore/health", "/_stcore/host-config")


def chromium_path() -> str | None:
    """Where Chromium is, or None."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


def launch(playwright: Playwright, path: str) -> Browser:
    """A headless Chromium without anything that would call home."""
    return playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))


class Address(str):
    """The dashboard's address, and the number of its process."""

    __slots__ = ("pid",)

    def __new__(cls, text: str, pid: int) -> "Address":
        made = super().__new__(cls, text)
        made.pid = pid
        return made


@contextmanager
def dashboard(study: Path, log: Path, port: int | None = None) -> Iterator[Address]:
    """The server of `serve`, on a free port unless one is given, with `study` as its default; yields the address.
    `log`: what it prints."""
    port = port or free_port()
    told = environment(study) | {"OMP_NUM_THREADS": "1"}
    with log.open("w") as out:
        child = subprocess.Popen(
            command("localhost", port), cwd=ROOT, env=told, stdout=out, stderr=subprocess.STDOUT
        )
    try:
        wait_until_up(child, port, log)
        yield Address(f"http://localhost:{port}", child.pid)
    finally:
        child.terminate()
        child.wait(timeout=20)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        return int(probe.getsockname()[1])


def wait_until_up(child: subprocess.Popen, port: int, log: Path) -> None:
    """Waits until the dashboard is healthy. Raises RuntimeError, with what it printed, where it does not start."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and child.poll() is None:
        try:
            urlopen(f"http://localhost:{port}/_stcore/health", timeout=2).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"The dashboard did not start:\n{log.read_text()}")


@dataclass
class Complaints:
    """What a browser page complained about: errors in the console, exceptions, answers of 400 and above.

    Streamlit looks for its own address by asking below the page's first and gets 404 there; that is no complaint.
    """

    found: list[str] = field(default_factory=list)

    def listen(self, page: Page) -> None:
        """Collects from now on."""
        page.on("console", self._on_console)
        page.on("pageerror", lambda error: self.found.append(str(error)))
        page.on("response", lambda answer: self._add(str(answer.status), answer.url) if answer.status >= 400 else None)

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self._add(message.text, message.location["url"])

    def _add(self, text: str, url: str) -> None:
        if not url.endswith(PROBES):
            self.found.append(f"{text} ({url})")


def open_page(page: Page, address: str) -> None:
    """Opens an address and waits until its page has a heading and no script runs."""
    page.goto(address)
    page.locator("h1").first.wait_for(timeout=PATIENCE * 1000)
    settled(page)


class Tab:
    """A tab in which one goes on from page to page of a dashboard as Back does, which loads no script again.

    What the session has been told before still holds then.
    """

    def __init__(self, page: Page):
        self.page, self.runs = page, 0
        page.on("websocket", lambda socket: socket.on("framereceived", self._told))

    def visit(self, address: str) -> None:
        """Goes to an address and waits until its page has come."""
        runs = self.runs
        if urlsplit(self.page.url)[:2] == urlsplit(address)[:2]:
            self.page.evaluate(GO_ON, address)
        else:
            self.page.goto(address)
        until = time.monotonic() + PATIENCE
        while self.runs == runs:
            self.page.wait_for_timeout(20)
            if time.monotonic() > until:
                raise TimeoutError(f"no run of {address} has ended")
        settled(self.page)
        self.page.wait_for_selector("[data-stale=true]", state="detached")

    def _told(self, message: str | bytes) -> None:
        told = ForwardMsg.FromString(message) if isinstance(message, bytes) else ForwardMsg()
        ended = told.WhichOneof("type") == "script_finished"
        self.runs += ended and told.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY


def settled(page: Page) -> None:
    """Waits until no script runs."""
    page.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"]', timeout=PATIENCE * 1000)


def still_coming(page: Page) -> Callable[[], None]:
    """Keeps back from now on that runs have ended, so that pages seem to be still on their way; ends with a call."""
    held: list[Callable[[], None]] = []
    on = True

    def connected(browser: WebSocketRoute) -> None:
        def told(message: str | bytes) -> None:
            if on and ForwardMsg.FromString(message).WhichOneof("type") == "script_finished":
                held.append(partial(browser.send, message))
            else:
                browser.send(message)

        browser.connect_to_server().on_message(told)

    def end() -> None:
        nonlocal on
        on = False
        for send in held:
            send()

    page.route_web_socket(re.compile("_stcore/stream"), connected)
    return end


def scene_of(page: Page) -> Locator:
    """The live component, once its rows are there."""
    scene = page.locator(".steer")
    scene.locator(".after .row").first.wait_for(timeout=PATIENCE * 1000)
    return scene


def titles(page: Page, side: str) -> list[str]:
    """Titles of the list `before` or `after` as they are seen from the top, without rows on their way out."""
    rows = page.locator(f".steer .{side} .row:not(.leaving)")
    found = rows.evaluate_all(
        "rows => rows.map((row, i) => [Number(row.dataset.at ?? i), row.querySelector('.title').textContent])"
    )
    return [title for _, title in sorted(found)]


def thumb(page: Page, strength: float | None = None) -> tuple[float, float]:
    """Where the first slider's thumb is on the screen, or where it would be at a strength."""
    slider = page.locator(".steer input[type=range]").first
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    low, high, value = slider.evaluate("e => [+e.min, +e.max, +e.value]")
    share = ((value if strength is None else strength) - low) / (high - low)
    radius = box["height"] / 3
    return box["x"] + radius + share * (box["width"] - 2 * radius), box["y"] + box["height"] / 2


def drag(page: Page, strength: float, steps: int = 20) -> None:
    """Takes the first slider's thumb to a strength and holds it there."""
    (x, y), (to, _) = thumb(page), thumb(page, strength)
    page.mouse.move(x, y)
    page.mouse.down()
    for step in range(1, steps + 1):
        page.mouse.move(x + (to - x) * step / steps, y)


def release(page: Page) -> None:
    """Lets go and waits for the exact list."""
    serial = int(page.locator(".steer").get_attribute("data-serial"))
    page.mouse.up()
    page.wait_for_selector(f'.steer[data-serial="{serial + 1}"]', timeout=PATIENCE * 1000)
