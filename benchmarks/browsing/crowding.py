"""One browser and four scripted sessions beside it, and what the server holds: in the crowd, and after many reruns."""

from pathlib import Path
from typing import Any

from playwright.sync_api import Browser

from benchmarks.browsing import sliding
from benchmarks.browsing.visitors import PAUSES, TURNS_A_USER, Crowd, Visitor
from benchmarks.browsing.watching import summary
from benchmarks.faults.sessions import memory
from seqsae_core.study import Study
from tests.browser import driving

BESIDE, LATENTS, USERS = 4, 20, 1000
WARM, ROUNDS = 200, 10


def crowd(browser: Browser, study: Path, folder: Path, count: int) -> dict[str, Any]:
    """`count` releases in the browser while four sessions steer; the server's memory at the end."""
    with driving.dashboard(study, folder / "dashboard.log") as address:
        beside = Crowd([_visitor(study, address, seed) for seed in range(BESIDE)])
        with beside:
            found = sliding.reported(sliding.turns(browser.new_page(viewport=driving.SIZE), address, count))
            held = memory(address.pid)
    sessions = {
        "number": BESIDE, "seconds_between_turns": PAUSES, "turns_a_user": TURNS_A_USER, "wrong": beside.wrong,
        "runs": len(beside.times), "runs_a_second": round(len(beside.times) / beside.seconds, 2),
        "question_to_end_of_run_ms": summary(beside.times),
    }  # fmt: skip
    return {"beside_the_sessions": found, "sessions": sessions, "server_mib": round(held)}


def growth(browser: Browser, study: Path, folder: Path, count: int) -> dict[str, Any]:
    """What the server holds after `count` reruns of one session without pauses, beyond what it held before them."""
    with driving.dashboard(study, folder / "dashboard.log") as address:
        visitor, sizes = _visitor(study, address, 0), []
        with visitor.connected() as socket:
            for _ in range(WARM):
                visitor.step(socket)
            for turn in range(count + 1):
                if turn % max(1, count // ROUNDS) == 0:
                    sizes.append(memory(address.pid))
                visitor.step(socket)
    return {
        "reruns": count, "reruns_before": WARM, "server_mib": [round(size, 1) for size in sizes],
        "growth_mib": round(sizes[-1] - sizes[0], 1),
    }  # fmt: skip


def _visitor(study: Path, address: str, seed: int) -> Visitor:
    """One who turns the latents that move lists most, for some of the users."""
    opened = Study.open(study)
    latents = opened.effects().sort_values("effect", ascending=False)["latent"].head(LATENTS).tolist()
    return Visitor(address, seed, latents, min(USERS, len(opened.sequences())))
