"""The dashboard as a child process, beside an optional build in this one."""

import errno
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import webbrowser
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from seqsae_core.commands import serve_command
from seqsae_core.errors import UserError
from seqsae_core.progress import read
from seqsae_core.store import PROGRESS, Store

ROOT = Path(__file__).resolve().parents[1]
LOCAL = ("localhost", "127.0.0.1", "::1")
EVERYWHERE = ("", "0.0.0.0", "::")  # noqa: S104 - compared with, never listened on by default
PORTS_TRIED = 50
PATIENCE = 60.0
ARENAS = "2"


def serve(
    folder: Path, host: str = "localhost", port: int = 8501, build: Callable[[], object] | None = None
) -> None:
    """Open the dashboard on the study at `folder`, run `build` meanwhile, and stay until Ctrl-C.

    A build that fails leaves the dashboard up. Raises UserError when there is nothing to show, the address
    cannot be used, or the dashboard ends by itself.
    """
    folder = Path(folder)
    if build is None and not Store.exists(folder):
        raise UserError(f"No study at {folder}. Build and open it: `{serve_command(folder)}`.")
    chosen = free_port(host, port)
    if chosen != port:
        print(f"Port {port} is taken; using {chosen}.")
    url = address(host, chosen)
    print(f"Dashboard: {url}\n{exposure(host, chosen)}Ctrl-C ends it.", flush=True)
    with _terminated_like_ctrl_c(), _dashboard(folder, host, chosen) as child:
        if may_open_browser():
            threading.Thread(target=_open_when_ready, args=(url, host, chosen), daemon=True).start()
        if build is not None:
            _build_beside(folder, build)
        _until_ctrl_c(child)


def free_port(host: str, port: int) -> int:
    """The first free port from `port` on. Raises UserError when none is, or the address cannot be used."""
    if not 0 < port < 65536:
        raise UserError(f"Port {port} does not exist: choose one from 1024 to 65535 with --port.")
    last = min(port + PORTS_TRIED, 65536)
    found = next((p for p in range(port, last) if _is_free(host, p)), None)
    if found is None:
        raise UserError(f"Ports {port} to {last - 1} are all taken: choose another with --port.")
    return found


def address(host: str, port: int) -> str:
    """The URL to open on this machine."""
    name = "localhost" if host in EVERYWHERE else host
    return f"http://[{name}]:{port}" if ":" in name else f"http://{name}:{port}"


def exposure(host: str, port: int) -> str:
    """What listening on this host lets others do; empty for this machine only."""
    if host in LOCAL:
        return ""
    return (
        f"Listening on {host}: whoever can reach port {port} of this machine can read every study beside "
        "this one, write reviews and scenarios, start extras and sweeps, and send files and build studies from them. "
        "There is no password, and nothing is encrypted. "
        "Leave out --host to keep the dashboard to this machine.\n"
    )


def environment(folder: Path) -> dict[str, str]:
    """The environment that tells the dashboard which study to open; paths inside the project stay short.

    Each run of a page is a thread: with an arena of glibc's for most of them, memory that pages gave back stays apart.
    """
    folder = folder.resolve()
    parent = folder.parent
    studies = parent.relative_to(ROOT) if parent.is_relative_to(ROOT) else parent
    return {"MALLOC_ARENA_MAX": ARENAS, **os.environ, "SEQSAE_STUDIES": str(studies), "SEQSAE_STUDY": folder.name}


def may_open_browser() -> bool:
    """Whether a browser may be opened: there is a screen, and nobody said no ($SEQSAE_NO_BROWSER)."""
    if os.environ.get("SEQSAE_NO_BROWSER") or os.environ.get("CI"):
        return False
    screen = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    return bool(screen) or not sys.platform.startswith("linux")


def _is_free(host: str, port: int) -> bool:
    try:
        places = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        raise UserError(f"There is no address {host}: {error.strerror}. Check --host.") from error
    errors = [_bind_error(family, where) for family, _, _, _, where in places]
    if errno.EADDRINUSE in errors:
        return False
    if None not in errors:
        reason = os.strerror(errors[0])
        raise UserError(f"Cannot listen on {host}, port {port}: {reason}. Check --host and --port.")
    return True


def _bind_error(family: int, where: tuple) -> int | None:
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(where)
    except OSError as error:
        return error.errno
    return None


def command(host: str, port: int) -> list[str]:
    """What starts the dashboard's server."""
    return [sys.executable, "-m", "seqsae_core.dashboard.server", host, str(port)]


@contextmanager
def _dashboard(folder: Path, host: str, port: int) -> Iterator[subprocess.Popen]:
    """The Streamlit server; ended on leaving. Run from the project's root, where its settings are."""
    child = subprocess.Popen(
        command(host, port), cwd=ROOT, env=environment(folder), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )
    try:
        yield child
    finally:
        child.terminate()
        try:
            child.wait(5)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


@contextmanager
def _terminated_like_ctrl_c() -> Iterator[None]:
    """SIGTERM unwinds as Ctrl-C does, so that the server does not outlive this process."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _build_beside(folder: Path, build: Callable[[], object]) -> None:
    try:
        build()
    except UserError as error:
        if not Store.exists(folder) and read(folder / PROGRESS) is None:
            raise
        _say_stopped(str(error))
    except Exception as error:  # noqa: BLE001 - a failed build must not take the dashboard down
        _say_stopped(f"{type(error).__name__}: {error}")
    else:
        print(f"{folder} is complete. Ctrl-C ends the dashboard.", flush=True)


def _say_stopped(reason: str) -> None:
    print(
        f"\nThe build stopped: {reason}\n"
        "The dashboard stays open with what is built. To go on where the build stopped, press Ctrl-C and run "
        "the same command again.",
        file=sys.stderr, flush=True,
    )  # fmt: skip


def _until_ctrl_c(child: subprocess.Popen) -> None:
    try:
        status = child.wait()
    except KeyboardInterrupt:
        print("\nThe dashboard is closed.")
        return
    raise UserError(
        f"The dashboard ended by itself (status {status}); its reason stands above. Run the command again."
    )


def _open_when_ready(url: str, host: str, port: int) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        try:
            socket.create_connection((host or "localhost", port), timeout=1).close()
        except OSError:
            time.sleep(0.2)
        else:
            webbrowser.open(url)
            return
