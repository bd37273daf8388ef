"""One latent: what it is taken to mean and on what evidence, what fires it, what it does to recommendations."""

from seqsae_core.dashboard import navigation

navigation.setup()

from seqsae_core.dashboard import loading  # noqa: E402
from seqsae_core.dashboard.latents import meanings, portrait  # noqa: E402
from seqsae_core.dashboard.loading import Opened  # noqa: E402
from seqsae_core.dashboard.review import review  # noqa: E402


def body(opened: Opened) -> None:
    """The portrait of the latent that the link names, or of the best-evidenced one."""
    row = portrait.chosen(opened)
    portrait.heading(opened, row)
    if row["alive"]:
        review.link(opened, int(row["feature"]))
    if not row["alive"]:
        portrait.dead()
        return
    portrait.figures_in_brief(opened, row)
    portrait.sequences(opened, row)
    portrait.enrichment_and_histogram(opened, row)
    meanings.every_concept(opened, int(row["feature"]))
    meanings.history(opened, int(row["feature"]))
    portrait.moved_items(opened, row)
    portrait.neighbours(opened, row)


loading.page(body, needs=("evidence",))
