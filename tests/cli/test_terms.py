"""The vendors' terms."""

from __future__ import annotations

from shunt.cli.terms import TERMS
from shunt.providers import PROVIDERS


def test_every_provider_with_logins_states_its_terms() -> None:
    """No login can be stored of a provider whose rules were not stated."""
    assert set(TERMS) == {provider.name for provider in PROVIDERS if provider.login}


def test_the_text_says_what_a_person_has_to_know() -> None:
    """Who may use a login, what may happen, that nobody approved of this, and the safe way."""
    text = TERMS["anthropic"].text
    for fact in ("ordinary, individual use", "without warning", "has not approved", "API key", "https://"):
        assert fact in text
