"""A store with one dictionary."""

from pathlib import Path

import pytest

from seqsae_core.reviews.store import Reviews

FINGERPRINT = "f" * 16


@pytest.fixture
def reviews(tmp_path: Path) -> Reviews:
    """An empty store that knows the dictionary FINGERPRINT."""
    store = Reviews(tmp_path / "reviews.sqlite")
    store.register(FINGERPRINT, "layer1")
    return store
