"""Numbers as text."""

import pytest

from seqsae_core.dashboard import widgets


@pytest.mark.parametrize(
    ("value", "signed", "text"),
    [(-0.0004, False, "0.0 %"), (0.0004, True, "+0.0 %"), (-0.013, True, "−1.3 %"), (0.013, False, "1.3 %")],
)
def test_a_share_is_never_minus_nothing(value, signed, text):
    assert widgets.percent(value, signed=signed) == text
    assert widgets.fixed(100 * value, 1, signed=signed) + " %" == text


@pytest.mark.parametrize("value", [None, float("nan")])
def test_what_is_not_measured_is_a_dash(value):
    assert widgets.percent(value) == widgets.fixed(value) == widgets.NOT_MEASURED
