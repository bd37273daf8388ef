"""Streamlit's server with the dashboard's code read ahead: `python -m seqsae_core.dashboard.server run app.py`.

It takes the options of `streamlit`. Otherwise the first run of a page would import pandas, plotly and the rest, a
second of work that a browser waits for.
"""

import gc
import logging
import sys
from contextlib import suppress
from importlib import import_module
from pathlib import Path

HERE = Path(__file__).parent
FIRST, CACHES = ("streamlit.web.cli",), "streamlit.runtime.caching.cache_data_api"


def main() -> None:
    """Runs the server until it is told to end."""
    read_ahead()
    sys.exit(import_module(FIRST[0]).main(prog_name="streamlit"))


def read_ahead() -> None:
    """Imports the server and the pages' modules. What fails here fails again on its page, which says so.

    Collections of garbage, which find none, would take a fifth of this time, and later look at all of it again.
    """
    gc.disable()
    for name in FIRST:
        import_module(name)
    caches = logging.getLogger(CACHES)
    level = caches.level
    caches.setLevel(logging.ERROR)  # they ask for the server's storage again when it is there
    for name in page_modules():
        with suppress(Exception):
            import_module(name)
    caches.setLevel(level)
    gc.freeze()
    gc.enable()


def page_modules() -> list[str]:
    """Dotted names of all other modules of the dashboard, which pages import, by name."""
    found = sorted(path.relative_to(HERE).with_suffix("").parts for path in HERE.rglob("*.py") if path.stem[0] != "_")
    return [".".join((__package__, *parts)) for parts in found if parts != (Path(__file__).stem,)]


if __name__ == "__main__":
    main()
