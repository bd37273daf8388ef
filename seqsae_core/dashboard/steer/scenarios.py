"""Turns under a name: saved in the study, opened, deleted, carried as a file or a link; and a few built-in examples."""

from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import streamlit as st

from seqsae_core.dashboard import permalink
from seqsae_core.dashboard.loading import Opened
from seqsae_core.dashboard.steer import concept_edits, mainstream
from seqsae_core.dashboard.steer.applying import apply, refuse, stamp
from seqsae_core.dashboard.steer.scene import Scene, fingerprint, steerable
from seqsae_core.dashboard.steer.turning import Turned
from seqsae_core.dashboard.widgets import plain
from seqsae_core.errors import UserError
from seqsae_core.steering.edits import Edit, ablate

if TYPE_CHECKING:
    from seqsae_core.steering.scenarios import Scenario

GEMS, LAST, EVENING, NONE = -2.0, -4.0, 4.0, "Horror"
SUPPRESSED = 0.1
FAMILY = ("Family", "Children's", "Children", "Animation")


def panel(opened: Opened, found: Scene, turned: Turned) -> None:
    """Save, open, delete, download, upload, share; the examples first."""
    _examples(opened, found)
    _saving(opened, found, turned)
    _saved(opened, found)
    _files(opened, found)
    st.caption("A link to what is turned now, this history included:")
    here = str(st.context.url or "steer").partition("?")[0]
    link = f"{here}?{urlencode(permalink.params(found.at(turned.edits)))}"
    st.code(link, language=None, wrap_lines=True)


def examples(opened: Opened) -> dict[str, tuple[Edit, ...] | None]:
    """Built-in scenarios that this study's concepts allow; None: the popularity dial, found when it is opened."""
    made: dict[str, tuple[Edit, ...] | None] = {"Hidden gems": None}
    table = opened.concepts()
    years = sorted(n for n, g in zip(table.names, table.groups, strict=True) if g == "year")
    recent = next((e for name in reversed(years) if (e := about(opened, name)) is not None), None)
    if recent is not None:
        made["Less of last year"] = (replace(recent, strength=LAST),)
    none = without(opened, NONE)
    family = tuple(replace(e, strength=EVENING) for name in FAMILY if (e := about(opened, name)) is not None)
    if family:
        made["Family evening"] = family + none
    if none:
        made["No horror"] = none
    return made


def without(opened: Opened, concept: str) -> tuple[Edit, ...]:
    """What takes a concept out of lists: the build's lowering curve at the weakest strength that leaves a tenth of its
    share on validation targets; else its latents ablated, which leaves more; nothing where no latent names it."""
    if opened.has("steering"):
        curve = opened.lowered()
        curve = curve[(curve["concept"] == concept) & (curve["method"] == "latents") & (curve["split"] == "validation")]
        rows = curve[curve["lift"] <= SUPPRESSED].sort_values("strength", ascending=False)
        if len(rows):
            pairs = zip(rows["latents"].iloc[0], rows["weights"].iloc[0], strict=True)
            parts = ((int(latent), round(float(weight), 3)) for latent, weight in pairs)
            return (Edit(tuple(pair for pair in parts if pair[1]), round(float(rows["strength"].iloc[0]), 2)),)
    own = about(opened, concept)
    return () if own is None else (ablate(own.latent),)


def about(opened: Opened, concept: str) -> Edit | None:
    """A concept's latents, or the one latent that names it first."""
    latents = steerable(opened)
    own = latents[latents["top_concept"] == concept]
    single = None if own.empty else Edit(int(own["feature"].iloc[0]), 0.0)
    return concept_edits.of_study(opened).get(concept, single)


def _examples(opened: Opened, found: Scene) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown("Examples")
        for name, edits in examples(opened).items():
            st.button(name, key=f"example-{name}", on_click=_example, args=(opened, found, edits))


def _example(opened: Opened, found: Scene, edits: tuple[Edit, ...] | None) -> None:
    gems = edits is None
    apply(found, (replace(mainstream.popularity(opened, stamp(opened)), strength=GEMS),) if gems else edits)


def _saving(opened: Opened, found: Scene, turned: Turned) -> None:
    row = {"horizontal": True, "vertical_alignment": "bottom"}
    with st.form("save-scenario", border=False), st.container(**row):
        name = st.text_input("Save what is turned now as", placeholder="family evening", width=300)
        if st.form_submit_button("Save", icon=":material/save:"):
            from seqsae_core.steering import scenarios

            scenario = _scenario(opened, found, turned, name)
            scenarios.save(opened.study.scenarios, scenario)


def _scenario(opened: Opened, found: Scene, turned: Turned, name: str) -> "Scenario":
    from seqsae_core.steering.scenarios import Scenario

    return Scenario(name, turned.edits, fingerprint(opened), found.position or opened.study.config.steering.position)


def _saved(opened: Opened, found: Scene) -> None:
    from seqsae_core.steering import scenarios

    folder = opened.study.scenarios
    listing = scenarios.listing(folder)
    for place, one in enumerate(listing.scenarios):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown(f"**{plain(one.name)}**", width=260)
            st.button("Open", key=f"open-{place}-{one.name}", on_click=open_scenario, args=(opened, found, one))
            st.download_button(
                "Download", scenarios.to_json(one), scenarios.path_of(folder, one.name).name, "application/json",
                key=f"down-{place}-{one.name}", on_click="ignore",
            )  # fmt: skip
            st.button("Delete", key=f"drop-{place}-{one.name}", on_click=scenarios.delete, args=(folder, one.name))
    for path, why in listing.bad.items():
        st.warning(f"`{path.name}`: {plain(why)}")


def open_scenario(opened: Opened, found: Scene, scenario: "Scenario") -> None:
    """Turns what a scenario says, at its position; one for another dictionary is refused."""
    try:
        steerer, edits = scenario.for_steerer(opened.steerer())
    except UserError as error:
        refuse(str(error))
    apply(replace(found, view=found.view.but(position=steerer.position)), edits)


def _files(opened: Opened, found: Scene) -> None:
    file = st.file_uploader("Open a scenario from a file", "json", key="scenario-file", max_upload_size=1)
    if file is None:
        return
    from seqsae_core.steering import scenarios

    try:
        one = scenarios.from_json(file.getvalue().decode("utf-8"))
    except (UserError, UnicodeDecodeError) as error:
        st.error(f"This file is no scenario: {plain(error)}")
        return
    st.button(f"Open “{plain(one.name)}”", key="open-file", on_click=open_scenario, args=(opened, found, one))
