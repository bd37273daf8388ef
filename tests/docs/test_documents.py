"""What the documents say is true: commands, folders, links, code; and nothing in them is one machine's."""

import argparse
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from seqsae_core import __main__ as command_line
from seqsae_core.config import PRESETS
from seqsae_core.metrics import EVIDENCE_FIGURES, SAE_FIGURES, STEERING_FIGURES, TESTED
from seqsae_core.store import DICTIONARY_STAGES, SHARED_STAGES

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md"), *(ROOT / "assets").rglob("*.md")])
README = (ROOT / "README.md").read_text()
TREE_LINE = re.compile(r"^(?P<indent> *)(?P<name>[\w./]+)(?: {2,}\S.*)?$")


def blocks(text: str, language: str) -> list[str]:
    """Contents of the fenced code blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def commands() -> list[str]:
    """Command lines of README without their remarks."""
    lines = [line.split("#")[0].strip() for block in blocks(README, "sh") for line in block.splitlines()]
    inline = re.findall(r"`((?:make|python -m) [^`]+)`", README)
    return sorted({line for line in lines + inline if line})


def targets() -> set[str]:
    """Targets of the Makefile that a person may call."""
    return set(re.findall(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)[0].split())


@pytest.mark.parametrize("command", commands())
def test_every_command_in_readme_is_understood(command):
    words = shlex.split(command)
    if words[0] == "make":
        assert words[1] in targets()
        return
    assert words[:3] == ["python", "-m", "seqsae_core"]
    options = command_line._parser().parse_args(words[3:])
    assert callable(options.run)
    assert getattr(options, "preset", "default") in PRESETS


def test_readme_shows_every_command_and_preset():
    verbs = next(
        a for a in command_line._parser()._actions if isinstance(a, argparse._SubParsersAction)
    ).choices
    assert not [verb for verb in verbs if f"python -m seqsae_core {verb}" not in README]
    assert not [name for name in PRESETS if f"`{name}`" not in README]


def tree() -> list[Path]:
    """Paths in README's folder tree."""
    paths, folder = [], ROOT
    for line in blocks(README, "text")[0].splitlines():
        found = TREE_LINE.match(line)
        assert found, f"not a line of a folder tree: {line}"
        folder = folder if found["indent"] else ROOT
        paths.append(folder / found["name"])
        folder = paths[-1] if found["name"].endswith("/") and not found["indent"] else folder
    return paths


def test_every_folder_and_file_of_the_tree_is_there():
    assert not [str(p.relative_to(ROOT)) for p in tree() if not p.exists()]


def test_the_tree_leaves_no_folder_out():
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True).stdout
    if not tracked:
        pytest.skip("not a git checkout: there is no list of the project's own files")
    folders = {Path(f).parts[0] for f in tracked.splitlines() if "/" in f and not f.startswith(".")}
    rooms = {Path(f).parts[1] for f in tracked.splitlines() if re.match(r"seqsae_core/[^/]+/", f)}
    named = {p.relative_to(ROOT).as_posix() for p in tree()}
    assert folders - {"benchmarks"} <= named
    assert {f"seqsae_core/{room}" for room in rooms} <= named


def links() -> list[tuple[Path, str]]:
    """Relative links of all documents."""
    link = re.compile(r"\]\(([^)]+)\)")
    found = [(path, target) for path in DOCUMENTS for target in link.findall(path.read_text())]
    return [(path, target) for path, target in found if not target.startswith("http")]


@pytest.mark.parametrize(("path", "target"), links(), ids=str)
def test_every_relative_link_resolves(path, target):
    assert (path.parent / target.split("#")[0]).exists()


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda p: str(p.relative_to(ROOT)))
def test_no_document_holds_one_machines_paths_or_hosts(path):
    text = path.read_text()
    assert not re.findall(r"(?<![\w.])/(?:home|root|Users|work|tmp|opt|mnt)/", text)
    hosts = set(re.findall(r"https?://([^/\s)]+)", text))
    assert hosts <= {"arxiv.org"}


def test_method_defines_every_quoted_figure():
    method = (ROOT / "docs" / "METHOD.md").read_text().lower()
    figures = {*SAE_FIGURES, *EVIDENCE_FIGURES, *STEERING_FIGURES, *TESTED}
    assert not [name for name in figures if name not in method]


def test_architecture_names_every_stage():
    folders = blocks((ROOT / "docs" / "ARCHITECTURE.md").read_text(), "text")[1]
    assert not [stage for stage in (*SHARED_STAGES, *DICTIONARY_STAGES) if f" {stage}/" not in folders]


def run_example(code: str, study: Path) -> dict:
    """Names that a Python block of README leaves behind, on another study."""
    assert '"studies/movietweetings"' in code
    names: dict = {}
    exec(compile(code.replace('"studies/movietweetings"', repr(str(study))), "README.md", "exec"), names)
    return names


def test_the_python_example_runs(tiny_study, capsys):
    (example,) = blocks(README, "python")
    assert len(run_example(example, tiny_study)["latents"]) == 64
    assert capsys.readouterr().out.count("score") == 2
