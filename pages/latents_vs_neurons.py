"""The claim and its test: the best latent, the best neuron and every rival per concept, under one measurement."""

from seqsae_core.dashboard import navigation

navigation.setup()

import streamlit as st  # noqa: E402

from seqsae_core.dashboard import lacking, loading, widgets  # noqa: E402
from seqsae_core.dashboard.contest import contest, headline, rivals  # noqa: E402
from seqsae_core.dashboard.loading import Opened  # noqa: E402
from seqsae_core.dashboard.review import review_duel  # noqa: E402

CLAIM = (
    "The claim: a sparse autoencoder's latents name concepts better than the neurons they are made from. Each kind of "
    "feature chooses its best candidate per concept on one set of held-out users and is scored on another."
)


def body(opened: Opened) -> None:
    """Figures, concept by concept, distribution, examples of both sides."""
    widgets.title("Latents vs neurons", CLAIM)
    nothing = lacking.comparison(opened.summary(), opened.catalogue())
    if nothing:
        st.info(nothing, icon=":material/label_off:")
    else:
        figures(opened)
    review_duel.result(opened)
    if not nothing:
        rivals.every_rival(opened)
    contest.concepts(opened)
    contest.examples(opened)
    contest.monosemanticity(opened)
    rivals.names(opened)


def figures(opened: Opened) -> None:
    """Both measures as tiles, and what they allow one to say."""
    found = opened.summary()
    headline.figure_tiles(found)
    same, new = headline.differences(found)
    st.markdown(
        f"**Same items:** {headline.verdict(same)}. **New items:** {headline.verdict(new)}. "
        f"{headline.comment(found)}"
    )


loading.page(body, needs=("evidence",))
