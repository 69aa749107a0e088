"""OpenAI itself, with API keys of its developer platform."""

from __future__ import annotations

from typing import Final

from shunt.config.types import EndpointsConfig
from shunt.limits.openai import parse_openai
from shunt.models.families import family_of
from shunt.providers.base import Provider, Route
from shunt.providers.openai_answers import classifier
from shunt.providers.openai_headers import authenticate

ROUTES: Final = (
    # With everything that belongs to a stored response.
    Route("*", "/v1/responses/…"),
    Route("POST", "/v1/chat/completions"),
    Route("GET", "/v1/models/…"),
    Route("POST", "/v1/embeddings"),
)


def _default_url(endpoints: EndpointsConfig) -> str:
    return endpoints.openai_url


PROVIDER: Final = Provider(
    name="openai",
    title="OpenAI",
    family="openai",
    maker="openai",
    # Reasoning is carried over from turn to turn here, and tools go with any effort.
    protocol="openai-responses",
    also_speaks=("openai-chat",),
    default_url=_default_url,
    key_env="OPENAI_API_KEY",
    routes=ROUTES,
    authenticate=authenticate,
    classify=classifier(parse_openai),
    parse_limits=parse_openai,
    model_family=family_of,
    version_in_url=True,
)
