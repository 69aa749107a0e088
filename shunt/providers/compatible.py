"""Servers of other makers that speak a vendor's dialect; the account names the address."""

from __future__ import annotations

from typing import Final

from shunt.limits.headers import parse_anthropic
from shunt.limits.openai import parse_openai
from shunt.models.families import family_of
from shunt.providers import openai_headers
from shunt.providers.anthropic_answers import classify
from shunt.providers.anthropic_headers import authenticate
from shunt.providers.base import Provider, Route
from shunt.providers.openai_answers import classifier

ANTHROPIC_COMPATIBLE: Final = Provider(
    name="anthropic-compatible",
    title="Anthropic-compatible server",
    family="anthropic",
    protocol="anthropic-messages",
    default_url=None,
    key_env="",
    routes=(
        Route("POST", "/v1/messages"),
        Route("POST", "/v1/messages/count_tokens"),
        Route("GET", "/v1/models/…"),
        Route("*", "/v1/messages/batches/…", api_key_only=True),
    ),
    authenticate=authenticate,
    classify=classify,
    parse_limits=parse_anthropic,
    model_family=family_of,
)

OPENAI_ROUTES: Final = (
    Route("POST", "/v1/chat/completions"),
    Route("GET", "/v1/models/…"),
    Route("POST", "/v1/embeddings"),
)
"""What such servers have in common. Few have Responses, and none of them all of it."""

OPENAI_COMPATIBLE: Final = Provider(
    name="openai-compatible",
    title="OpenAI-compatible server",
    family="openai",
    protocol="openai-chat",
    default_url=None,
    key_env="",
    routes=OPENAI_ROUTES,
    authenticate=openai_headers.authenticate,
    classify=classifier(parse_openai),
    parse_limits=parse_openai,
    model_family=family_of,
    version_in_url=True,
    key_optional=True,
)
