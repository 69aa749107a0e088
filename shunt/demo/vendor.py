"""The simulated vendor: what it answers to which request, and what it remembers of its accounts.

It speaks as much of the Anthropic API as shunt and an agent behind it use, with the headers, status
codes and refusals of the real one, so that everything shunt does in the demo it does for real.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import count
from typing import Any
from urllib.parse import parse_qsl

from attrs import define, field

from shunt.demo import words
from shunt.demo.http1 import Answer, Headers, Request
from shunt.demo.login import SimulatedLogin
from shunt.demo.quota import Quota
from shunt.wire import json

TOKEN_PATH = "/v1/oauth/token"  # noqa: S105 - an address
PACE = 0.06
"""Seconds between two tokens, about what a real model needs."""
THINKING = 0.6
"""Seconds before an answer that comes in one piece."""
LIFETIME = 8 * 3600
"""Seconds that an access token is said to last."""


@define(eq=False)
class SimulatedAccount:
    """One account at the vendor. The two records in it are replaced, never changed."""

    login: SimulatedLogin
    quota: Quota
    refreshes: int = 0
    """How often the login was renewed."""


@define(eq=False)
class Vendor:
    """All accounts, and one method that answers a request. It never waits."""

    now: Callable[[], float]
    """Epoch seconds."""
    accounts: dict[str, SimulatedAccount] = field(factory=dict)
    """By name."""
    _numbers: count[int] = field(factory=lambda: count(1))

    def end_access(self, account: str) -> None:
        """End an account's access token, as happens to real ones every few hours."""
        mine = self.accounts[account]
        mine.login = mine.login.end()

    def refreshes(self, account: str) -> int:
        """How often shunt has renewed the login of `account`."""
        return self.accounts[account].refreshes

    def answer(self, request: Request) -> Answer:
        """Answer one request."""
        if (request.method, request.path) == ("POST", TOKEN_PATH):
            return self._renew(request)
        account = self._caller(request)
        if account is None:
            return self._refuse(401, "authentication_error", "OAuth token has expired or was revoked.")
        match request.method, request.path:
            case "POST", "/v1/messages":
                return self._speak(account, request)
            case "POST", "/v1/messages/count_tokens":
                return self._document({"input_tokens": words.tokens_in(request.body)})
            case "GET", "/v1/models":
                return self._document(words.models())
            case "GET", "/api/oauth/usage":
                return self._document(account.quota.report(self.now()))
            case _:
                return self._refuse(404, "not_found_error", "The simulated vendor has no such call.")

    def _caller(self, request: Request) -> SimulatedAccount | None:
        """The account whose access token came with the request."""
        token = request.header("authorization").removeprefix("Bearer ")
        return next((it for it in self.accounts.values() if it.login.accepts(token)), None)

    def _speak(self, account: SimulatedAccount, request: Request) -> Answer:
        """Answer a Messages request, if the account has quota left."""
        document = json.value(request.body)
        if not isinstance(document, dict) or not isinstance(document.get("messages"), list):
            return self._refuse(400, "invalid_request_error", "messages: Field required")
        now = self.now()
        left = account.quota.take(now)
        if left is None:
            wait = f"{max(1.0, (account.quota.resets_at or now) - now):.0f}"
            limits = (*account.quota.headers(now, rejected=True), ("retry-after", wait))
            text = "This request would exceed your account's rate limit. Please try again later."
            return self._refuse(429, "rate_limit_error", text, limits)
        account.quota = left
        number = next(self._numbers)
        model = str(document.get("model") or words.MODELS[0])
        tokens = words.reply(account.login.account, document)
        read = words.tokens_in(request.body)
        limits = left.headers(now)
        if document.get("stream") is not True:
            return self._document(words.message(number, model, tokens, read), limits, THINKING)
        pieces = words.events(number, model, tokens, read)
        return self._reply(200, "text/event-stream; charset=utf-8", pieces, limits, PACE)

    def _renew(self, request: Request) -> Answer:
        """The token endpoint: a refresh token works once."""
        form = json.value(request.body)
        if not isinstance(form, dict):  # OAuth's own format; the vendor takes both
            form = dict(parse_qsl(request.body.decode("latin-1")))
        shown = form.get("refresh_token")
        for account in self.accounts.values():
            renewed = account.login.rotate(str(shown))
            if renewed is not None:
                account.login = renewed
                account.refreshes += 1
                return self._document(
                    {
                        "token_type": "Bearer",
                        "access_token": renewed.access,
                        "refresh_token": renewed.refresh,
                        "expires_in": LIFETIME,
                        "scope": "user:inference user:profile",
                    }
                )
        refusal = {"error": "invalid_grant", "error_description": "Refresh token not found or invalid"}
        return self._reply(400, "application/json", [json.encode(refusal)])

    def _refuse(self, status: int, kind: str, text: str, headers: Headers = ()) -> Answer:
        refusal = json.encode(words.error(kind, text, next(self._numbers)))
        return self._reply(status, "application/json", [refusal], headers)

    def _document(self, document: dict[str, Any], headers: Headers = (), pause: float = 0.0) -> Answer:
        return self._reply(200, "application/json", [json.encode(document)], headers, pause)

    def _reply(
        self, status: int, content: str, pieces: Iterable[bytes], headers: Headers = (), pause: float = 0.0
    ) -> Answer:
        identity = ("request-id", f"req_demo{next(self._numbers):06d}")
        return Answer(status, (("content-type", content), identity, *headers), pieces, pause)
