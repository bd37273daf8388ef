"""How well a latent re-appears in re-trainings, in words; `stability` measures it."""

STABLE, PARTLY = 0.8, 0.5


def recurrence(stability: float) -> str:
    """What a mean matched cosine says of a latent: re-appears, partly re-appears, not found again."""
    if stability >= STABLE:
        return "re-appears"
    return "partly re-appears" if stability >= PARTLY else "not found again"
