"""The dashboard's process: addresses, ports, what is said, and that nothing outlives it."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from seqsae_core import serving
from seqsae_core.errors import UserError
from seqsae_core.serving import ROOT, address, environment, exposure, free_port, may_open_browser, serve
from seqsae_core.study import Study


@pytest.fixture
def taken():
    """A port that somebody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def test_a_free_port_is_taken_as_asked(taken):
    port = free_port("localhost", taken) + 1
    assert free_port("localhost", port) >= port


def test_a_port_in_use_gives_the_next_free_one(taken):
    assert taken < free_port("localhost", taken) <= taken + serving.PORTS_TRIED


@pytest.mark.parametrize(
    ("host", "port", "message"),
    [
        ("localhost", 0, "Port 0 does not exist"),
        ("localhost", 70000, "Port 70000 does not exist"),
        ("no such host", 8501, "Check --host"),
        ("192.0.2.1", 8501, "Cannot listen on 192.0.2.1"),
    ],
)
def test_an_address_that_cannot_be_used_is_named(host, port, message):
    with pytest.raises(UserError, match=message):
        free_port(host, port)


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("localhost", "http://localhost:80"),
        ("0.0.0.0", "http://localhost:80"),
        ("::1", "http://[::1]:80"),
        ("10.0.0.7", "http://10.0.0.7:80"),
    ],
)
def test_url(host, url):
    assert address(host, 80) == url


def test_only_other_hosts_come_with_a_warning():
    assert exposure("localhost", 8501) == exposure("127.0.0.1", 8501) == ""
    assert "no password" in exposure("0.0.0.0", 8501)


def test_the_dashboard_is_told_the_study(tmp_path):
    inside = environment(ROOT / "studies" / "films")
    assert (inside["SEQSAE_STUDIES"], inside["SEQSAE_STUDY"]) == ("studies", "films")
    outside = environment(tmp_path / "books")
    assert (outside["SEQSAE_STUDIES"], outside["SEQSAE_STUDY"]) == (str(tmp_path), "books")


def test_the_dashboard_has_few_arenas_unless_told_otherwise(tmp_path, monkeypatch):
    monkeypatch.delenv("MALLOC_ARENA_MAX", raising=False)
    assert environment(tmp_path)["MALLOC_ARENA_MAX"] == "2"
    monkeypatch.setenv("MALLOC_ARENA_MAX", "7")
    assert environment(tmp_path)["MALLOC_ARENA_MAX"] == "7"


@pytest.mark.parametrize(
    ("variables", "expected"),
    [({}, False), ({"DISPLAY": ":0"}, True), ({"DISPLAY": ":0", "SEQSAE_NO_BROWSER": "1"}, False)],
)
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="screens are announced so on Linux only")
def test_a_browser_is_opened_only_where_there_is_a_screen(variables, expected, monkeypatch):
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "SEQSAE_NO_BROWSER", "CI"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert may_open_browser() is expected


def test_nothing_to_show_names_the_command_that_makes_it(tmp_path):
    with pytest.raises(UserError, match=r"serve .*nowhere --build"):
        serve(tmp_path / "nowhere")


def test_a_build_that_cannot_begin_ends_the_command(tmp_path, monkeypatch):
    def nothing_to_read():
        raise UserError("No data at nowhere.csv.")

    monkeypatch.setenv("SEQSAE_NO_BROWSER", "1")
    with pytest.raises(UserError, match=r"No data at nowhere\.csv"):
        serve(tmp_path / "new", port=8600, build=nothing_to_read)


DRIVER = """
import sys
from pathlib import Path
from seqsae_core.serving import serve
def build():
    {build}
serve(Path(sys.argv[1]), port=int(sys.argv[2]), build=build)
"""


def listen_to_ctrl_c() -> None:
    """A suite started in the background passes an ignored SIGINT on to its children."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_the_dashboard_answers_outlives_a_failed_build_and_ends_with_the_command(tmp_path, how):
    Study.create(tmp_path / "films", {})
    port = free_port("localhost", 8650)
    code = DRIVER.format(build="raise RuntimeError('disk full')")
    command = [sys.executable, "-c", code, str(tmp_path / "films"), str(port)]
    process = subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, "SEQSAE_NO_BROWSER": "1"}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=listen_to_ctrl_c, start_new_session=True,
    )  # fmt: skip
    try:
        wait_until(lambda: answers(port), "the dashboard never answered")
        os.killpg(process.pid, how)  # as a terminal does
        out, err = process.communicate(timeout=30)
    finally:
        process.kill()
    assert process.returncode == 0
    assert f"Dashboard: http://localhost:{port}" in out
    assert "The build stopped: RuntimeError: disk full" in err
    assert "Traceback" not in err
    wait_until(lambda: not answers(port), "the dashboard outlived its command")


def answers(port: int) -> bool:
    try:
        return urllib.request.urlopen(f"http://localhost:{port}/_stcore/health", timeout=2).status == 200
    except (urllib.error.URLError, OSError):
        return False


def wait_until(condition, message: str) -> None:
    for _ in range(600):
        if condition():
            return
        time.sleep(0.1)
    pytest.fail(message)


def test_the_server_is_started_where_its_settings_are():
    assert (ROOT / "app.py").is_file() and (ROOT / ".streamlit" / "config.toml").is_file()
    assert Path(serving.__file__).is_relative_to(ROOT)
