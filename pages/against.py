"""Two dictionaries of one study side by side, page by page."""

from seqsae_core.dashboard import navigation

navigation.setup()

from seqsae_core.dashboard import loading, widgets  # noqa: E402
from seqsae_core.dashboard.dictionaries import against  # noqa: E402
from seqsae_core.dashboard.loading import Opened  # noqa: E402


def body(opened: Opened) -> None:
    """The two of the link, and what each page says of them."""
    widgets.title("Compare dictionaries", against.LEAD)
    pair = against.chosen(opened)
    if pair is not None:
        against.side_by_side(pair)


loading.page(body, needs=("sae",))
