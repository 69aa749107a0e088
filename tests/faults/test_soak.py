"""Load for a while: the long versions are `scripts/soak` and `scripts/streams`."""

from __future__ import annotations

import pytest
from _soak import soak
from _streams import flood


@pytest.mark.timeout(300)
def test_a_short_soak() -> None:
    """A minute of mixed traffic and faults: nothing is left over, nothing unexplained is logged."""
    assert soak(60, 2) == []


@pytest.mark.timeout(300)
def test_idle_and_active_streams() -> None:
    """Three hundred idle streams beside forty busy ones: each comes whole, and memory keeps within its budget."""
    assert flood(20, 300, 40) == []
