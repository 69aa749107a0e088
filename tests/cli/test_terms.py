"""The vendors' terms."""

from __future__ import annotations

import pytest

from shunt.cli.terms import TERMS
from shunt.providers import PROVIDERS


def test_every_provider_with_logins_states_its_terms() -> None:
    """No login can be stored of a provider whose rules were not stated."""
    assert set(TERMS) == {provider.name for provider in PROVIDERS if provider.login}


@pytest.mark.parametrize(
    ("provider", "own"), [("anthropic", "ordinary, individual use"), ("codex", "make it available to others")]
)
def test_the_text_says_what_a_person_has_to_know(provider: str, own: str) -> None:
    """Who may use a login, what may happen, that nobody approved of this, and the safe way."""
    text = TERMS[provider].text
    for fact in (own, "has not approved", "API key", "https://"):
        assert fact in text
