"""A token endpoint with single-use, rotating refresh tokens, and everything that can go wrong with one.

    issuer = Issuer()
    tokens = issuer.grant("main")
    script = by_path({TOKEN_PATH: issuer, "/v1/messages": issuer.protect(repeat(plain("hi")))})

A refresh token works once; showing it again revokes its whole family, as vendors do. Rotation is
committed the moment the request is read; what the fault does then happens to the answer.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

from attrs import define, field, frozen

from tests.fakes.anthropic import json_answer, unauthorized
from tests.fakes.http1 import Headers
from tests.fakes.upstream import Answer, End, Framing, Pause, Request, Respond, Script, respond

TOKEN_PATH = "/v1/oauth/token"
ORGANIZATION = "22222222-aaaa-bbbb-cccc-000000000001"
ABSENT: Any = object()
"""As a field's value in `odd`: leave the field out."""

Document = dict[str, Any]
Commit = Callable[[], Document]
"""Rotates the token and returns the reply, or raises Refused."""
Fault = Callable[[Commit], Answer]


@frozen
class Tokens:
    """One generation of a grant."""

    access: str
    refresh: str


@define(eq=False)
class Family:
    """All generations of one grant."""

    name: str
    account: str
    generation: int = 1
    expired: int = 0
    """Access tokens up to this generation are no longer accepted."""
    revoked: bool = False

    def at(self, generation: int) -> Tokens:
        """Return the tokens of a generation."""
        return Tokens(
            f"sk-ant-oat01-test-{self.name}-{generation}", f"sk-ant-ort01-test-{self.name}-{generation}"
        )

    @property
    def tokens(self) -> Tokens:
        """The newest generation."""
        return self.at(self.generation)


@frozen
class Call:
    """One request to the endpoint."""

    at: float
    """Trio's clock."""
    fields: Document
    encoding: str
    """`json` or `form`."""
    request: Request


class Refused(Exception):
    """The endpoint says no; the text is OAuth's error code."""


@define(eq=False)
class Issuer:
    """The endpoint: give it to a script."""

    lifetime: float = 28_800
    """Seconds, as `expires_in`."""
    families: dict[str, Family] = field(factory=dict)
    calls: list[Call] = field(factory=list)
    faults: deque[Fault] = field(factory=deque)
    """What happens to the next calls, one each."""

    def grant(self, name: str, account: str = "") -> Tokens:
        """Make a new grant, as a person's log-in would."""
        number = len(self.families) + 1
        account = account or f"11111111-aaaa-bbbb-cccc-{number:012d}"
        family = self.families[name] = Family(name, account)
        return family.tokens

    def expire(self, name: str) -> None:
        """From now on the access tokens issued so far are answered with 401."""
        family = self.families[name]
        family.expired = family.generation

    def revoke(self, name: str) -> None:
        """End the grant, as a person does at the vendor."""
        self.families[name].revoked = True

    def accepts(self, access: str) -> bool:
        """Whether an access token is good."""
        return any(
            access == family.at(generation).access
            for family in self.families.values()
            if not family.revoked
            for generation in range(family.expired + 1, family.generation + 1)
        )

    def protect(self, script: Script) -> Respond:
        """Answer 401 to tokens that are not good, and let the others through."""
        inner = respond(script)
        return lambda request, n: inner(request, n) if self.accepts(request.key) else unauthorized()

    def __call__(self, request: Request, n: int) -> Answer:
        """Answer a refresh."""
        as_json = (request.get(b"content-type") or b"").startswith(b"application/json")
        fields = json.loads(request.body) if as_json else dict(parse_qsl(request.body.decode()))
        self.calls.append(Call(request.arrived, fields, "json" if as_json else "form", request))

        def commit() -> Document:
            return self._rotate(fields)

        try:
            return self.faults.popleft()(commit) if self.faults else json_answer(commit())
        except Refused as error:
            return refusal(str(error))

    def _rotate(self, fields: Document) -> Document:
        if fields.get("grant_type") != "refresh_token" or not fields.get("client_id"):
            msg = "invalid_request"
            raise Refused(msg)
        token = fields.get("refresh_token")
        family = next((it for it in self.families.values() if token in _refreshes(it)), None)
        if family is None:
            msg = "invalid_grant"
            raise Refused(msg)
        if family.revoked or token != family.tokens.refresh:
            family.revoked = True
            msg = "invalid_grant"
            raise Refused(msg)
        family.generation += 1
        return {
            "token_type": "Bearer",
            "access_token": family.tokens.access,
            "refresh_token": family.tokens.refresh,
            "expires_in": self.lifetime,
            "scope": "user:inference user:profile",
            "account": {"uuid": family.account, "email_address": f"{family.name}@example.test"},
            "organization": {"uuid": ORGANIZATION, "name": "test"},
        }


def _refreshes(family: Family) -> set[str]:
    return {family.at(generation).refresh for generation in range(1, family.generation + 1)}


def refusal(error: str = "invalid_grant", status: int = 400) -> Answer:
    """A well-formed OAuth error."""
    description = "Refresh token not found or invalid"
    return json_answer({"error": error, "error_description": description}, status)


def refused(error: str = "invalid_grant", status: int = 400) -> Fault:
    """Refuse without a rotation."""
    return lambda commit: refusal(error, status)


def slow(seconds: float) -> Fault:
    """Rotate, and answer late."""

    def fault(commit: Commit) -> Answer:
        answer = json_answer(commit())
        return Answer(answer.status, answer.headers, (Pause(seconds), *answer.steps), Framing.CHUNKED)

    return fault


def lost(after: float = 0.0) -> Fault:
    """Rotate, and reset the connection instead of answering."""

    def fault(commit: Commit) -> Answer:
        commit()
        return Answer(framing=Framing.RAW, steps=(Pause(after), End.RST))

    return fault


def broken() -> Fault:
    """Reset the connection before anything was rotated."""
    return lambda commit: Answer(framing=Framing.RAW, steps=(End.RST,))


def failing(status: int, body: bytes = b"", headers: Headers = ()) -> Fault:
    """Any answer without a rotation: 429, 500, a page of HTML, nothing at all, a redirect."""
    return lambda commit: Answer(status, headers, (body,) if body else ())


def odd(**fields: Any) -> Fault:
    """Rotate, and change fields of the reply (ABSENT leaves one out)."""

    def fault(commit: Commit) -> Answer:
        document = {**commit(), **fields}
        return json_answer({name: value for name, value in document.items() if value is not ABSENT})

    return fault


def replying(body: bytes, headers: Headers = ((b"content-type", b"application/json"),)) -> Fault:
    """Rotate, and answer 200 with these bytes."""

    def fault(commit: Commit) -> Answer:
        commit()
        return Answer(200, headers, (body,))

    return fault
