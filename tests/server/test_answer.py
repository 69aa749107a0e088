"""Answers: what goes out, and how a failure is told at every point of it."""

from __future__ import annotations

from typing import Any

import pytest

from shunt.errors import Kind
from shunt.inference.failure import Failure
from shunt.server.answer import Answer, outgoing
from shunt.server.errors import CONTROL
from shunt.server.routes import CHAT, MESSAGES, RESPONSES
from shunt.wire import json
from shunt.wire.headers import Headers, get

FAILURE = Failure(Kind.UNAVAILABLE, "no more time", request_id="req_1")


class Wire:
    """What was sent."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: Headers = ()
        self.body = b""
        self.ended = False

    async def send(self, event: Any) -> None:
        if event["type"] == "http.response.start":
            assert not self.status
            self.status, self.headers = event["status"], tuple(event["headers"])
        else:
            assert not self.ended
            self.body += event["body"]
            self.ended = not event["more_body"]


def answer(protocol: str, *, closing: bool = False) -> tuple[Wire, Answer]:
    wire = Wire()
    return wire, Answer(wire.send, "req_1", protocol, closing=closing)


async def begin(told: Answer, kind: bytes) -> None:
    await told(
        {
            "type": "http.response.start",
            "status": 200,
            "headers": [(b"Content-Type", kind)],
            "trailers": False,
        }
    )
    await told({"type": "http.response.body", "body": b"some", "more_body": True})


@pytest.mark.parametrize("protocol", [MESSAGES, CHAT, RESPONSES, CONTROL])
async def test_before_the_answer_a_failure_is_a_whole_response(protocol: str) -> None:
    """In the caller's shape, with our request id and a right length."""
    wire, told = answer(protocol)
    await told.fail(FAILURE, ((b"allow", b"GET"),))
    assert (wire.status, wire.ended) == (503, True)
    assert get(wire.headers, b"content-length") == b"%d" % len(wire.body)
    assert get(wire.headers, b"x-shunt-request-id") == b"req_1"
    assert get(wire.headers, b"allow") == b"GET"
    assert get(wire.headers, b"connection") is None
    document = json.value(wire.body)
    assert document["error"]["message"] == "no more time"
    assert "req_1" in wire.body.decode()


@pytest.mark.parametrize(
    ("protocol", "tail"),
    [(MESSAGES, b"event: error\n"), (CHAT, b'data: {"error":'), (RESPONSES, b"event: response.failed\n")],
)
async def test_in_a_stream_a_failure_is_the_protocol_s_event(protocol: str, tail: bytes) -> None:
    """The stream ends visibly broken, and properly framed."""
    wire, told = answer(protocol)
    await begin(told, b"text/event-stream; charset=utf-8")
    await told.fail(FAILURE)
    assert wire.body.startswith(b"some")
    assert tail in wire.body
    assert b"no more time" in wire.body
    assert wire.ended


async def test_in_any_other_body_the_end_is_missing() -> None:
    """Half a document must not look like a whole one."""
    wire, told = answer(MESSAGES)
    await begin(told, b"application/json")
    await told.fail(FAILURE)
    assert (wire.body, wire.ended) == (b"some", False)


async def test_after_the_answer_nothing_more_is_said() -> None:
    """A failure that comes too late is nobody's business."""
    wire, told = answer(CHAT)
    await begin(told, b"text/event-stream")
    await told({"type": "http.response.body", "body": b"", "more_body": False})
    await told.fail(FAILURE)
    assert wire.body == b"some"


async def test_a_connection_that_ends_with_the_answer_says_so() -> None:
    """So that the client sends nothing more on it."""
    wire, told = answer(CHAT, closing=True)
    await told.fail(FAILURE)
    assert get(wire.headers, b"connection") == b"close"


def test_headers_go_out_as_they_are_except_those_that_never_may() -> None:
    """Order and case stay; another site's words and another hop's stay behind; two of ours are added."""
    sent = (
        (b"Content-Type", b"text/event-stream"),
        (b"Set-Cookie", b"a=b"),
        (b"Request-Id", b"req_vendor"),
        (b"ACCESS-CONTROL-ALLOW-ORIGIN", b"*"),
        (b"Transfer-Encoding", b"chunked"),
        (b"Location", b"https://elsewhere.example"),
        (b"Cache-Control", b"no-cache"),
    )
    assert outgoing(sent, "req_1") == (
        (b"Content-Type", b"text/event-stream"),
        (b"Request-Id", b"req_vendor"),
        (b"Cache-Control", b"no-cache"),
        (b"x-shunt-request-id", b"req_1"),
        (b"x-content-type-options", b"nosniff"),
    )


async def test_only_the_control_routes_own_cookie_goes_out() -> None:
    """A vendor's never does, whatever it is called; ours does not leave on a proxy route."""
    own, other = (b"set-cookie", b"shunt_session_1=obviously-fake; Path=/"), (b"set-cookie", b"vendor=1")
    for protocol, expected in ((CONTROL, [own]), (MESSAGES, [])):
        wire, told = answer(protocol)
        await told({"type": "http.response.start", "status": 200, "headers": [own, other], "trailers": False})
        assert [pair for pair in wire.headers if pair[0] == b"set-cookie"] == expected
