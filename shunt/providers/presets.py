"""OpenAI-compatible services and servers that are known by name. A new one is one record here.

Addresses and variables are those of the makers' own documentation, as of autumn 2026.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from attrs import evolve, frozen

from shunt.config.types import EndpointsConfig
from shunt.providers.base import Provider
from shunt.providers.compatible import OPENAI_COMPATIBLE


@frozen
class Preset:
    """What is known of one of them."""

    name: str
    title: str
    url: str
    """Base URL, with the version as its maker writes it."""
    key_env: str = ""
    """Variable that usually holds its key; empty for a server on the own machine, which needs none."""


PRESETS: Final = (
    Preset("openrouter", "OpenRouter", "https://openrouter.ai/api/v1", "OPENROUTER_API_KEY"),
    Preset("groq", "Groq", "https://api.groq.com/openai/v1", "GROQ_API_KEY"),
    Preset("mistral", "Mistral", "https://api.mistral.ai/v1", "MISTRAL_API_KEY"),
    Preset("together", "Together", "https://api.together.xyz/v1", "TOGETHER_API_KEY"),
    Preset("deepseek", "DeepSeek", "https://api.deepseek.com/v1", "DEEPSEEK_API_KEY"),
    Preset("fireworks", "Fireworks", "https://api.fireworks.ai/inference/v1", "FIREWORKS_API_KEY"),
    # Google's own dialect has other paths; this is its endpoint for OpenAI's.
    Preset("gemini", "Gemini", "https://generativelanguage.googleapis.com/v1beta/openai", "GEMINI_API_KEY"),
    Preset("ollama", "Ollama", "http://127.0.0.1:11434/v1"),
    Preset("lmstudio", "LM Studio", "http://127.0.0.1:1234/v1"),
    Preset("llamacpp", "llama.cpp server", "http://127.0.0.1:8080/v1"),
    Preset("vllm", "vLLM", "http://127.0.0.1:8000/v1"),
    Preset("zai", "Z.ai", "https://api.z.ai/api/paas/v4", "ZAI_API_KEY"),
    Preset("moonshot", "Moonshot (Kimi)", "https://api.moonshot.ai/v1", "MOONSHOT_API_KEY"),
    Preset("ob1", "OB-1", "https://dashboard.openblocklabs.com/api/v1", "OB1_API_KEY"),
    Preset("github-models", "GitHub Models", "https://models.github.ai/inference", "GITHUB_TOKEN"),
)


def provider_of(preset: Preset) -> Provider:
    """The provider that a preset describes."""

    def default_url(_endpoints: EndpointsConfig) -> str:
        return preset.url

    return evolve(
        OPENAI_COMPATIBLE,
        name=preset.name,
        title=preset.title,
        default_url=default_url,
        key_env=preset.key_env,
        usual_path=urlsplit(preset.url).path,
        key_optional=not preset.key_env,
    )


PROVIDERS: Final = tuple(map(provider_of, PRESETS))
