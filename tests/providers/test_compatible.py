"""Servers of other makers."""

from __future__ import annotations

from shunt.providers.compatible import ANTHROPIC_COMPATIBLE


def test_an_address_has_to_be_named() -> None:
    """There is no usual one, and no usual variable for the key."""
    assert ANTHROPIC_COMPATIBLE.default_url is None
    assert ANTHROPIC_COMPATIBLE.key_env == ""
    assert ANTHROPIC_COMPATIBLE.login is None


def test_only_the_dialect_itself_is_asked() -> None:
    """What Claude Code reads from its vendor's host is not asked of strangers."""
    assert ANTHROPIC_COMPATIBLE.carries("POST", "/v1/messages", api_key=True)
    assert not ANTHROPIC_COMPATIBLE.carries("GET", "/api/claude_cli/bootstrap", api_key=True)
