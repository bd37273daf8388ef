"""Latents and neurons compared in plain words: two figures, always together, and what they allow one to say."""

from typing import Any

import streamlit as st

from seqsae_core.dashboard.widgets import fixed, interval, missing, tiles
from seqsae_core.figures.contest import NEW, SAME


def words(summary: dict[str, Any]) -> None:
    """Both figures and what each means."""
    latents, neurons = summary["latents"], summary["neurons"]
    same, new = differences(summary)
    st.markdown(
        f"**Same items.** Over {latents['concepts']} concepts the best latent correlates "
        f"**{fixed(latents[SAME])}** with its concept, "
        f"the best neuron **{fixed(neurons[SAME])}**{_ratio(latents[SAME], neurons[SAME])}. "
        f"Difference {difference(same)}: {verdict(same)}."
    )
    st.markdown(
        f"**New items.** Chosen on one half of the items and scored on the other: **{fixed(latents.get(NEW))}** and "
        f"**{fixed(neurons.get(NEW))}**. Difference {difference(new)}: {verdict(new)}."
    )
    st.caption(comment(summary))


def figure_tiles(summary: dict[str, Any]) -> None:
    """Both figures of latents and neurons, and both differences, as tiles side by side."""
    latents, neurons = summary["latents"], summary["neurons"]
    same, new = differences(summary)
    about_same = "Held-out users, items known from choosing the features."
    about_new = "Held-out users, and items that took no part in choosing the features: the sceptic's figure."
    tiles(
        [
            ("Latents, same items", fixed(latents[SAME]), interval(latents.get("ci95")), about_same),
            ("Neurons, same items", fixed(neurons[SAME]), interval(neurons.get("ci95")), about_same),
            (
                "Difference, same items",
                fixed(same.get("mean"), signed=True),
                interval(same.get("ci95"), signed=True),
                about_same,
            ),
        ]
    )
    tiles(
        [
            (
                "Latents, new items",
                fixed(latents.get(NEW)),
                interval(latents.get("ci95_new_items")),
                about_new,
            ),
            (
                "Neurons, new items",
                fixed(neurons.get(NEW)),
                interval(neurons.get("ci95_new_items")),
                about_new,
            ),
            (
                "Difference, new items",
                fixed(new.get("mean"), signed=True),
                interval(new.get("ci95"), signed=True),
                about_new,
            ),
        ]
    )


def differences(summary: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Latents minus neurons, on the same items and on new items; empty where not measured."""
    found = summary.get("difference", {}).get("latents_minus_neurons", {})
    return found.get("same_items") or {}, found.get("new_items") or {}


def difference(found: dict[str, Any]) -> str:
    """A difference with its interval."""
    return f"{fixed(found.get('mean'), signed=True)} ({interval(found.get('ci95'), signed=True)})"


def verdict(found: dict[str, Any]) -> str:
    """What the interval of a difference allows one to say."""
    bounds = found.get("ci95")
    if not bounds or any(missing(b) for b in bounds):
        return "without an interval nothing follows from it"
    if bounds[0] > 0:
        return "latents are ahead"
    return "neurons are ahead" if bounds[1] < 0 else "the interval includes 0, so neither is shown to be ahead"


def comment(summary: dict[str, Any]) -> str:
    """What the two differences allow one to say, and what speaks against it."""
    same, new = differences(summary)
    parts = (reading(same, new), breadth(same, new), equal_numbers(summary), seeds(summary))
    return " ".join(part for part in parts if part)


def reading(same: dict[str, Any], new: dict[str, Any]) -> str:
    """The two verdicts together."""
    ahead = [bool(d.get("ci95")) and not any(missing(b) for b in d["ci95"]) and d["ci95"][0] > 0 for d in (same, new)]
    if ahead == [True, True]:
        return "The lead holds on items that played no part in choosing the features."
    if ahead == [True, False]:
        return "Much of the lead on the same items may be items recognised, not concepts understood."
    return "This build does not show that latents name these concepts better than neurons do."


def breadth(same: dict[str, Any], new: dict[str, Any]) -> str:
    """On how many concepts latents are ahead."""
    if "of" not in same or "of" not in new:
        return ""
    return (
        f"Latents are ahead on {same['ahead']} of {same['of']} concepts on the same items, on {new['ahead']} of "
        f"{new['of']} on new ones."
    )


def equal_numbers(summary: dict[str, Any]) -> str:
    """What is left of the lead when only as many latents as neurons may compete."""
    ours, theirs = (summary[kind].get("mean_max_correlation_matched") for kind in ("latents", "neurons"))
    if missing(ours) or missing(theirs):
        return ""
    return (
        "There are more latents than neurons to choose from: the best among as many latents, drawn at random, would "
        f"reach {fixed(ours)} against {fixed(theirs)} on the same items."
    )


def seeds(summary: dict[str, Any]) -> str:
    """How many trainings of the dictionary the figures rest on."""
    n = summary.get("seeds", 1)
    return (
        f"Latents' figures are means over {n} trainings of the dictionary; intervals and differences are the first's."
        if n > 1
        else "One training of the dictionary; the extras re-train it with other seeds and show the means."
    )


def _ratio(a: float | None, b: float | None) -> str:
    return "" if missing(a) or missing(b) or b <= 0 else f" ({a / b:.2f} times)"
