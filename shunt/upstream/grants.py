"""Making and ending logins at a vendor: code exchange, device codes, whose it is, revocation (RFC 7009)."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeGuard
from urllib.parse import urlencode, urlsplit

import trio
from attrs import define, evolve, field, frozen

from shunt import __version__
from shunt.accounts.credential import Identity, Login
from shunt.accounts.secret import Secret
from shunt.accounts.succession import completed
from shunt.config.types import EndpointsConfig
from shunt.errors import CredentialError, LoginFailed, UpstreamError
from shunt.providers.base import LoginKind, UpstreamCall
from shunt.providers.sign_in import DeviceCode, SignIn, Ticket
from shunt.upstream.client import Upstream
from shunt.upstream.errors import address
from shunt.upstream.oauth import LONGEST_ANSWER, REFUSALS, REFUSING, TOKEN, error_code, renewed
from shunt.wire import json

ANSWER_WITHIN: Final = 30.0
"""Seconds for each call."""
PROFILE_WITHIN: Final = 10.0
INTERVAL: Final = 5.0
"""Seconds between two polls, where the vendor does not say."""
SLOWER: Final = 5.0
"""Seconds that `slow_down` adds (RFC 8628 §3.5)."""
LONGEST_INTERVAL: Final = 60.0
CODE_LIVES: Final = 15 * 60.0
"""Seconds after which a device code is given up."""
PENDING: Final = frozenset({403, 404})
"""Statuses with which the vendor says: nobody has typed the code yet."""
DEAD: Final = REFUSALS - {"not_found", "not_found_error"} | {"invalid_token"}
"""Error codes of a revocation that say: this token was no good any more."""
ENDED: Final = frozenset({"expired_token", "access_denied", "deviceauth_expired", "deviceauth_denied"})


@frozen
class Pairing:
    """A device code that waits to be typed."""

    user_code: str = field(repr=False)
    """What the person types. Worth a login to whoever has it: shown to that person only."""
    device: Secret = field(repr=False)
    interval: float
    """Seconds between two polls."""


@frozen
class Authorized:
    """A code to be exchanged for a login."""

    code: Secret = field(repr=False)
    verifier: Secret = field(repr=False)
    redirect: str
    state: Secret | None = field(default=None, repr=False)


@define(eq=False)
class Grants:
    """One vendor's endpoints for making and ending logins."""

    _upstream: Upstream
    _kind: LoginKind
    _sign_in: SignIn
    _endpoints: EndpointsConfig
    _now: Callable[[], float]
    """Epoch seconds."""
    _proxy: str = ""

    async def exchange(self, authorized: Authorized) -> Login:
        """Exchange a code for a login. A code works once. Raises LoginFailed."""
        url = self._kind.token_url(self._endpoints)
        fields = {
            "grant_type": "authorization_code",
            "code": authorized.code.reveal(),
            "redirect_uri": authorized.redirect,
            "client_id": self._kind.client_id,
            "code_verifier": authorized.verifier.reveal(),
        }
        if self._sign_in.tells_state and authorized.state is not None:
            fields["state"] = authorized.state.reveal()
        status, body = await self._post(url, fields, self._kind.encoding)
        if not 200 <= status < 300:
            raise _refusal(status, body, f"{address(url)} did not accept the login")
        try:
            login = renewed(_BLANK, self._kind, body, self._now(), address(url))
        except CredentialError as error:
            raise LoginFailed(str(error)) from error
        if not login.refresh:
            raise LoginFailed(f"{address(url)} gave a login that cannot be renewed; it was not stored.")
        return login

    async def identified(self, login: Login) -> Login:
        """Return the login with whose it is, as far as the vendor's profile says. Never fails."""
        if self._sign_in.profile is None:
            return login
        url = self._sign_in.profile(self._endpoints)
        headers = {
            "Accept": "application/json",
            "Authorization": f"Bearer {login.access.reveal()}",
            **self._sign_in.profile_headers,
        }
        with trio.move_on_after(PROFILE_WITHIN):
            try:
                status, body = await self._send("GET", url, headers, b"")
            except LoginFailed:
                return login
            document = json.value(body) if status == 200 else None
            told = self._sign_in.read_profile(document) if isinstance(document, dict) else Identity()
            if not login.identity.contradicts(told):
                return evolve(login, identity=completed(login.identity, told))
        return login

    async def revoke(self, login: Login) -> None:
        """End a login at the vendor. Raises LoginFailed when the vendor did not confirm it."""
        url = self._sign_in.revoke(self._endpoints)
        token, hint = (login.refresh, "refresh_token") if login.refresh else (login.access, "access_token")
        fields = {"token": token.reveal(), "token_type_hint": hint, "client_id": self._kind.client_id}
        status, body = await self._post(url, fields, self._sign_in.revoke_encoding)
        if status in REFUSING and error_code(json.value(body)) in DEAD:
            return  # it had ended before
        if not 200 <= status < 300:
            raise _refusal(status, body, f"{address(url)} did not confirm that the login is ended")

    # ── Device codes ──────────────────────────────────────────────────────────────────────────────

    async def pair(self, device: DeviceCode) -> Pairing:
        """Ask for a device code. Raises LoginFailed."""
        url = device.start(self._endpoints)
        status, body = await self._post(url, {"client_id": self._kind.client_id}, "json")
        if status == 404:
            raise LoginFailed(f"{address(url)} offers no login by device code here; use --paste.")
        document = json.value(body)
        if not 200 <= status < 300 or not isinstance(document, dict):
            raise _refusal(status, body, f"{address(url)} gave no device code")
        user_code = document.get("user_code") or document.get("usercode")
        device_id = document.get("device_auth_id")
        if not _is_token(user_code) or not _is_token(device_id) or len(user_code) > 64:
            raise LoginFailed(f"{address(url)} answered with something that is not a device code.")
        return Pairing(user_code, Secret(device_id), _seconds(document.get("interval"), INTERVAL))

    async def authorized(self, device: DeviceCode, pairing: Pairing) -> Authorized:
        """Wait until the person has typed the code, asking as often as the vendor bears. Raises LoginFailed."""
        url, interval = device.poll(self._endpoints), pairing.interval
        fields = {"device_auth_id": pairing.device.reveal(), "user_code": pairing.user_code}
        with trio.move_on_after(CODE_LIVES):
            while True:
                await trio.sleep(interval)
                try:
                    status, body = await self._post(url, fields, "json")
                except Unreached:
                    interval = min(interval + SLOWER, LONGEST_INTERVAL)
                    continue  # the code lives on: a cable may have been pulled
                if 200 <= status < 300:
                    return _read_authorized(body, device.redirect(self._endpoints), address(url))
                code = error_code(json.value(body))
                if code in ENDED:
                    break
                if code == "slow_down" or status == 429 or status >= 500:
                    interval = min(interval + SLOWER, LONGEST_INTERVAL)
                elif code != "authorization_pending" and status not in PENDING:
                    raise _refusal(status, body, f"{address(url)} ended the login")
        raise LoginFailed(
            "The code has expired, or the login was declined. Run the command again for a new one."
        )

    # ── The wire ──────────────────────────────────────────────────────────────────────────────────

    async def _post(self, url: str, fields: Mapping[str, str], encoding: str) -> tuple[int, bytes]:
        as_json = encoding == "json"
        kind = "application/json" if as_json else "application/x-www-form-urlencoded"
        body = json.encode(dict(fields)) if as_json else urlencode(fields).encode()
        return await self._send("POST", url, {"Accept": "application/json", "Content-Type": kind}, body)

    async def _send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, bytes]:
        call = _call(method, url, headers, body, self._proxy)
        with trio.move_on_after(ANSWER_WITHIN):
            try:
                reply = await self._upstream.send(call)
                answer = await reply.read(LONGEST_ANSWER + 1, ANSWER_WITHIN)
            except UpstreamError as error:
                raise Unreached(str(error)) from error
            if len(answer) > LONGEST_ANSWER:
                raise LoginFailed(f"{address(url)} sent far more than an answer to a login.")
            return reply.status, answer
        raise Unreached(f"{address(url)} did not answer within {ANSWER_WITHIN:g} s.")


class Unreached(LoginFailed):
    """No answer came."""


_BLANK: Final = Login(access=Secret(""), refresh=Secret(""), expires_at=None)


def of_ticket(code: Secret, redirect: str, held: Ticket) -> Authorized:
    """A code that a redirect or a person brought."""
    return Authorized(code, held.verifier, redirect, held.state)


def _call(method: str, url: str, headers: Mapping[str, str], body: bytes, proxy: str) -> UpstreamCall:
    parts = urlsplit(url)
    if parts.scheme != "https" and parts.hostname not in ("127.0.0.1", "::1", "localhost"):
        raise LoginFailed(f"A login is not sent to {address(url)} without TLS; correct [endpoints].")
    named = {**headers, "User-Agent": f"shunt/{__version__}"}
    return UpstreamCall(
        account="",
        method=method,
        origin=f"{parts.scheme}://{parts.netloc}",
        target=(parts.path or "/").encode() + (f"?{parts.query}".encode() if parts.query else b""),
        headers=tuple((name.encode(), value.encode()) for name, value in named.items()),
        body=body,
        proxy=proxy,
    )


def _read_authorized(body: bytes, redirect: str, host: str) -> Authorized:
    document = json.value(body)
    found: Mapping[str, Any] = document if isinstance(document, dict) else {}
    code, verifier = found.get("authorization_code"), found.get("code_verifier")
    if not _is_token(code) or not _is_token(verifier):
        raise LoginFailed(f"{host} confirmed the login without the code for it.")
    return Authorized(Secret(code), Secret(verifier), redirect)


def _refusal(status: int, body: bytes, what: str) -> LoginFailed:
    code = error_code(json.value(body))
    cure = (
        " The code was used before, or came too late; run the command again."
        if code == "invalid_grant"
        else ""
    )
    return LoginFailed(f"{what}: status {status}{f' ({code})' if code else ''}.{cure}")


def _is_token(value: object) -> TypeGuard[str]:
    return isinstance(value, str) and TOKEN.fullmatch(value) is not None


def _seconds(value: Any, otherwise: float) -> float:
    try:
        seconds = (
            float(value)
            if isinstance(value, (int, float, str)) and not isinstance(value, bool)
            else otherwise
        )
    except ValueError:
        return otherwise
    return min(max(seconds, 1.0), LONGEST_INTERVAL) if math.isfinite(seconds) else otherwise
