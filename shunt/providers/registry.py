"""Every provider there is. A new one is one record and one name in PROVIDERS."""

from __future__ import annotations

from typing import Final

from shunt.providers.anthropic import PROVIDER as ANTHROPIC
from shunt.providers.base import Provider
from shunt.providers.claude_code import PROVIDER as CLAUDE_CODE
from shunt.providers.codex import PROVIDER as CODEX
from shunt.providers.compatible import ANTHROPIC_COMPATIBLE, OPENAI_COMPATIBLE
from shunt.providers.openai import PROVIDER as OPENAI
from shunt.providers.presets import PROVIDERS as PRESETS

PROVIDERS: Final = (ANTHROPIC, CODEX, OPENAI, CLAUDE_CODE, ANTHROPIC_COMPATIBLE, OPENAI_COMPATIBLE, *PRESETS)

_BY_NAME: Final = {provider.name: provider for provider in PROVIDERS}


def provider_named(name: str) -> Provider:
    """Return the provider of this name. Raises KeyError: configuration was checked before."""
    return _BY_NAME[name]
