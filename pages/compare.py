"""Two latents side by side: their figures, their concepts, what fires them, what they move."""

from seqsae_core.dashboard import navigation

navigation.setup()

from seqsae_core.dashboard import loading  # noqa: E402
from seqsae_core.dashboard.latents import comparing  # noqa: E402
from seqsae_core.dashboard.loading import Opened  # noqa: E402


def body(opened: Opened) -> None:
    """The two of the link, or the best-evidenced latent and its nearest one."""
    pair = comparing.chosen(opened)
    comparing.heading(opened, pair)
    comparing.figures(opened, pair)
    comparing.concepts(opened, pair)
    comparing.sequences(opened, pair)
    comparing.moved(opened, pair)


loading.page(body, needs=("evidence",))
