"""Every latent: a table to search and sort beside the map; a click on either opens one."""

from seqsae_core.dashboard import navigation

navigation.setup()

from seqsae_core.dashboard import browsing, loading, widgets  # noqa: E402
from seqsae_core.dashboard.loading import Opened  # noqa: E402


def body(opened: Opened) -> None:
    """Heading, filters, and table beside map."""
    everything = browsing.latents(opened)
    widgets.title("Latents", lead(everything))
    rows = browsing.filtered(everything, *browsing.controls(opened.view))
    if rows.empty:
        browsing.nothing_found(opened)
        return
    browsing.table_and_map(opened, rows)


def lead(rows) -> str:
    """How many there are, have evidence, and are dead."""
    dead, named = int((~rows["alive"]).sum()), int(rows["significant"].sum())
    return (
        f"{len(rows):,} latents: {named:,} whose top concept is significant at 5 % over the whole dictionary, "
        f"{len(rows) - dead - named:,} others, {dead:,} dead. Click a row or a point to open a latent."
    )


loading.page(body, needs=("evidence",))
