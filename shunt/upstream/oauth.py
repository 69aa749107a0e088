"""Renewing a login at the vendor's token endpoint (OAuth 2, RFC 6749 §6).

The refresh token is spent by the call: whoever calls this has to see the answer safely stored, which
is what `custody` is for. Nothing here tries a second time.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

import trio
from attrs import define, evolve

from shunt import __version__
from shunt.accounts.credential import Identity, Login
from shunt.accounts.secret import Secret
from shunt.accounts.succession import completed
from shunt.errors import CredentialError, ReauthRequired, RefreshFailed, UpstreamError, UpstreamUnreachable
from shunt.limits.durations import parse_retry_after
from shunt.providers.base import LoginKind, UpstreamCall
from shunt.upstream.client import Upstream
from shunt.upstream.errors import address
from shunt.wire import json
from shunt.wire.headers import Headers

ANSWER_WITHIN: Final = 30.0
"""Seconds for the whole exchange."""
LONGEST_ANSWER: Final = 64 * 1024
LONGEST_TOKEN: Final = 16 * 1024
TOKEN: Final = re.compile(rf"[!-~]{{1,{LONGEST_TOKEN}}}")
"""Printable ASCII without blanks: what can stand in a header."""
SHORTEST, LONGEST = 60.0, 400 * 86_400.0
"""Seconds a token's life may sensibly be said to last."""
MILLISECONDS_FROM: Final = 1e7
"""No access token lives for 115 days: from here on `expires_in` counts milliseconds."""
ASSUMED_LIFE: Final = 3600.0
"""Seconds, when the answer does not say it sensibly. The server's 401 has the last word anyway."""

REFUSALS: Final = frozenset(
    {
        "invalid_grant",  # RFC 6749 §5.2
        "refresh_token_reused",  # OpenAI
        "refresh_token_expired",
        "refresh_token_invalidated",
        "invalid_refresh_token",
        "token_revoked",
        "not_found",
        "not_found_error",  # Anthropic's shape
    }
)
"""Error codes with which a vendor says that this refresh token will never work again."""
REFUSING: Final = frozenset({400, 401, 403, 404})


@define(eq=False)
class TokenEndpoint:
    """Exchanges a login for its successor."""

    _upstream: Upstream
    _now: Callable[[], float]

    async def refresh(self, login: Login, kind: LoginKind, url: str, proxy: str = "") -> Login:
        """Spend the login's refresh token and return the login that replaces it.

        Raises:
            ReauthRequired: the vendor refused the token, or answered with another account's login.
            RefreshFailed: anything that may pass; `answer_lost` when the token may be spent.
        """
        host = address(url)
        call = _call(login, kind, url, proxy)
        with trio.move_on_after(ANSWER_WITHIN):
            status, headers, body = await self._exchange(call, host)
            if 200 <= status < 300:
                return renewed(login, kind, body, self._now(), host)
            raise _refusal(status, headers, body, self._now(), host)
        msg = f"{host} did not answer within {ANSWER_WITHIN:g} s."
        raise RefreshFailed(msg, answer_lost=True)

    async def _exchange(self, call: UpstreamCall, host: str) -> tuple[int, Headers, bytes]:
        try:
            reply = await self._upstream.send(call)
        except UpstreamUnreachable as error:
            raise RefreshFailed(str(error)) from error
        except UpstreamError as error:
            raise RefreshFailed(str(error), answer_lost=True) from error
        body = await reply.read(LONGEST_ANSWER + 1, ANSWER_WITHIN)
        if len(body) > LONGEST_ANSWER:
            msg = f"{host} sent far more than a login."
            raise RefreshFailed(msg, answer_lost=True)
        return reply.status, reply.headers, body


def _call(login: Login, kind: LoginKind, url: str, proxy: str) -> UpstreamCall:
    parts = urlsplit(url)
    if parts.scheme != "https" and parts.hostname not in ("127.0.0.1", "::1", "localhost"):
        msg = f"A login is not sent to {address(url)} without TLS; correct the token URL under [endpoints]."
        raise RefreshFailed(msg)
    fields = {
        "grant_type": "refresh_token",
        "refresh_token": login.refresh.reveal(),
        "client_id": kind.client_id,
    }
    as_json = kind.encoding == "json"
    return UpstreamCall(
        account="",
        method="POST",
        origin=f"{parts.scheme}://{parts.netloc}",
        target=(parts.path or "/").encode() + (f"?{parts.query}".encode() if parts.query else b""),
        headers=(
            (b"Accept", b"application/json"),
            (b"Content-Type", b"application/json" if as_json else b"application/x-www-form-urlencoded"),
            (b"User-Agent", f"shunt/{__version__}".encode()),
        ),
        body=json.encode(fields) if as_json else urlencode(fields).encode(),
        proxy=proxy,
    )


# ── What the answer says ──────────────────────────────────────────────────────────────────────────


def renewed(login: Login, kind: LoginKind, body: bytes, now: float, host: str) -> Login:
    """Read a successful answer. Raises RefreshFailed or ReauthRequired; never quotes the answer."""
    document = json.value(body)
    if not isinstance(document, dict):
        msg = f"{host} answered with something that is not a login."
        raise RefreshFailed(msg, answer_lost=True)
    identity = _identity(login, kind, document, host)
    access = _token(document, "access_token", host)
    if access is None:
        msg = f"{host} answered without an access token."
        raise RefreshFailed(msg, answer_lost=True)
    scope = document.get("scope")
    return evolve(
        login,
        access=access,
        refresh=_token(document, "refresh_token", host) or login.refresh,
        expires_at=_end(document.get("expires_in"), kind.ends(access.reveal()), now),
        scopes=tuple(scope.split()) if isinstance(scope, str) and scope.strip() else login.scopes,
        identity=identity,
        id_token=_token(document, "id_token", host) or login.id_token,
    )


def _identity(login: Login, kind: LoginKind, answer: dict[str, Any], host: str) -> Identity:
    """Whose login it is: the one that was sent, or ReauthRequired."""
    held = {"access_token": login.access, "id_token": login.id_token}
    known = login.identity
    # A login that was stored without its owner may still say in its tokens whose it is.
    for told in kind.identities({name: token.reveal() for name, token in held.items() if token}):
        known = known if known.contradicts(told) else completed(known, told)
    for told in kind.identities(answer):
        if known.contradicts(told):
            msg = f"{host} returned a login of another account; it was not stored."
            raise ReauthRequired(msg)
        known = completed(known, told)
    return known


def _end(expires_in: Any, said: float | None, now: float) -> float:
    """Epoch seconds at which the access token ends: as the answer says, else as the token itself does."""
    if (seconds := lifetime(expires_in)) is None and said is not None and SHORTEST <= said - now <= LONGEST:
        return said
    return now + (ASSUMED_LIFE if seconds is None else seconds)


def lifetime(value: Any) -> float | None:
    """Seconds meant by `expires_in`: a number or its text, milliseconds recognised; None for nonsense."""
    try:
        seconds = (
            float(value) if isinstance(value, (int, float, str)) and not isinstance(value, bool) else math.nan
        )
    except (ValueError, OverflowError):
        seconds = math.nan
    if seconds >= MILLISECONDS_FROM:
        seconds /= 1000
    return seconds if SHORTEST <= seconds <= LONGEST else None


def _token(document: dict[str, Any], name: str, host: str) -> Secret | None:
    value = document.get(name)
    if value is None or value == "":
        return None
    if not isinstance(value, str) or not TOKEN.fullmatch(value):
        msg = f"{host} sent a malformed {name}; it was not stored."
        raise RefreshFailed(msg, answer_lost=True)
    return Secret(value)


def _refusal(status: int, headers: Headers, body: bytes, now: float, host: str) -> CredentialError:
    code = error_code(json.value(body))
    if status in REFUSING and code in REFUSALS:
        return ReauthRequired(f"{host} refused to renew the login ({code}).")
    said = f" ({code})" if code else ""
    if status == 429:
        message = f"{host} asks to wait before logins are renewed{said}."
    elif 300 <= status < 400:
        message = f"{host} redirected the renewal of a login, which is not followed (status {status})."
    else:
        message = f"{host} could not renew the login: status {status}{said}."
    return RefreshFailed(message, retry_after=parse_retry_after(headers, now))


def error_code(document: Any) -> str:
    """`{"error": "code"}` (RFC 6749) or `{"error": {"code" or "type": …}}` (the vendors' APIs)."""
    error = document.get("error") if isinstance(document, dict) else None
    codes = (error,) if not isinstance(error, dict) else (error.get("code"), error.get("type"))
    shown = [code for code in codes if isinstance(code, str) and re.fullmatch(r"[\w.-]{1,64}", code)]
    return next((code for code in shown if code in REFUSALS), shown[0] if shown else "")
