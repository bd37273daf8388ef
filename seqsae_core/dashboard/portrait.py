"""The parts of a latent's page, from its name to its neighbours."""

import pandas as pd
import streamlit as st

from seqsae_core import figures
from seqsae_core.dashboard import navigation, strips, waiting, widgets
from seqsae_core.dashboard.loading import Opened
from seqsae_core.dashboard.widgets import fixed, interval, missing, percent
from seqsae_core.errors import UserError

ENRICHED = 14


def chosen(opened: Opened) -> pd.Series:
    """The latent of the link, or the best-evidenced. Raises UserError on a number that the dictionary has not."""
    rows, latent = opened.features("latents"), opened.view.latent
    if latent is None:
        return rows.sort_values(["significant", "z"], ascending=False).iloc[0]
    if latent not in rows.index:
        raise UserError(f"The dictionary has latents 0 to {rows.index.max()}; the link asks for latent {latent}.")
    return rows.loc[latent]


def heading(opened: Opened, row: pd.Series) -> None:
    """Number, name, evidence; previous, next, and the way to Steer."""
    rows = opened.features("latents")
    latent = int(row["feature"])
    text, buttons = st.columns([5, 3], vertical_alignment="bottom")
    with text:
        st.caption(f"Latent {latent} of {len(rows):,} · dictionary {widgets.plain(opened.dictionary)}")
        st.title(widgets.plain(row["name"] if row["alive"] else "dead"), anchor=False)
    with buttons, st.container(horizontal=True, horizontal_alignment="right", gap="small"):
        step(opened, latent - 1, "Previous", ":material/chevron_left:", "Shift+Left")
        step(opened, latent + 1, "Next", ":material/chevron_right:", "Shift+Right")
        if st.button("Steer this", type="primary", icon=":material/tune:", disabled=not row["alive"]):
            navigation.go("steer", opened.view.home().but(edits=((latent, 2.0),), latent=latent))
    st.markdown(f"{evidence_words(row)}")


def step(opened: Opened, latent: int, label: str, icon: str, shortcut: str) -> None:
    """A button to a neighbouring number, off at the ends."""
    there = latent in opened.features("latents").index
    if st.button(label, icon=icon, shortcut=shortcut, disabled=not there):
        navigation.go("latent", opened.view.home().but(latent=latent))


def evidence_words(row: pd.Series) -> str:
    """The evidence sentence and what the name is worth."""
    if not row["alive"]:
        return ""
    sentence = widgets.plain(row["name_evidence"]).rstrip(".") + "\\."
    if not missing(row["name_score"]):
        sentence += f" The name alone tells where it fires with balanced accuracy {fixed(row['name_score'], 2)} on items not used in naming."
    return sentence.removesuffix("\\.\\.") if sentence.endswith("\\.\\.") else sentence


def dead(row: pd.Series) -> None:
    """Nothing to show, said plainly."""
    st.info(
        "This latent never fires on the users that the dictionary was fitted on: there is nothing to name, "
        "and steering it would add a direction without evidence.",
        icon=":material/do_not_disturb_on:",
    )


def figures_in_brief(opened: Opened, row: pd.Series) -> None:
    """Five tiles."""
    widgets.tiles(
        [
            (
                f"Correlation with {row['top_concept'] or 'any concept'}",
                fixed(row["correlation"], 2),
                interval([row["correlation_low"], row["correlation_high"]], 2),
                "Pearson r on users that took no part in choosing the concept; interval over users.",
            ),
            (
                "Density",
                percent(row["density"], 2),
                f"{row['n_items']:,} distinct items",
                "Share of positions where it fires.",
            ),
            (
                "Mean activation",
                fixed(row["mean_activation"], 2),
                f"sd {fixed(row['sd_activation'], 2)}, most {fixed(row['max_activation'], 2)}",
                "Where it fires. One unit of steering strength is one standard deviation.",
            ),
            (
                "Monosemanticity",
                fixed(row["monosemanticity"], 3),
                "0 = items at large",
                "Mean cosine between the contents of the items that fire it, minus what equal weights would give.",
            ),
            (
                "Steering effect",
                *effect(opened, row),
                "Top-10 items replaced at +2 units, mean over fixed histories.",
            ),
        ]
    )


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


@st.fragment
def quantile_strips(examples: pd.DataFrame, opened: Opened, kind: str, key: str) -> None:
    """A choice of quantile over the strips of its examples."""
    there = sorted(examples["quantile"].unique())
    if not there:
        strips.show(examples, opened.catalogue(), kind, key)
        return
    chosen = st.segmented_control(
        "Activation",
        there,
        default=there[0],
        required=True,
        key=f"quantile-{key}",
        format_func=strips.quantile_name,
    )
    strips.show(examples[examples["quantile"] == chosen], opened.catalogue(), kind, f"strips-{key}-{chosen}")
    st.caption(
        "Held-out users' sequences, oldest item first. Shade is the activation at that item, relative to the strongest example shown; the outlined item is the one it was drawn for; the dashed one was watched next."
    )


def enrichment_and_histogram(opened: Opened, row: pd.Series) -> None:
    """Which concepts it favours, and how strongly it fires."""
    left, right = st.columns([3, 2], gap="large")
    latent = int(row["feature"])
    with left:
        widgets.section("Concepts where it fires")
        table = opened.enrichment(latent)
        rows = table.reindex(table["correlation"].abs().sort_values(ascending=False).index).head(ENRICHED)
        if rows.empty:
            st.caption("It fires on too few positions of held-out users for an estimate.")
        else:
            widgets.chart(
                figures.enrichment(rows),
                "How much more often a concept occurs where the latent fires than elsewhere; 95 % intervals clustered by user, grey where they include 1.",
                "enrichment",
            )
    with right:
        widgets.section("Activations")
        widgets.chart(
            figures.histogram(opened.histogram(latent)),
            "Positions where it fires, by activation; zeros are left out.",
            "histogram",
        )


def moved_items(opened: Opened, row: pd.Series) -> None:
    """Items that steering raises and lowers."""
    widgets.section("What steering it does", "Items whose scores change most at +2 units, mean over fixed histories.")
    if not opened.has("steering"):
        waiting.note(
            opened.study.path,
            "steering",
            opened.dictionary,
            "Promoted and demoted items come with the stage steering.",
        )
        return
    found = opened.effects().loc[row["feature"]]
    for column, which, word, colour in zip(
        st.columns(2, gap="large"),
        ("promoted", "demoted"),
        ("▲ Promoted", "▼ Demoted"),
        ("green", "red"),
        strict=True,
    ):
        with column:
            st.markdown(f":{colour}[**{word}**]")
            widgets.items_table(found[which], found[f"{which}_change"], opened.catalogue(), which)


def neighbours(opened: Opened, row: pd.Series) -> None:
    """Latents with the nearest decoder directions."""
    widgets.section("Nearest latents", "By cosine of decoder directions.")
    rows = opened.features("latents")
    with st.container(horizontal=True, gap="small"):
        for other, cosine in zip(row["neighbours"], row["neighbour_cosines"], strict=True):
            widgets.latent_link(opened, rows.loc[int(other)], f" ({fixed(cosine, 2)})")
