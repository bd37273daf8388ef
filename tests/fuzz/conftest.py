"""How many cases: few in the suite, `SEQSAE_FUZZ=1000` of each for the count that benchmarks/reliability.py makes."""

import json
import os
from collections import Counter
from pathlib import Path

import pytest

hypothesis = pytest.importorskip("hypothesis", reason="hypothesis is not installed")

CASES = int(os.environ.get("SEQSAE_FUZZ", 60))
COUNTED: Counter[str] = Counter()

hypothesis.settings.register_profile(
    "bounded",
    max_examples=CASES,
    deadline=None,
    derandomize="SEQSAE_FUZZ" not in os.environ,
    database=None,
    suppress_health_check=list(hypothesis.HealthCheck),
)
hypothesis.settings.load_profile("bounded")


@pytest.fixture
def case(request: pytest.FixtureRequest):
    """`case()` counts one case of this test."""
    return lambda: COUNTED.update([request.node.originalname])


def pytest_sessionfinish() -> None:
    """Writes the counts where $SEQSAE_FUZZ_COUNTS says."""
    if path := os.environ.get("SEQSAE_FUZZ_COUNTS"):
        Path(path).write_text(json.dumps(COUNTED))
