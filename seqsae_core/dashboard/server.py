"""The dashboard's server, which `serve` starts: `python -m seqsae_core.dashboard.server HOST PORT`.

It is Streamlit's, with the code read ahead and the style in place. With `streamlit run app.py` the first run of a page
imports pandas, plotly and the rest, a second of work that a browser waits for, and each page first comes in Streamlit's
own layout, then jumps to ours.
"""

import gc
import logging
import sys
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from streamlit.starlette import App

HERE = Path(__file__).parent
SCRIPT = HERE.parents[1] / "app.py"
FIRST = ("streamlit.starlette", "streamlit.web.bootstrap", "streamlit.web.server.starlette.starlette_server", "uvicorn")
CACHES = "streamlit.runtime.caching.cache_data_api"
QUIET = {"server.headless": True, "logger.hideWelcomeMessage": True, "logger.level": "warning"}


def main(host: str, port: str) -> None:
    """Runs the server until it is told to end."""
    read_ahead()
    sys.argv = [str(SCRIPT)]  # where Streamlit looks for what it imports
    dashboard().run(config={"server.address": host, "server.port": int(port), **QUIET})


def dashboard() -> "App":
    """The dashboard as an ASGI application: Streamlit's, but for the HTML that its pages start from."""
    from starlette.responses import HTMLResponse
    from starlette.routing import Route
    from streamlit import config
    from streamlit.starlette import App

    from seqsae_core.dashboard.navigation import ENTRIES

    html = styled()

    async def page(_: object) -> HTMLResponse:
        return HTMLResponse(html, headers={"Cache-Control": "no-cache"})

    base = "/".join(["", *filter(None, config.get_option("server.baseUrlPath").split("/"))])
    return App(SCRIPT, routes=[Route(f"{base}/{key}", page) for key in ("", *(entry.key for entry in ENTRIES))])


def styled() -> str:
    """Streamlit's HTML with our style in its head. Nested one deeper, its rules win over Streamlit's own, which come
    later but weigh less. Raises RuntimeError where that HTML has no head."""
    from streamlit.file_util import get_static_dir

    from seqsae_core.dashboard.navigation import STYLE

    html = (Path(get_static_dir()) / "index.html").read_text(encoding="utf-8")
    style = f"<style>:root {{\n{STYLE.read_text(encoding='utf-8')}}}</style>\n</head>"
    if html.count("</head>") != 1:
        raise RuntimeError("Streamlit's page has no head that a style could stand in. Install requirements.lock.")
    return html.replace("</head>", style)


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
    with suppress(KeyboardInterrupt):  # of a terminal, which `serve` gets too and answers
        main(*sys.argv[1:])
