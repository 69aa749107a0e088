"""Records of requests."""

from __future__ import annotations

import pytest

from tests.fakes.records import record


@pytest.mark.parametrize(
    ("outcome", "error"),
    [("served", False), ("client_gone", False), ("refused", True), ("failed", True), ("cut", True)],
)
def test_an_error_is_what_the_client_had_to_see(outcome: str, error: bool) -> None:
    """One that left by itself has seen none."""
    assert record(outcome=outcome).is_error is error
