"""Sessions without a browser: Streamlit's own messages over a websocket, one page run after another.

Each session asks for the page Steer at another user, latent and strength every time, and waits until the run has ended;
what is timed is from the question to that message. An exception that a page would show is one of its messages.
"""

import math
import os
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import connect

PATIENCE = 180.0


@dataclass
class Seen:
    """Of many sessions: (seconds since the beginning, milliseconds) of each run, what went wrong, and how many live
    components came."""

    runs: list[tuple[float, float]] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    lists: int = 0


def steer(address: str, seed: int, latents: list[int], users: int, until: float, seen: Seen, began: float) -> None:
    """One session, until a time (of time.monotonic()). Appends to `seen`, which threads share."""
    draw = random.Random(seed)
    stream = address.replace("http", "ws") + "/_stcore/stream"
    try:
        with connect(stream, origin=address, subprotocols=["streamlit"], max_size=None) as socket:
            while time.monotonic() < until:
                edits = f"{draw.choice(latents)}:{draw.uniform(-4, 4):.2f}"
                sent = time.monotonic()
                ask(socket, "steer", f"user={draw.randrange(users)}&edits={edits}")
                answer(socket, seen)
                seen.runs.append((sent - began, 1000 * (time.monotonic() - sent)))
    except Exception as error:  # noqa: BLE001 - a session that breaks is a finding
        seen.wrong.append(f"session {seed}: {type(error).__name__}: {error}")


def ask(socket, page: str, query: str) -> None:
    """Asks for one run of a page at an address."""
    message = BackMsg()
    message.rerun_script.page_name, message.rerun_script.query_string = page, query
    socket.send(message.SerializeToString())


def answer(socket, seen: Seen) -> int:
    """Waits for the end of the run; the number of messages. Raises TimeoutError after PATIENCE seconds."""
    until, count = time.monotonic() + PATIENCE, 0
    while True:
        message = ForwardMsg()
        message.ParseFromString(socket.recv(timeout=until - time.monotonic()))
        count += 1
        if message.WhichOneof("type") == "script_finished":
            if message.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY:
                return count
            seen.wrong.append(f"run ended with {message.script_finished}")
            return count
        element = message.delta.new_element
        if element.WhichOneof("type") == "exception":
            seen.wrong.append(f"{element.exception.type}: {element.exception.message}")
        elif element.WhichOneof("type") == "bidi_component":
            seen.lists += 1


def together(count: int, work: Callable[[int], None]) -> None:
    """Runs `work(i)` in so many threads at once, and waits for all."""
    threads = [threading.Thread(target=work, args=(i,)) for i in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def p95(milliseconds: list[float]) -> float | None:
    """The 95th percentile (nearest rank), None of nothing."""
    return sorted(milliseconds)[math.ceil(0.95 * len(milliseconds)) - 1] if milliseconds else None


def memory(pid: int) -> float:
    """MiB that a process holds, its share of pages that others hold too (Linux)."""
    of = Path(f"/proc/{pid}")
    lines = [*(of / "smaps_rollup").read_text().splitlines(), *(of / "status").read_text().splitlines()]
    found = next(line for line in lines if line.startswith(("Pss:", "VmRSS:")))
    return int(found.split()[1]) / 1024


def processor(pid: int) -> float:
    """Seconds that a process has computed so far, in all its threads (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
