"""Stop watches inside the page: from what a hand does to the change in the DOM that answers it, and to its frame."""

from typing import Any

import numpy as np
from playwright.sync_api import Page

from tests.browser import driving

PATIENCE = 1000 * driving.PATIENCE
ANSWERS = """() => {
  const seen = window.watched = { began: 0, ready: null, done: false, shown: 0, painted: 0, ended: 0 };
  const began = () => { if (!seen.began && seen.ready) seen.began = performance.now(); };
  for (const type of ['pointerup', 'input']) document.addEventListener(type, began, true);
  const idle = () => document.querySelector('[data-testid=stApp]').dataset.testScriptState === 'notRunning';
  const look = () => {
    if (!seen.began) return;
    if (!seen.shown && seen.ready()) {
      seen.shown = performance.now();
      requestAnimationFrame(() => requestAnimationFrame((now) => { seen.painted = now; }));
    }
    if (seen.shown && !seen.ended && idle()) seen.ended = performance.now();
  };
  new MutationObserver(look).observe(document.body, {
    childList: true, subtree: true, characterData: true, attributes: true, attributeFilter: ['data-test-script-state'],
  });
  window.watchFor = (ready) => Object.assign(seen, { began: 0, ready, shown: 0, painted: 0, ended: 0 });
}"""
STEPS = {"dom": "shown", "painted": "painted", "run_ended": "ended"}


def install(page: Page) -> None:
    """Watches a page from now on; once a document."""
    page.evaluate(ANSWERS)


def wait_for(page: Page, ready: str) -> None:
    """What answers the next click or letter: a JavaScript expression that is true once the answer is in the DOM."""
    page.evaluate(f"() => {{ window.watchFor(() => {ready}); }}")


def took(page: Page, within: float = PATIENCE) -> dict[str, float]:
    """Milliseconds from that click or letter to the answer in the DOM, to its frame, and to the end of the run.

    Raises TimeoutError (Playwright's) where none comes within so many milliseconds.
    """
    page.wait_for_function("() => window.watched.painted && window.watched.ended", timeout=within)
    seen = page.evaluate("() => window.watched")
    return {name: seen[step] - seen["began"] for name, step in STEPS.items()}


def summaries(times: list[dict[str, float]]) -> dict[str, Any]:
    """Of each step the number of values, median, 95th percentile and largest."""
    return {f"to_{name}_ms": summary([one[name] for one in times]) for name in times[0]}


def summary(values: list[float]) -> dict[str, float]:
    """Number of values, median, 95th percentile, largest."""
    p50, p95 = np.percentile(values, [50, 95])
    return {"n": len(values), "p50": round(p50, 1), "p95": round(p95, 1), "max": round(max(values), 1)}
