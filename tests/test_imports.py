"""The rows of the design: who imports whom, who may use Streamlit and torch, what nobody may use."""

import ast
import inspect
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
CORE = ROOT / "seqsae_core"
SOURCES = sorted([ROOT / "app.py", *(ROOT / "pages").rglob("*.py"), *CORE.rglob("*.py")])

COMMON = {"checkpoint", "errors", "commands", "config", "device", "files", "locking", "log", "progress"}
SHARED = {"data", "recommender", "sae"}
STUDY = SHARED | {"adapters", "store", "study"}
BUILD = STUDY | {"interpret", "steering"}
ROWS = {
    "__init__": set(),
    "checkpoint": {"files"},
    "errors": set(),
    "commands": set(),
    "config": set(),
    "device": set(),
    "files": set(),
    "locking": set(),
    "log": set(),
    "progress": set(),
    "data": set(),
    "recommender": {"data"},
    "adapters": {"data", "recommender"},
    "sae": {"data", "recommender"},
    "interpret": SHARED,
    "manifest": set(),
    "steering": SHARED,
    "store": {"manifest"},
    "study": SHARED | {"adapters", "store"},
    "metrics": STUDY,
    "reviews": {"study"},
    "reports": {"study"},
    "export": STUDY | {"metrics", "reviews"},
    "build": BUILD | {"stages", "extras", "library"},
    "library": BUILD | {"build"},
    "stages": BUILD | {"extras"},
    "extras": BUILD,
    "sweep": BUILD | {"build"},
    "verify": BUILD | {"build", "stages"},
    "importing": BUILD | {"build", "sweep"},
    "figures": {"recommender", "study"},
    "serving": {"store"},
    "__main__": {
        "adapters", "build", "metrics", "export", "serving", "study", "sweep", "importing", "verify", "recommender",
        "reviews",
    },
    "dashboard": BUILD | {"build", "figures", "metrics", "export", "reports", "reviews", "serving"},
    "pages": BUILD | {"dashboard", "figures", "metrics", "export"},
    "app": {"dashboard"},
}
SLOW = ("torch", "umap", "sklearn", "numba")
WITHOUT_SLOW = ("study", "build", "metrics", "export", "progress", "serving")
QUICK = [f"seqsae_core.{name}" for name in WITHOUT_SLOW]
STEERER = {
    "asked", "displacement", "edits", "firing", "goals", "notation", "popularity", "reasons", "scenarios", "steerer",
    "tradeoff",
}  # fmt: skip
ON_STEERERS = {"asked", "firing", "goals", "popularity", "reasons", "tradeoff"}
INSIDE = {"hidden", "resume", "resume_last", "states", "scores", "codes", "item_vectors", "model", "sae"}
FORBIDDEN_MODULES = {"pickle", "cPickle", "dill", "cloudpickle", "shelve", "marshal", "joblib"}
FORBIDDEN_CALLS = {"eval", "exec"}
FORBIDDEN_WORDS = {"unsafe_allow_html", "allow_pickle"}
RAW_HTML = ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(")


def room(path: Path) -> str:
    """The row of a file: its folder or, directly in the package, its own name."""
    if path.is_relative_to(CORE):
        return path.relative_to(CORE).parts[0].removesuffix(".py")
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def imported(path: Path) -> Iterator[str]:
    """Dotted names of all that a file imports at run time, at module level or inside functions."""
    skipped = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            skipped |= {id(inner) for child in node.body for inner in ast.walk(child)}
        elif id(node) in skipped:
            continue
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are written in full"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_type_checking_blocks_are_not_imports(tmp_path):
    path = tmp_path / "sample.py"
    path.write_text("if TYPE_CHECKING:\n    import a\nelse:\n    import b\ndef f():\n    from c import d\n")
    assert set(imported(path)) == {"b", "c.d"}


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_room_imports_only_from_rooms_to_its_left(path):
    own = room(path)
    names = [name.split(".") for name in imported(path) if name.startswith("seqsae_core.")]
    rooms = {parts[1] for parts in names}
    assert rooms <= ROWS[own] | COMMON | {own}


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_only_app_pages_and_dashboard_import_streamlit(path):
    uses = any(name.split(".")[0] == "streamlit" for name in imported(path))
    assert not uses or room(path) in {"app", "pages", "dashboard"}


@pytest.mark.parametrize(
    "path", [p for p in SOURCES if room(p) in {"app", "pages", "dashboard"}], ids=lambda p: str(p.relative_to(ROOT))
)
def test_pages_steer_by_the_steerer_and_what_takes_one_alone(path):
    """Lists come from Steerer's methods and from functions on a Steerer; no page calls into a model or a dictionary."""
    calls = {n.func.attr for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.Call)
             and isinstance(n.func, ast.Attribute)}  # fmt: skip
    assert not calls & INSIDE
    names = [name.split(".") for name in imported(path)]
    assert {n[2] for n in names if n[:2] == ["seqsae_core", "steering"]} <= STEERER
    for module, name in ((n[2], n[3]) for n in names if n[1:2] == ["steering"] and len(n) > 3 and n[2] in ON_STEERERS):
        made = getattr(import_module(f"seqsae_core.steering.{module}"), name)
        taken = " ".join(str(p.annotation) for p in inspect.signature(made).parameters.values())
        models = ("SequenceModel", "Autoencoder", "Contexts", "Hidden")
        assert "Steerer" in taken or not any(kind in taken for kind in models), f"{module}.{name}"


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_nothing_unpickles_evaluates_or_renders_raw_html(path):
    tree = ast.parse(path.read_text())
    calls = {n.func.id for n in ast.walk(tree) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)}
    words = {n.arg for n in ast.walk(tree) if isinstance(n, ast.keyword) and ast.unparse(n.value) != "False"}
    attributes = {ast.unparse(n) for n in ast.walk(tree) if isinstance(n, ast.Attribute)}
    assert not {name.split(".")[0] for name in imported(path)} & FORBIDDEN_MODULES
    assert not calls & FORBIDDEN_CALLS
    assert not words & FORBIDDEN_WORDS
    assert not attributes & {"torch.load", "pd.read_pickle"}


@pytest.mark.parametrize("path", sorted(CORE.rglob("*.js")), ids=lambda p: p.name)
def test_scripts_set_text_only_and_fetch_nothing(path):
    text = path.read_text()
    assert not [word for word in RAW_HTML if word in text]
    assert not [line for line in text.splitlines() if line.lstrip().startswith("import ") or "fetch(" in line]


def modules(folder: Path) -> list[str]:
    """Dotted names of a package's modules."""
    found = (p.relative_to(ROOT).with_suffix("") for p in sorted(folder.rglob("*.py")))
    return [".".join(p.parts).removesuffix(".__init__") for p in found]


def loaded_by(names: list[str]) -> set[str]:
    """Top-level modules in a fresh interpreter that has imported these."""
    code = f"import sys, importlib; [importlib.import_module(n) for n in {names!r}]; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return {name.split(".")[0] for name in done.stdout.split()}


def test_nothing_before_the_first_paint_imports_torch():
    names = [*QUICK, *modules(CORE / "figures"), "seqsae_core.__main__", *modules(CORE / "dashboard")]
    assert not loaded_by(names) & set(SLOW)


def test_figures_and_the_build_need_no_streamlit():
    assert "streamlit" not in loaded_by([*QUICK, *modules(CORE / "figures")])


@pytest.mark.parametrize("path", sorted((ROOT / "pages").rglob("*.py")), ids=lambda p: p.name)
def test_pages_import_no_numerics_at_module_level(path):
    top = [n for n in ast.parse(path.read_text()).body if isinstance(n, ast.Import | ast.ImportFrom)]
    names = {n.module if isinstance(n, ast.ImportFrom) else n.names[0].name for n in top}
    heavy = ("torch", "umap", "sklearn", "seqsae_core.recommender", "seqsae_core.sae", "seqsae_core.steering")
    assert not {n for n in names if n.startswith(heavy)}
