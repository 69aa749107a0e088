from __future__ import annotations

import json

import pytest
from attrs import evolve

from shunt.accounts.outcomes import Outcome, Verdict
from shunt.errors import AllCooling, NotFound
from shunt.gateway.answer import failure_of, refusal, relayed, verbatim
from shunt.gateway.attempt import Attempt, Body
from shunt.gateway.refusals import UpstreamFailed
from shunt.gateway.wording import Rendition
from shunt.inference.inbound import Inbound, Operation, Outline
from shunt.protocols import PROTOCOLS, protocol_named
from shunt.protocols.base import Protocol
from shunt.wire.headers import Headers

MESSAGES = protocol_named("anthropic-messages")
INBOUND = Inbound(
    id="req_7",
    protocol="anthropic-messages",
    operation=Operation.GENERATE,
    method="POST",
    path="/v1/messages",
    query=b"",
    headers=(),
    body=b"",
    outline=Outline(),
    arrived_at=0.0,
)


def failed(status: int, body: bytes, headers: Headers = ((b"content-type", b"application/json"),)) -> Attempt:
    return Attempt(Outcome("a", Verdict.BROKEN, 0.0, status), status, headers, Body((body,), None, None))


def test_the_vendors_headers_travel_without_those_of_its_site() -> None:
    """Limits, ids and unknown headers go on; cookies, redirects, CORS and hop-by-hop ones stay."""
    headers = relayed(
        (
            (b"Request-Id", b"req_1"),
            (b"anthropic-ratelimit-unified-status", b"allowed"),
            (b"X-Unknown", b"kept"),
            (b"Set-Cookie", b"a=b"),
            (b"Location", b"https://elsewhere.example"),
            (b"Access-Control-Allow-Origin", b"*"),
            (b"Alt-Svc", b"h3"),
            (b"Connection", b"x-hop"),
            (b"X-Hop", b"1"),
            (b"Content-Length", b"3"),
            (b"x-shunt-account", b"forged"),
        )
    )
    assert [name for name, _ in headers] == [
        b"Request-Id",
        b"anthropic-ratelimit-unified-status",
        b"X-Unknown",
    ]


def test_a_page_never_becomes_a_page_of_ours() -> None:
    """HTML from an upstream is sent as plain text: it must not run on this origin."""
    assert relayed(((b"content-type", b"Text/HTML; charset=x"),)) == (
        (b"content-type", b"text/plain; charset=utf-8"),
    )


def test_a_vendors_error_keeps_every_byte() -> None:
    """Agents read these texts: status and body are passed as they came, marked with the account."""
    body = b'{"type":"error" , "error":{"type":"x","message":"\\u00e9"}}'
    answer = verbatim(failed(422, body), INBOUND, MESSAGES, 2)
    assert (answer.status, answer.body) == (422, body)
    assert (b"x-shunt-account", b"a") in answer.headers
    assert (b"x-shunt-attempts", b"2") in answer.headers


@pytest.mark.parametrize("protocol", PROTOCOLS, ids=lambda protocol: protocol.name)
def test_a_page_in_place_of_an_error_becomes_a_short_error(protocol: Protocol) -> None:
    """A gateway's HTML is not shown to an agent; the status is kept, in the caller's shape."""
    answer = verbatim(failed(502, b"<html><h1>Bad Gateway</h1></html>"), INBOUND, protocol, 1)
    assert answer.status == 502
    assert isinstance(answer.body, bytes)
    assert json.loads(answer.body)["error"]["message"]
    assert b"<html>" not in answer.body


def test_a_wait_is_told_in_whole_seconds_from_now() -> None:
    """The retry-after is what is left until the reset; above a minute clients are told not to retry."""
    soon = failure_of(AllCooling("spent", 130.0), "req_7", now=100.0)
    late = failure_of(AllCooling("spent", 1000.0), "req_7", now=100.0)
    unknown = failure_of(AllCooling("spent", None), "req_7", now=100.0)
    assert (soon.retry_after, soon.should_retry) == (30.0, None)
    assert (late.retry_after, late.should_retry) == (900.0, False)
    assert (unknown.retry_after, unknown.should_retry) == (None, None)


@pytest.mark.parametrize("protocol", PROTOCOLS, ids=lambda protocol: protocol.name)
def test_our_own_errors_come_in_the_callers_shape(protocol: Protocol) -> None:
    """Every protocol gets its own error document, with the request id."""
    answer = refusal(NotFound("no account is named x"), INBOUND, protocol, 0, 0.0)
    assert answer.status == 404
    assert isinstance(answer.body, bytes)
    assert "no account is named x" in json.loads(answer.body)["error"]["message"]
    assert (b"x-shunt-request-id", b"req_7") in answer.headers


def test_a_failure_without_an_answer_is_told_by_us() -> None:
    """When no account even answered, the client gets an error with every account's trouble in it."""
    silent = Attempt(Outcome("a", Verdict.UNREACHABLE, 0.0))
    answer = refusal(
        UpstreamFailed("no account could answer (a: refused)", silent), INBOUND, MESSAGES, 1, 0.0
    )
    assert answer.status == 502
    assert isinstance(answer.body, bytes)
    assert b"a: refused" in answer.body


@pytest.mark.parametrize("protocol", PROTOCOLS, ids=lambda protocol: protocol.name)
@pytest.mark.parametrize("vendor", ["anthropic-messages", "openai-chat"])
def test_an_unpaid_bill_keeps_its_status(protocol: Protocol, vendor: str) -> None:
    """402 stays 402 in every protocol's words, and no number stands where its code belongs."""
    rendition = Rendition(evolve(INBOUND, protocol=vendor))
    told = evolve(failed(402, b'{"error":{"message":"pay","code":402}}'), rendition=rendition)
    answer = verbatim(told, evolve(INBOUND, protocol=protocol.name), protocol, 1)
    assert answer.status == 402
    assert isinstance(answer.body, bytes)
    if vendor != protocol.name:
        assert b'"402"' not in answer.body
        assert json.loads(answer.body)["error"]["type"] in ("billing_error", "insufficient_quota")
