"""Converting a checkpoint with the Python of its own library: a process, because the libraries' versions collide."""

import os
import subprocess
from pathlib import Path

from seqsae_core.errors import UserError

CONVERTERS = Path(__file__).resolve().parents[2] / "converters"
PREFIX, WITHOUT_PICKLES = "from_", ("gpt2",)


def libraries() -> list[str]:
    """Names of the libraries that there is a converter for."""
    return sorted(path.stem.removeprefix(PREFIX) for path in CONVERTERS.glob(f"{PREFIX}*.py"))


def convert(library: str, checkpoint: Path, folder: Path, python: Path, trust: bool) -> str:
    """Write `folder` from a checkpoint of a library, by its converter; returns what that says last.

    python: that of an environment with the library, torch and safetensors. Raises UserError without `trust` where
    the checkpoint is a pickle, for an unknown library, a Python or a checkpoint that is not there, and with what the
    converter complains of.
    """
    if library not in libraries():
        raise UserError(f"There is no converter for “{library}”. Choose one of: {', '.join(libraries())}.")
    if not trust and library not in WITHOUT_PICKLES:
        raise UserError(
            f"{checkpoint} holds a pickle, and reading it runs whatever is in it. Where you know who wrote it, say "
            f"--trust."
        )
    for path, what in ((python, "Python"), (checkpoint, "checkpoint")):
        if not path.exists():
            raise UserError(f"There is no {what} at {path}.")
    script = CONVERTERS / f"{PREFIX}{library}.py"
    command = [python.absolute(), "-W", "ignore", script, checkpoint.absolute(), folder.absolute(), "--trust"]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"PYTHONPATH": ""})
    if done.returncode:
        last = (done.stderr.strip() or done.stdout.strip() or "it said nothing").splitlines()[-1]
        raise UserError(f"{checkpoint} could not be converted: {last}")
    return done.stdout.strip().splitlines()[-1]
