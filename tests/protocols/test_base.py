"""What every protocol offers."""

from __future__ import annotations

from contextlib import suppress

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from shunt.errors import InvalidRequest, Kind
from shunt.inference.failure import Failure
from shunt.inference.inbound import Outline
from shunt.protocols import PROTOCOLS
from shunt.protocols.base import Protocol
from shunt.wire import json, sse
from tests.strategies import chunked

each = pytest.mark.parametrize("protocol", PROTOCOLS, ids=lambda protocol: protocol.name)


@each
@pytest.mark.parametrize("kind", Kind)
def test_every_kind_of_failure_has_words(protocol: Protocol, kind: Kind) -> None:
    """Each kind becomes an error answer with status, message and our request id, in JSON."""
    reply = protocol.encode_error(Failure(kind, "no can do", request_id="req_1"))
    assert 400 <= reply.status <= 599
    assert (b"content-type", b"application/json") in reply.headers
    document = json.value(reply.body)
    assert "no can do" in document["error"]["message"]
    assert document["error"]["type"]
    assert document["request_id"] == "req_1"


@each
@pytest.mark.parametrize("kind", Kind)
def test_an_error_read_back_is_the_same_kind(protocol: Protocol, kind: Kind) -> None:
    """What a client of ours makes of our error is what we meant, as far as the protocol has a word."""
    reply = protocol.encode_error(Failure(kind, "no can do", retry_after=3.2))
    back = protocol.decode_error(reply.status, reply.headers, reply.body)
    assert back.kind is kind
    assert back.retry_after == 4
    assert "no can do" in back.message


@each
@pytest.mark.parametrize(
    ("seconds", "header"),
    [(0.2, b"1"), (0.0, b"1"), (59.01, b"60"), (60.0, b"60"), (7200.5, b"7201"), (None, None)],
)
def test_retry_after_is_whole_seconds(
    protocol: Protocol, seconds: float | None, header: bytes | None
) -> None:
    """Rounded up and never 0, so that nobody comes back too early."""
    reply = protocol.encode_error(Failure(Kind.RATE_LIMITED, "later", retry_after=seconds))
    assert dict(reply.headers).get(b"retry-after") == header


@each
@pytest.mark.parametrize(
    ("kind", "asked", "header"),
    [
        (Kind.RATE_LIMITED, True, b"true"),
        (Kind.RATE_LIMITED, False, b"false"),
        (Kind.RATE_LIMITED, None, None),
        (Kind.NOT_OFFERED, None, b"false"),
    ],
)
def test_x_should_retry_is_said_when_known(
    protocol: Protocol, kind: Kind, asked: bool | None, header: bytes | None
) -> None:
    """A call that nobody offers is not worth repeating; otherwise the failure decides."""
    reply = protocol.encode_error(Failure(kind, "words", should_retry=asked))
    assert dict(reply.headers).get(b"x-should-retry") == header


@each
def test_a_status_the_vendor_chose_is_kept(protocol: Protocol) -> None:
    """An override reaches the client."""
    assert protocol.encode_error(Failure(Kind.INVALID_REQUEST, "words", status=422)).status == 422


@each
def test_a_stream_error_is_whole_events_and_fails_the_stream(protocol: Protocol) -> None:
    """The tap of the same protocol recognises the error, in a held stream as in a running one."""
    failure = Failure(Kind.OVERLOADED, "too much", request_id="req_1")
    for raw in (protocol.encode_stream_error(failure), protocol.end_held_stream(failure)):
        assert raw.endswith(b"\n\n")
        tap = protocol.stream_tap()
        tap.feed(raw)
        assert tap.failure is not None
        assert tap.failure.kind is Kind.OVERLOADED
        assert tap.failure.message == "too much"


@each
def test_a_message_in_odd_characters_can_be_sent(protocol: Protocol) -> None:
    """A failure that quotes half a surrogate pair or a line break does not break the answer."""
    failure = Failure(Kind.UPSTREAM, "half \ud83d\nof it")
    assert json.value(protocol.encode_error(failure).body)["error"]["message"]
    (event, *_) = sse.Decoder().feed(protocol.encode_stream_error(failure))
    assert json.value(event.data or b"")


@each
def test_keep_alives_are_invisible_to_the_answer(protocol: Protocol) -> None:
    """Keep-alives are complete, and never content, an end or an error."""
    tap = protocol.stream_tap()
    for nth in range(10):
        raw = protocol.keep_alive(nth)
        assert raw.endswith(b"\n\n")
        tap.feed(raw)
    tap.close()
    assert (tap.content, tap.finished, tap.failure) == (False, False, None)


def test_end_held_stream_is_the_stream_error_where_nothing_else_is_needed() -> None:
    """Only a protocol that says so ends a held stream differently."""
    failure = Failure(Kind.INTERNAL, "words")
    protocol = PROTOCOLS[0]
    assert protocol.end_held_stream(failure) == protocol.encode_stream_error(failure)
    other = evolve(protocol, encode_held_error=lambda _: b"other")
    assert other.end_held_stream(failure) == b"other"


@each
@given(body=st.binary(max_size=100) | st.sampled_from([b"[" * 9999, b'{"model":' * 9999]))
def test_any_body_has_an_outline_or_is_refused(protocol: Protocol, body: bytes) -> None:
    """A client's bytes have two outcomes, and neither is a crash."""
    with suppress(InvalidRequest):
        assert isinstance(protocol.outline(body), Outline)


@each
@given(status=st.integers(100, 999), body=st.binary(max_size=200))
def test_any_error_body_is_a_failure_with_words(protocol: Protocol, status: int, body: bytes) -> None:
    """Whatever an upstream sends as an error, the client is told something."""
    failure = protocol.decode_error(status, (), body)
    assert failure.message
    assert isinstance(failure.kind, Kind)


FRAGMENTS = st.sampled_from(
    [
        b"data: ",
        b"event: error\n",
        b"\n\n",
        b"\r\r",
        b'{"type":"message_delta","usage":{"output_tokens":"x"}}',
        b'{"type":"response.completed","response":{"usage":[1],"model":3}}',
        b'{"choices":[{"delta":5},null],"usage":{"prompt_tokens":-4}}',
        b'{"error":3}',
        b'{"type":["error"],"error":null}',
        b"[DONE]",
        b"{",
        b"\xff\xed",
    ]
)


@each
@given(data=st.data(), raw=st.lists(FRAGMENTS | st.binary(max_size=10), max_size=12).map(b"".join))
def test_taps_take_anything(protocol: Protocol, data: st.DataObject, raw: bytes) -> None:
    """Garbage of any cut never makes a tap raise, nor changes what it learns."""
    chunks = data.draw(chunked(raw))
    for make in (protocol.stream_tap, protocol.body_tap):
        tap, whole = make(), make()
        for chunk in chunks:
            tap.feed(chunk)
        tap.close()
        whole.feed(raw)
        whole.close()
        assert (tap.content, tap.finished, tap.failure, tap.usage, tap.model) == (
            whole.content,
            whole.finished,
            whole.failure,
            whole.usage,
            whole.model,
        )
