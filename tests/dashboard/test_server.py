"""The server with the dashboard's code read ahead."""

import ast
import subprocess
import sys

import pytest

from seqsae_core.dashboard.navigation import ENTRIES, STYLE
from seqsae_core.dashboard.server import dashboard, styled
from tests.browser.driving import ROOT

CODE = """import gc, sys
from seqsae_core.dashboard.server import read_ahead
read_ahead()
print(gc.isenabled(), *sys.modules)"""


@pytest.fixture(scope="module")
def read() -> tuple[list[str], str]:
    """Modules that are there afterwards, the first word whether garbage is collected; and what was said meanwhile."""
    done = subprocess.run([sys.executable, "-c", CODE], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.split(), done.stderr


def test_what_pages_import_is_there_before_the_first_of_them_runs(read):
    trees = [ast.parse(path.read_text()) for path in (ROOT / "pages").glob("*.py")]
    nodes = [node for tree in trees for node in tree.body if isinstance(node, ast.ImportFrom)]
    named = {f"{node.module}.{alias.name}" for node in nodes for alias in node.names}
    wanted = {name for name in named if (ROOT / name.replace(".", "/")).with_suffix(".py").exists()}
    ours = {name for name in wanted if name.startswith("seqsae_core.dashboard.")}
    assert len(ours) > 10 and ours - set(read[0]) == set() and "streamlit.web.bootstrap" in read[0]


def test_what_takes_seconds_is_not(read):
    assert not {"torch", "scipy", "sklearn", "umap"} & set(read[0])


def test_garbage_is_collected_again_and_nothing_was_said(read):
    assert read[0][0] == "True" and read[1] == ""


def test_pages_start_from_streamlits_html_with_our_style_as_its_last_one():
    html = styled()
    assert html.rindex("<style>") < html.index(STYLE.read_text()) < html.index("</head>") < html.index("<body>")
    served = (ROOT / "app.py").resolve(), {route.path for route in dashboard()._user_routes}
    assert served == (dashboard().script_path, {"/", *(f"/{entry.key}" for entry in ENTRIES)})
