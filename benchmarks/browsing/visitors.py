"""Sessions without a browser that steer as people do: a turn of the slider, a look, now and then another user.

They speak Streamlit's own messages over a websocket: a page is asked for as a browser asks, and a turn sends what the
slider's component sends on release, to be answered by a run of its fragment.
"""

import json
import random
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import ClientConnection, connect

from benchmarks.faults.sessions import PATIENCE

COMPONENT = "seqsae_steering"
PAUSES, TURNS_A_USER = (1.0, 2.0), 8


@dataclass
class Slider:
    """What the last list of a session said, and what asks for the next one."""

    script: str = ""
    element: str = ""
    fragment: str = ""
    keys: list[str] = field(default_factory=list)
    limit: float = 0.0
    serial: int = 0
    released: dict = field(default_factory=dict)


class Visitor:
    """One session on the page Steer. Raises RuntimeError where a run fails or a list does not come."""

    def __init__(self, address: str, seed: int, latents: list[int], users: int):
        self.draw, self.latents, self.users = random.Random(seed), latents, users
        self.address, self.slider, self.turns = address, Slider(), 0

    def connected(self) -> ClientConnection:
        """The session's websocket; close it to end the session."""
        stream = self.address.replace("http", "ws") + "/_stcore/stream"
        return connect(stream, origin=self.address, subprotocols=["streamlit"], max_size=None)

    def step(self, socket: ClientConnection) -> float:
        """Another user, or mostly a turn; milliseconds from the question to the end of the run."""
        began, self.turns = time.monotonic(), self.turns + 1
        page = self.turns % TURNS_A_USER == 1
        lists = self._page(socket) if page else self._turn(socket)
        if lists == 0:
            raise RuntimeError("a run came without a list")
        took = 1000 * (time.monotonic() - began)
        if not page:
            self._settled(socket)
        return took

    def _page(self, socket: ClientConnection) -> int:
        edits = f"{self.draw.choice(self.latents)}:{self.draw.uniform(-4, 4):.2f}"
        message = BackMsg()
        message.rerun_script.page_name = "steer"
        message.rerun_script.query_string = f"user={self.draw.randrange(self.users)}&edits={edits}"
        return self._answered(socket, message)

    def _turn(self, socket: ClientConnection) -> int:
        slider = self.slider
        strength = round(self.draw.uniform(-slider.limit, slider.limit), 1)
        slider.serial += 1
        slider.released = {"serial": slider.serial, "edits": [[key, strength] for key in slider.keys]}
        return self._answered(socket, self._of_slider())

    def _settled(self, socket: ClientConnection) -> int:
        """Says that the list is painted, as the component does: the rest of the page runs."""
        message = self._of_slider()
        trigger = message.rerun_script.widget_states.widgets.add()
        trigger.id = f"$$STREAMLIT_INTERNAL_KEY_{self.slider.element}__events"
        trigger.json_trigger_value = json.dumps([{"event": "settled", "value": self.slider.serial}])
        return self._answered(socket, message)

    def _of_slider(self) -> BackMsg:
        """A message of the slider's component, with what it released last."""
        message = BackMsg()
        message.rerun_script.page_script_hash = self.slider.script
        message.rerun_script.fragment_id = self.slider.fragment
        state = message.rerun_script.widget_states.widgets.add()
        state.id, state.json_value = self.slider.element, json.dumps({"released": self.slider.released})
        return message

    def _answered(self, socket: ClientConnection, message: BackMsg) -> int:
        """Sends, waits for the end of the run, keeps what the next turn needs; the number of lists that came."""
        socket.send(message.SerializeToString())
        return sum(self._kept(one) for one in _until_finished(socket))

    def _kept(self, message: ForwardMsg) -> bool:
        kind, element = message.WhichOneof("type"), message.delta.new_element
        if kind == "new_session":
            self.slider.script = message.new_session.page_script_hash
        if element.WhichOneof("type") == "exception":
            raise RuntimeError(f"{element.exception.type}: {element.exception.message}")
        if element.bidi_component.component_name != COMPONENT:
            return False
        found, data = element.bidi_component, json.loads(element.bidi_component.json)
        self.slider.element, self.slider.fragment = found.id, message.delta.fragment_id
        self.slider.keys = [slider["key"] for slider in data["sliders"]]
        self.slider.limit = min(slider["high"] for slider in data["sliders"])
        return True


def _until_finished(socket: ClientConnection) -> Iterator[ForwardMsg]:
    """The messages of one run. Raises RuntimeError where it does not end well."""
    until = time.monotonic() + PATIENCE
    while True:
        message = ForwardMsg()
        message.ParseFromString(socket.recv(timeout=until - time.monotonic()))
        yield message
        if message.WhichOneof("type") == "script_finished":
            ended = ForwardMsg.ScriptFinishedStatus.Name(message.script_finished)
            if ended == "FINISHED_EARLY_FOR_RERUN":  # a callback asked for another part of the page
                continue
            if "SUCCESSFULLY" not in ended:
                raise RuntimeError(f"a run ended with {ended}")
            return


class Crowd:
    """Visitors at once, each in a thread, until they are told to leave."""

    def __init__(self, visitors: list[Visitor]):
        self.times, self.wrong, self._left = [], [], threading.Event()
        self._threads = [threading.Thread(target=self._visit, args=(visitor,)) for visitor in visitors]

    def __enter__(self) -> "Crowd":
        self.began = time.monotonic()
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._left.set()
        for thread in self._threads:
            thread.join()
        self.seconds = time.monotonic() - self.began

    def _visit(self, visitor: Visitor) -> None:
        try:
            with visitor.connected() as socket:
                while not self._left.is_set():
                    self.times.append(visitor.step(socket))
                    self._left.wait(visitor.draw.uniform(*PAUSES))
        except Exception as error:  # noqa: BLE001 - a session that breaks is a finding
            self.wrong.append(f"{type(error).__name__}: {error}")
