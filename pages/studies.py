"""The studies that are there, what the open one cost, and how to build another."""

from seqsae_core.dashboard import navigation

navigation.setup()

from seqsae_core.dashboard import loading, widgets  # noqa: E402
from seqsae_core.dashboard.loading import Opened  # noqa: E402
from seqsae_core.dashboard.studies import studies  # noqa: E402


def body(opened: Opened) -> None:
    """The list, the way to another, the open study's stages."""
    widgets.title("Studies", studies.LEAD)
    studies.listing(opened.study.name)
    studies.another(opened.view)
    studies.costs(opened)


loading.page(body, needs=())
