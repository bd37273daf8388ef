"""One concept from its side: which latents carry it together, what each adds, and what every rival's best reaches."""

from seqsae_core.dashboard import navigation

navigation.setup()

from seqsae_core.dashboard import loading, widgets  # noqa: E402
from seqsae_core.dashboard.concept import concept, concept_choice, concept_cover  # noqa: E402
from seqsae_core.dashboard.concept.concept_measured import measured_or_why_not  # noqa: E402
from seqsae_core.dashboard.loading import Opened  # noqa: E402

LEAD = (
    "One concept seen from its side: which latents carry it, what they add to each other, and what neurons and other "
    "rivals reach. All are chosen on one set of held-out users and scored on another."
)


def body(opened: Opened) -> None:
    """The concept chosen or defined, and everything measured of it; or why nothing can be."""
    widgets.title("Concept", LEAD)
    chosen = concept_choice.choose(opened)
    if chosen is None:
        return
    measured = measured_or_why_not(opened, chosen)
    if measured is not None:
        concept.in_brief(opened, chosen, measured)
        concept_cover.cover(opened, measured)
        concept_cover.one_by_one(opened, measured)
        concept.rivals(measured)
    concept.items(opened, chosen, measured)


loading.page(body, needs=("data", "recommender", "sae", "evidence"))
