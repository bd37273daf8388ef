"""The parts of a latent's page, from its name to its neighbours."""

import pandas as pd
import streamlit as st

from seqsae_core.dashboard import navigation, taking, waiting, widgets
from seqsae_core.dashboard.latents import prefixes, stepping, strips
from seqsae_core.dashboard.loading import Opened
from seqsae_core.dashboard.widgets import fixed, interval, missing, percent
from seqsae_core.errors import UserError
from seqsae_core.figures import latents as latent_figures
from seqsae_core.sae.recurrence import recurrence
from seqsae_core.steering.edits import Edit

ENRICHED = 14
ABOUT = (
    "Pearson correlation on users that took no part in choosing the concept; interval over users.",
    "Share of positions where it fires.",
    "Where it fires. One unit of steering strength is one standard deviation.",
    "Mean cosine between the contents of the items that fire it, minus what equal weights would give. By company: the "
    "same with vectors of what other users watched beside them, which is no independent check, because the recommender "
    "starts from co-occurrence.",
    "Top-10 items replaced at +2 units, mean over fixed histories.",
)
DEAD = (
    "This latent fires in none of the sequences that evidence is measured on: there is nothing to name, and steering "
    "it would add a direction without evidence."
)
HOW_TO_READ_STRIPS = (
    "Held-out users' sequences, oldest item first. Shade is the activation at that item, relative to the strongest "
    "example shown; the outlined item is the one it was drawn for; a dashed one was watched next."
)
ABOUT_RECOMMENDED = "The first three of the model's own list after the outlined item, without any steering."
HOW_TO_READ_LIFT = (
    "How much more often a concept occurs where the latent fires than elsewhere; 95 % intervals clustered by user, "
    "grey where they include 1."
)
RECURRENCE = {
    "re-appears": (":material/verified:", "green"),
    "partly re-appears": (":material/contrast:", "orange"),
    "not found again": (":material/question_mark:", "gray"),
}
ABOUT_RECURRENCE = (
    "Mean cosine of its direction with its one-to-one partner in dictionaries trained again with other seeds: from .8 "
    "on it re-appears, from .5 on partly. A latent that is not found again may be an accident of one training."
)
NOT_RETRAINED = "Whether re-trainings find it again is measured by the extras (see Overview)."
MOVED = {"promoted": ":green[**▲ Promoted**]", "demoted": ":red[**▼ Demoted**]"}
HOW_TO_READ_HISTOGRAM = "Positions where it fires, by activation; zeros are left out."


def chosen(opened: Opened) -> pd.Series:
    """The latent of the link, or the best-evidenced. Raises UserError on a number that the dictionary has not."""
    rows, latent = opened.features("latents"), opened.view.latent
    if latent is None:
        return rows.sort_values(["alive", "significant", "z"], ascending=False).iloc[0]
    if latent not in rows.index:
        raise UserError(f"The dictionary has latents 0 to {rows.index.max()}; the link asks for latent {latent}.")
    return rows.loc[latent]


def heading(opened: Opened, row: pd.Series) -> None:
    """Number, name, evidence; previous, next, and the way to Steer."""
    rows = opened.features("latents")
    latent = int(row["feature"])
    text, buttons = widgets.pair([4, 7], "heading", vertical_alignment="bottom")
    with text:
        stepping.back_to_list(opened, latent)
        st.caption(f"Latent {latent} · one of {len(rows):,} in {widgets.plain(opened.dictionary)}")
        name = str(row["name"]) if row["alive"] else "dead"
        st.title(widgets.plain(name[:1].upper() + name[1:]), anchor=False)
    with buttons, st.container(horizontal=True, horizontal_alignment="right", gap="small"):
        stepping.buttons(opened, latent)
        if row["alive"]:
            taking.latent_report(opened, latent)
        if st.button("Steer this", type="primary", icon=":material/tune:", disabled=not row["alive"]):
            navigation.go("steer", opened.view.home().but(edits=(Edit(latent, 2.0),), latent=latent))
    st.markdown(evidence_words(row))
    if row["alive"]:
        recurrence_badge(row)


def recurrence_badge(row: pd.Series) -> None:
    """How well it re-appears in re-trainings of the dictionary, or where that would be measured."""
    if missing(row.get("stability")):
        st.caption(NOT_RETRAINED)
        return
    words = recurrence(row["stability"])
    icon, colour = RECURRENCE[words]
    text = f"{words[:1].upper()}{words[1:]} in re-trainings · {fixed(row['stability'], 2)}"
    st.badge(text, icon=icon, color=colour, help=ABOUT_RECURRENCE)


def evidence_words(row: pd.Series) -> str:
    """The evidence sentence, and what the name is worth where there is one. Markdown."""
    if not row["alive"]:
        return ""
    sentence = widgets.plain(row["name_evidence"].rstrip(".") + ".")
    if missing(row["name_score"]):
        return sentence
    score = fixed(row["name_score"], 2)
    told = "The rule tells on which items it fires strongly with balanced accuracy"
    return f"{sentence} {told} {score} on items not used in naming."


def dead() -> None:
    """Nothing to show, said plainly."""
    st.info(DEAD, icon=":material/do_not_disturb_on:")


def figures_in_brief(opened: Opened, row: pd.Series) -> None:
    """Five tiles."""
    bounds = [row["correlation_low"], row["correlation_high"]]
    spread = f"sd {fixed(row['sd_activation'], 2)}, most {fixed(row['max_activation'], 2)}"
    concept = widgets.plain(row["top_concept"] or "any concept")
    rows = (
        (f"r with {concept}", fixed(row["correlation"], 2), interval(bounds, 2)),
        ("Density", percent(row["density"], 2), f"{row['n_items']:,} distinct items"),
        ("Mean activation", fixed(row["mean_activation"], 2), spread),
        ("Monosemanticity", fixed(row["monosemanticity"], 3), company(row)),
        ("Steering effect", *effect(opened, row)),
    )
    widgets.tiles([(*tile, about) for tile, about in zip(rows, ABOUT, strict=True)])


def company(row: pd.Series) -> str:
    """Monosemanticity by company."""
    if missing(row.get("monosemanticity_company")):
        return "0 = items at large"
    return f"by company {fixed(row['monosemanticity_company'], 3)}"


def effect(opened: Opened, row: pd.Series) -> tuple[str, str]:
    """The steering effect with its interval, or when it comes."""
    if not opened.has("steering") or row["feature"] not in opened.effects().index:
        return widgets.NOT_MEASURED, "comes with the stage steering"
    found = opened.effects().loc[row["feature"]]
    bounds = [found.get("effect_low"), found.get("effect_high")]
    return f"{fixed(found['effect'], 1)} of 10", interval(bounds, 1)


def sequences(opened: Opened, row: pd.Series) -> None:
    """Example sequences of one activation quantile at a time, from the strongest to the weakest."""
    widgets.section("What fires it")
    examples = opened.examples("latents", int(row["feature"]))
    quantile_strips(examples, opened, "latents", f"latent{int(row['feature'])}")
    widgets.read(HOW_TO_READ_STRIPS, "evidence")


@st.fragment
def quantile_strips(examples: pd.DataFrame, opened: Opened, kind: str, key: str) -> None:
    """A choice of quantile over the strips of its examples."""
    there = sorted(int(q) for q in examples["quantile"].unique())
    if not there:
        st.caption("No example: it fires in none of the held-out users' sequences.")
        return
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        shown = st.segmented_control(
            "Activation", there, default=there[0], required=True, key=f"quantile-{key}",
            format_func=strips.quantile_name,
        )  # fmt: skip
        lists = st.toggle("What was recommended next", key=f"recommended-{key}", help=ABOUT_RECOMMENDED)
    rows = examples[examples["quantile"] == shown]
    recommended = prefixes.recommended(opened, rows) if lists else None
    strips.show(rows, opened.catalogue(), kind, f"strips-{key}-{shown}", recommended)


def enrichment_and_histogram(opened: Opened, row: pd.Series) -> None:
    """Which concepts it favours, and how strongly it fires."""
    left, right = widgets.pair([3, 2], "concepts", gap="large")
    latent = int(row["feature"])
    with left:
        widgets.section("Concepts where it fires")
        enrichment(opened.enrichment(latent))
    with right:
        widgets.section("Activations")
        figure = latent_figures.histogram(opened.histogram(latent))
        widgets.chart(figure, HOW_TO_READ_HISTOGRAM, "histogram", "evidence")


def enrichment(table: pd.DataFrame) -> None:
    """The concepts that go most with a latent, for or against."""
    rows = table.reindex(table["correlation"].abs().sort_values(ascending=False).index).head(ENRICHED)
    if rows.empty:
        st.caption("It fires on too few positions of held-out users for an estimate.")
    else:
        widgets.chart(latent_figures.enrichment(rows), HOW_TO_READ_LIFT, "enrichment", "evidence")


def moved_items(opened: Opened, row: pd.Series) -> None:
    """Items that steering raises and lowers."""
    widgets.section("What steering it does", "Items whose scores change most at +2 units, mean over fixed histories.")
    if not opened.has("steering"):
        text = "Promoted and demoted items come with the stage steering."
        waiting.note(opened.study.path, "steering", opened.dictionary, text)
    elif row["feature"] not in opened.effects().index:
        st.caption("Its effect was not measured.")
    else:
        latent = int(row["feature"])
        found = opened.effects().loc[latent]
        left, right = widgets.pair([1, 1], "moved", gap="large")
        for column, (which, heading) in zip((left, right), MOVED.items(), strict=True):
            column.markdown(heading)
            with column:
                key = f"latent-{latent}-{which}"
                widgets.items_table(found[which], found[f"{which}_change"], opened.catalogue(), key)


def neighbours(opened: Opened, row: pd.Series) -> None:
    """Latents with the nearest decoder directions."""
    widgets.section("Nearest latents", "By cosine of decoder directions.")
    rows = opened.features("latents")
    with st.container(horizontal=True, gap="small"):
        for other, cosine in zip(row["neighbours"], row["neighbour_cosines"], strict=True):
            widgets.latent_link(opened, rows.loc[int(other)], f" ({fixed(cosine, 2)})")
