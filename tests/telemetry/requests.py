"""Recordings of requests for tests of whatever watches them."""

from __future__ import annotations

from typing import Any

from attrs import evolve

from shunt.accounts.outcomes import Outcome, Verdict
from shunt.gateway.attempt import Attempt, Body
from shunt.gateway.recording import Recording
from shunt.inference.inbound import Inbound, Operation, Outline
from shunt.protocols import protocol_named
from tests.fakes import anthropic
from tests.fakes.pools import T0
from tests.fakes.records import request_id

SECRET = "sk-ant-test-secret-0123456789"
WORDS = "the user's own private words about the launch"


def inbound(number: int = 1, **fields: Any) -> Inbound:
    """A streaming Messages request with a secret and content in it."""
    return Inbound(
        **{
            "id": request_id(number),
            "protocol": "anthropic-messages",
            "operation": Operation.GENERATE,
            "method": "POST",
            "path": "/v1/messages",
            "query": b"",
            "headers": (
                (b"x-api-key", SECRET.encode()),
                (b"user-agent", b"claude-cli/2"),
                (b"x-odd", WORDS.encode()),
            ),
            "body": WORDS.encode(),
            "outline": Outline(model="claude-opus-5-5", stream=True),
            "arrived_at": T0,
            "conversation": "c" * 32,
            **fields,
        }
    )


def recording(number: int = 1, **fields: Any) -> Recording:
    """A request that has just come in."""
    return Recording(inbound(number, **fields), lambda: T0 + 3, lambda _: None)


def answered(verdict: Verdict = Verdict.SERVED, **fields: Any) -> Attempt:
    """An attempt with an answer of five tokens."""
    tap = protocol_named("anthropic-messages").stream_tap()
    for piece in (*anthropic.opening_events(), *anthropic.closing_events()):
        tap.feed(piece)
    outcome = evolve(Outcome("a", verdict, T0, 200), **fields)
    return Attempt(outcome, outcome.status or 0, (), Body((), None, tap, is_stream=True))
