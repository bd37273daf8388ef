"""What this study is, how good its recommender and its dictionary are, and what the comparison says."""

from seqsae_core.dashboard import navigation

navigation.setup()

import streamlit as st  # noqa: E402

from seqsae_core.adapters.names import FAMILIES  # noqa: E402
from seqsae_core.dashboard import lacking, loading, taking, waiting, widgets  # noqa: E402
from seqsae_core.dashboard.contest import headline  # noqa: E402
from seqsae_core.dashboard.dictionaries import dictionaries, fidelity, quality, using  # noqa: E402
from seqsae_core.dashboard.loading import Opened  # noqa: E402
from seqsae_core.dashboard.studies import extras  # noqa: E402
from seqsae_core.figures import contest as contest_figures  # noqa: E402
from seqsae_core.figures import recommender as recommender_figures  # noqa: E402

NAMES = {"sasrec": "A causal transformer (SASRec)", "bert4rec": "A bidirectional transformer (BERT4Rec)", **FAMILIES}
COMPARED = (
    "For each concept the best feature, chosen on one set of held-out users and scored on another; dots are means "
    "over concepts, bars 95 % intervals."
)
RANKED = (
    "One target a user, the whole catalogue ranked, seen items removed, ties counted against the model; bars are "
    "95 % intervals over users."
)


def body(opened: Opened) -> None:
    """The page, part by part as far as the study is built."""
    introduction(opened)
    if using.is_swept_only(opened.study, opened.dictionary):
        using.panel(opened.study.path, opened.dictionary)
    elif not opened.has("steering"):
        waiting.panel(opened.study.path, opened.dictionary)
    with_stage(opened, "evidence", evidence, "The comparison of latents and neurons comes with the evidence.")
    with_stage(opened, "recommender", recommender, "The recommender is being trained.")
    with_stage(opened, "sae", dictionary, "The dictionary's figures come when it is trained.")
    if opened.has("steering") and not (opened.study.config.sae.imported or opened.study.config.recommender.imported):
        extras.card(opened)
    others(opened)


def with_stage(opened: Opened, stage: str, part, text: str) -> None:
    """A part of the page, or a line that says when it comes."""
    if opened.has(stage):
        part(opened)
    else:
        waiting.note(opened.study.path, stage, opened.dictionary, text)


def introduction(opened: Opened) -> None:
    """Name, sizes, the model in a sentence, and the way to the demo."""
    text, button = st.columns([5, 2], vertical_alignment="bottom")
    with text:
        widgets.title(opened.study.name.replace("-", " ").capitalize(), summary(opened))
    with button:
        if opened.has("evidence"):
            taking.study_summary(opened)
        if st.button("Steer a recommendation", type="primary", icon=":material/tune:", width="stretch"):
            navigation.go("steer", opened.view.home())
    if untitled := lacking.titles(opened.catalogue()):
        st.info(untitled, icon=":material/label_off:")


def summary(opened: Opened) -> str:
    """The study in three sentences."""
    sizes, config = opened.study.manifest.get("sizes", {}), opened.study.config
    counts = ", ".join(f"{sizes.get(name, 0):,} {name}" for name in ("users", "items", "interactions"))
    return (
        f"{counts}. {NAMES[config.recommender.architecture]} of {config.recommender.blocks} blocks and width "
        f"{config.recommender.width}{dictionaries.how_read(opened.study, opened.dictionary)}. Split "
        f"{config.data.split}, preset {config.preset}, seed {config.seed}."
    )


def evidence(opened: Opened) -> None:
    """Latents and neurons under one measurement, both figures, in words and as a chart."""
    found = opened.summary()
    widgets.section("Do latents name concepts better than neurons?")
    if nothing := lacking.comparison(found, opened.catalogue()):
        st.info(nothing, icon=":material/label_off:")
        return
    words, chart = widgets.pair([2, 3], "comparison", gap="large")
    with words:
        headline.words(found)
        navigation.link(
            "latents_vs_neurons",
            opened.view.home(),
            "See it concept by concept",
            icon=":material/compare_arrows:",
        )
    with chart:
        widgets.chart(contest_figures.comparison(found), COMPARED, "comparison", "evidence")


def recommender(opened: Opened) -> None:
    """Quality beside the baselines, chart and table."""
    metrics = opened.recommender_metrics()
    widgets.section("The recommender")
    chart, table = widgets.pair([3, 2], "recommender", gap="large", vertical_alignment="center")
    with chart:
        words = f"{quality.tested(metrics)} {RANKED}"
        widgets.chart(recommender_figures.quality(metrics), words, "quality", "recommender")
    table.dataframe(quality.headline(metrics), hide_index=True)
    with st.expander("Other cutoffs, and what the lists look like"):
        rows = quality.everything(metrics)
        st.dataframe(rows, hide_index=True)
        taking.table(rows, "recommender")
        widgets.read(quality.HOW_READ, "recommender")
    if metrics.get("golden"):
        st.caption(quality.how_imported(metrics["golden"]))
    if metrics.get("log"):
        with st.expander("How it was trained"):
            words = quality.how_trained(metrics)
            widgets.chart(recommender_figures.training(metrics["log"]), words, "training", "recommender")


def dictionary(opened: Opened) -> None:
    """Fidelity tiles, and where information is lost."""
    fidelity.section(opened.sae_metrics())


def others(opened: Opened) -> None:
    """Links to the study's other dictionaries that have evidence, and to other studies."""
    study, home = opened.study, opened.view.home()
    there = [name for name in study.dictionaries if name != opened.dictionary and study.has("evidence", name)]
    views = [(home.but(dictionary=name), f"Dictionary {name}") for name in there]
    views += [
        (home.but(study=name, dictionary=None), f"Study {name}") for name in loading.studies() if name != study.name
    ]
    widgets.section("Also here")
    with st.container(horizontal=True):
        for view, label in views:
            navigation.link("overview", view, widgets.plain(label), icon=":material/folder_open:")
        navigation.link("studies", home, "All studies, and what they cost", icon=":material/list:")
        navigation.link("new_study", home, "New study", icon=":material/add:")


loading.page(body, needs=("data",))
