"""The list of providers."""

from __future__ import annotations

import pytest

from shunt.protocols import protocol_named
from shunt.providers import PROVIDERS, provider_named
from shunt.providers.base import Provider


@pytest.mark.parametrize("provider", PROVIDERS, ids=lambda provider: provider.name)
def test_providers_are_found_by_name(provider: Provider) -> None:
    """And each speaks a protocol that exists."""
    assert provider_named(provider.name) is provider
    assert protocol_named(provider.protocol).name == provider.protocol


def test_an_unknown_provider_is_a_mistake_of_ours() -> None:
    """Configuration is checked before."""
    with pytest.raises(KeyError):
        provider_named("antropic")
