"""Every latent: a table to search, narrow and sort beside the map; a click on either opens one."""

from seqsae_core.dashboard import navigation

navigation.setup()

from seqsae_core.dashboard import loading, widgets  # noqa: E402
from seqsae_core.dashboard.latents import browsing  # noqa: E402
from seqsae_core.dashboard.loading import Opened  # noqa: E402


def body(opened: Opened) -> None:
    """Heading, search and facets, table beside map."""
    widgets.title("Latents", lead(opened.features("latents")))
    browsing.browse(opened)


def lead(rows) -> str:
    """How many there are, have evidence, and are dead."""
    dead, named = int((~rows["alive"]).sum()), int(rows["significant"].sum())
    return (
        f"{len(rows):,} latents: {named:,} whose top concept is significant at 5 % over the whole dictionary, "
        f"{len(rows) - dead - named:,} others, {dead:,} dead. Click a row or a point to open a latent."
    )


loading.page(body, needs=("evidence",))
