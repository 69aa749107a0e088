"""Servers of other makers that speak a vendor's dialect; the account names the address."""

from __future__ import annotations

from typing import Final

from shunt.limits.headers import parse_anthropic
from shunt.models.families import family_of
from shunt.providers.anthropic_answers import classify
from shunt.providers.anthropic_headers import authenticate
from shunt.providers.base import Provider, Route

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
