"""The vendors' free usage endpoints: how much of each window is spent, without spending anything.

They must not be polled: Anthropic's answers 429 per access token, for close to an hour and often with
`retry-after: 0`. Each token therefore has its own back-off.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import trio
from attrs import define, field, frozen

from shunt.accounts.account import Account
from shunt.accounts.credential import Credential, Login
from shunt.errors import UpstreamUnexpected
from shunt.limits.durations import parse_retry_after
from shunt.limits.windows import Window
from shunt.providers.base import Provider, UpstreamCall
from shunt.providers.build import split_url
from shunt.upstream.client import Upstream

FIRST_PAUSE: Final = 15 * 60.0
LONGEST_PAUSE: Final = 6 * 3600.0
LONGEST_ANSWER: Final = 64 * 1024
ANSWER_WITHIN: Final = 10.0


@frozen
class Pause:
    """A time during which one token is not asked about."""

    until: float
    """Epoch seconds."""
    seconds: float
    """How long it was; the next one doubles it."""


@define(eq=False)
class UsageEndpoint:
    """Asks for windows."""

    _upstream: Upstream
    _now: Callable[[], float]
    _pauses: dict[str, Pause] = field(factory=dict)
    """By fingerprint of the access token."""

    def pausing_until(self, credential: Credential) -> float | None:
        """Epoch seconds until which the endpoint wants to be left alone about this login."""
        pause = self._pauses.get(credential.access.fingerprint()) if isinstance(credential, Login) else None
        return pause.until if pause and pause.until > self._now() else None

    async def fetch(self, account: Account, provider: Provider, credential: Credential) -> tuple[Window, ...]:
        """Return what is known of the account's windows.

        Empty when the provider has no such endpoint, for API keys, and while it asks to be left alone.
        Raises UpstreamError when it cannot be reached or answers with anything but usage.
        """
        kind, parse = provider.login, provider.parse_usage
        if kind is None or not kind.usage_path or parse is None or not isinstance(credential, Login):
            return ()
        if self.pausing_until(credential) is not None:
            return ()
        with trio.move_on_after(ANSWER_WITHIN):
            reply = await self._upstream.send(_call(account, provider, credential, kind.usage_path))
            body = await reply.read(LONGEST_ANSWER, ANSWER_WITHIN)
            fingerprint = credential.access.fingerprint()
            if reply.status == 429:
                self._pause(fingerprint, parse_retry_after(reply.headers, self._now()))
                return ()
            if reply.status != 200:
                msg = f"The usage endpoint answered for {account.name} with status {reply.status}."
                raise UpstreamUnexpected(msg)
            self._pauses.pop(fingerprint, None)
            return parse(body, self._now())
        msg = f"The usage endpoint did not answer for {account.name} within {ANSWER_WITHIN:g} s."
        raise UpstreamUnexpected(msg)

    def _pause(self, fingerprint: str, asked: float | None) -> None:
        now = self._now()
        # Tokens come and go; what is long over is of no more use.
        self._pauses = {
            key: pause for key, pause in self._pauses.items() if pause.until > now - LONGEST_PAUSE
        }
        earlier = self._pauses.get(fingerprint)
        doubled = earlier.seconds * 2 if earlier else FIRST_PAUSE
        seconds = min(max(doubled, asked or 0.0), LONGEST_PAUSE)
        self._pauses[fingerprint] = Pause(now + seconds, seconds)


def _call(account: Account, provider: Provider, credential: Login, path: str) -> UpstreamCall:
    origin, base = split_url(account.base_url)
    target = provider.path_for(base, path)
    headers = provider.authenticate((*account.headers, (b"Accept", b"application/json")), credential)
    return UpstreamCall(account.name, "GET", origin, target.encode(), headers, b"", account.proxy)
