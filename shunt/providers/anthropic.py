"""Anthropic itself: Claude subscriptions (logins) and API keys of its developer platform."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from shunt.accounts.credential import Identity
from shunt.config.types import EndpointsConfig
from shunt.limits.headers import parse_anthropic, parse_usage_document
from shunt.models.families import family_of
from shunt.providers.anthropic_answers import classify
from shunt.providers.anthropic_headers import authenticate
from shunt.providers.anthropic_sign_in import SIGN_IN
from shunt.providers.base import LoginKind, Probe, Provider, Route

ROUTES: Final = (
    Route("POST", "/v1/messages"),
    Route("POST", "/v1/messages/count_tokens"),
    Route("GET", "/v1/models/…"),
    # Batches belong to the key that made them, and subscriptions have none.
    Route("*", "/v1/messages/batches/…", api_key_only=True),
    # What Claude Code reads from its API host: whether a domain may be fetched, addresses of
    # connectors, models to offer. All public or about the plan. Left out on purpose: telemetry
    # (/api/event_logging, /api/eval), the person behind an account (/api/oauth/profile), and the
    # switch for fast mode, which spends money beyond the plan (/api/claude_code_penguin_mode).
    Route("GET", "/api/web/domain_info"),
    Route("GET", "/api/directory/server-urls"),
    Route("GET", "/api/claude_cli/bootstrap"),
)

PROBE: Final = Probe(
    path="/v1/messages",
    headers=((b"content-type", b"application/json"),),
    # The smallest model: what a probe spends comes off the same windows.
    body=b'{"model":"claude-haiku-4-5","max_tokens":1,"messages":[{"role":"user","content":"."}]}',
)


def _default_url(endpoints: EndpointsConfig) -> str:
    return endpoints.anthropic_url


def _token_url(endpoints: EndpointsConfig) -> str:
    return endpoints.anthropic_token_url


def identities_of(answer: Mapping[str, Any]) -> tuple[Identity, ...]:
    """Whose login the token endpoint's answer is: it names the account and the organisation."""
    account, organization = answer.get("account"), answer.get("organization")
    return (
        Identity(
            account_id=_text(account, "uuid"),
            organization_id=_text(organization, "uuid"),
            email=_text(account, "email_address"),
        ),
    )


def _text(table: object, name: str) -> str:
    value = table.get(name) if isinstance(table, dict) else None
    return value if isinstance(value, str) and len(value) <= 320 else ""


PROVIDER: Final = Provider(
    name="anthropic",
    title="Anthropic",
    family="anthropic",
    maker="anthropic",
    protocol="anthropic-messages",
    default_url=_default_url,
    key_env="ANTHROPIC_API_KEY",
    routes=ROUTES,
    authenticate=authenticate,
    classify=classify,
    parse_limits=parse_anthropic,
    model_family=family_of,
    parse_usage=parse_usage_document,
    login=LoginKind(
        token_url=_token_url,
        client_id="9d1c250a-e61b-44d9-88ed-5944d1962f5e",
        encoding="json",
        identities=identities_of,
        usage_path="/api/oauth/usage",
        sign_in=SIGN_IN,
        overrides=lambda logins: logins.anthropic,
    ),
    probe=PROBE,
)
