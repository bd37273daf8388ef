"""The container's files: what they copy is there, what they run is understood, what they ask for health answers."""

import json
import re
import shlex
from pathlib import Path

from seqsae_core import __main__ as command_line

ROOT = Path(__file__).resolve().parents[1]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
COMPOSE = (ROOT / "compose.yaml").read_text()


def instructions(name: str) -> list[str]:
    """Arguments of every instruction of a name, continued lines joined."""
    return re.findall(rf"^{name} (.*)$", DOCKERFILE.replace("\\\n", " "), re.MULTILINE)


def test_what_is_copied_is_there_and_not_ignored():
    kept = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = {word for line in instructions("COPY") for word in shlex.split(line)[:-1] if not word.startswith("--")}
    assert copied == kept
    assert all((ROOT / name).exists() for name in copied)


def test_the_command_is_understood_and_listens_where_the_port_is_published():
    (entry,), (command,) = instructions("ENTRYPOINT"), instructions("CMD")
    assert json.loads(entry) == ["python", "-m", "seqsae_core"]
    options = command_line._parser().parse_args(json.loads(command))
    (port,) = instructions("EXPOSE")
    assert (options.host, options.port, options.build) == ("0.0.0.0", int(port), True)
    assert f"127.0.0.1:{port}:{port}" in COMPOSE
    assert options.out.parent == Path("studies") and instructions("VOLUME") == ["/app/studies"]
    assert "studies:/app/studies" in COMPOSE


def test_health_is_asked_at_the_port_that_is_served():
    (asked,), (port,) = instructions("HEALTHCHECK"), instructions("EXPOSE")
    assert f"http://localhost:{port}/_stcore/health" in asked
