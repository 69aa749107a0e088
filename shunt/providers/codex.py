"""ChatGPT logins: the backend that Codex talks to.

It speaks Responses, in a dialect of its own (see `protocols.openai_responses.codex`), and only streams.
Reading its limits costs nothing: they come with every answer, and from an endpoint of their own.
"""

from __future__ import annotations

import re
from hashlib import sha256
from typing import Final

from shunt.accounts.account import Account
from shunt.accounts.credential import Credential, Login
from shunt.config.types import EndpointsConfig
from shunt.inference.inbound import Inbound, Operation
from shunt.limits.codex import parse_codex, parse_codex_usage
from shunt.models.families import family_of
from shunt.providers import openai_headers
from shunt.providers.base import LoginKind, Provider, Route
from shunt.providers.codex_login import account_of, expiry_of, identities_of
from shunt.providers.codex_sign_in import SIGN_IN
from shunt.providers.openai_answers import classifier
from shunt.wire.headers import Headers, get, replaced, text, without

CLIENT_ID: Final = "app_EMoamEEZ73f0CkXaXp7hrann"
USUAL_PATH: Final = "/backend-api/codex"
USAGE: Final = "/wham/usage"
"""Where Codex reads its limits: under the backend, or at hosts that imitate it under `/api/codex`."""

ROUTES: Final = (
    Route("POST", "/v1/responses"),
    Route("POST", "/v1/responses/compact"),
    Route("GET", "/v1/models/…"),
    Route("GET", "/backend-api/wham/usage"),
    Route("GET", "/api/codex/usage"),
)

ORIGINATOR: Final = (b"originator", b"shunt")
"""Who speaks to the backend, where the client is not Codex itself, which says so."""
_SESSION: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
_SESSION_NAMES: Final = (b"session_id", b"session-id", b"conversation_id")
_STATE: Final = b"x-codex-turn-state"
_STATE_MARK: Final = "shunt1."


def authenticate(headers: Headers, credential: Credential) -> Headers:
    """Put the login in: its token, and the account that it is for."""
    headers = openai_headers.authenticate(headers, credential)
    account_id = account_of(credential) if isinstance(credential, Login) else ""
    return (*headers, (b"chatgpt-account-id", account_id.encode("ascii"))) if account_id else headers


def complete(account: Account, inbound: Inbound, headers: Headers) -> Headers:
    """The headers of a call, with what the backend expects beside those of the client."""
    headers = _with_own_state(headers, account)
    if inbound.operation not in (Operation.GENERATE, Operation.COMPACT):
        return headers
    if inbound.operation is Operation.GENERATE:
        headers = replaced(headers, b"accept", b"text/event-stream")
    if get(headers, ORIGINATOR[0]) is None:
        headers = (*headers, ORIGINATOR)
    session = inbound.outline.session
    if _SESSION.fullmatch(session) and not any(get(headers, name) for name in _SESSION_NAMES):
        headers = (*headers, (b"session_id", session.encode("ascii")))
    return headers


def shown(account: Account, headers: Headers) -> Headers:
    """An answer's headers as the client is to keep them.

    The turn's state is a token that only this account's backend understands. The client sends it back
    with the rest of the turn, perhaps to another account: so it is marked with whose it is.
    """
    state = text(headers, _STATE)
    if not state:
        return headers
    return replaced(headers, _STATE, f"{_STATE_MARK}{_fingerprint(account)}.{state}".encode())


def place(base: str, path: str) -> str:
    """Where a call goes: calls of the model under the backend's own path, the usage beside it."""
    base = base or USUAL_PATH
    if path in (USAGE, "/backend-api/wham/usage", "/api/codex/usage"):
        root = base.removesuffix("/v1").removesuffix("/codex")
        return root + USAGE if root.endswith("/backend-api") else root + "/api/codex/usage"
    return base + path.removeprefix("/v1")


def _with_own_state(headers: Headers, account: Account) -> Headers:
    state = text(headers, _STATE)
    if state is None or not state.startswith(_STATE_MARK):
        return headers
    whose, _, token = state.removeprefix(_STATE_MARK).partition(".")
    if whose != _fingerprint(account):
        return without(headers, {_STATE})
    return replaced(headers, _STATE, token.encode("ascii", "replace"))


def _fingerprint(account: Account) -> str:
    return sha256(account.name.encode()).hexdigest()[:12]


def _default_url(endpoints: EndpointsConfig) -> str:
    return endpoints.chatgpt_url


def _token_url(endpoints: EndpointsConfig) -> str:
    return endpoints.openai_token_url


PROVIDER: Final = Provider(
    name="codex",
    title="ChatGPT (Codex)",
    family="codex",
    maker="openai",
    protocol="openai-responses",
    default_url=_default_url,
    key_env="",
    routes=ROUTES,
    authenticate=authenticate,
    classify=classifier(parse_codex),
    parse_limits=parse_codex,
    model_family=family_of,
    parse_usage=parse_codex_usage,
    login=LoginKind(
        token_url=_token_url,
        client_id=CLIENT_ID,
        encoding="form",
        identities=identities_of,
        ends=expiry_of,
        usage_path=USAGE,
        sign_in=SIGN_IN,
        overrides=lambda logins: logins.openai,
    ),
    version_in_url=True,
    adapts=True,
    place=place,
    complete=complete,
    shown=shown,
)
