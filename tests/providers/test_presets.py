"""Services and servers that are known by name."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from shunt.config.addresses import transport_problem
from shunt.config.types import EndpointsConfig
from shunt.providers.base import Provider
from shunt.providers.compatible import OPENAI_COMPATIBLE
from shunt.providers.presets import PRESETS, PROVIDERS, Preset


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
def test_addresses_are_fit_for_keys(preset: Preset) -> None:
    """https, or this machine; a service asks for a key, a server here does not."""
    assert transport_problem(preset.url, preset.name) is None
    assert bool(preset.key_env) == preset.url.startswith("https://")
    assert not preset.url.endswith("/")


@pytest.mark.parametrize("provider", PROVIDERS, ids=lambda provider: provider.name)
def test_presets_are_compatible_servers_with_an_address(provider: Provider) -> None:
    """An account at another host gets the same path."""
    assert provider.default_url is not None
    url = provider.default_url(EndpointsConfig())
    base = urlsplit(url).path
    assert provider.path_for("", "/v1/chat/completions") == f"{base}/chat/completions"
    assert provider.path_for("/own/v1", "/v1/models") == "/own/v1/models"
    assert (provider.protocol, provider.family) == (OPENAI_COMPATIBLE.protocol, OPENAI_COMPATIBLE.family)


def test_names_are_unique() -> None:
    """They are what a configuration says."""
    names = [preset.name for preset in PRESETS]
    assert len(set(names)) == len(names)
    assert {"openrouter", "groq", "ollama", "lmstudio", "llamacpp", "vllm", "github-models", "ob1"} <= set(
        names
    )
