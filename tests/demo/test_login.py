"""Simulated logins."""

from __future__ import annotations

from shunt.demo.login import SimulatedLogin


def test_only_the_newest_access_token_is_accepted() -> None:
    """A refresh makes a new access token, and the one before it stops working."""
    first = SimulatedLogin("coral")
    second = first.rotate(first.refresh)
    assert second is not None
    assert first.accepts(first.access)
    assert second.accepts(second.access)
    assert not second.accepts(first.access)


def test_a_refresh_token_works_once() -> None:
    """A refresh token that was used before, or is not ours, gets nothing."""
    first = SimulatedLogin("coral")
    second = first.rotate(first.refresh)
    assert second is not None
    assert second.rotate(first.refresh) is None
    assert second.rotate("") is None


def test_an_ended_access_token_can_be_renewed() -> None:
    """Ending access leaves the refresh token good, and what it brings is accepted."""
    ended = SimulatedLogin("coral").end()
    assert not ended.accepts(ended.access)
    renewed = ended.rotate(ended.refresh)
    assert renewed is not None
    assert renewed.accepts(renewed.access)


def test_tokens_of_different_accounts_differ() -> None:
    """No token opens another account."""
    assert not SimulatedLogin("coral").accepts(SimulatedLogin("reef").access)
