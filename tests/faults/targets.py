"""What is fed with anything: each target takes bytes and raises only when shunt breaks a promise."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

import h11
import httpcore2 as httpcore

from shunt.errors import BodyTooLarge, InvalidRequest, UpstreamUnexpected
from shunt.inference.events import Event
from shunt.inference.request import GenerateRequest
from shunt.limits.headers import parse_anthropic
from shunt.limits.openai import parse_openai
from shunt.protocols import PROTOCOLS, protocol_named
from shunt.protocols.base import Protocol
from shunt.server.bounds import Bounds
from shunt.server.head import StrictConnection
from shunt.server.http1 import Http1
from shunt.upstream.http1 import AnswerReader
from shunt.wire import json, sse
from shunt.wire.encoding import decoded
from tests.inference import grammar
from tests.server.exchanges import read

Target = Callable[[bytes], None]
SMALL: Final = 1 << 16
TIGHT: Final = Bounds(fields=4, line=60, head=200)
ANSWER: Final = ((b"content-length", b"2"),)


def said(error: Exception, fitting: bool = True) -> None:
    """A refusal has words."""
    assert fitting
    assert str(error)


def pieces(data: bytes, *, whole: bool = False) -> list[bytes]:
    """The bytes as they may come, none of them empty: at once, or cut as the first of them says."""
    step = len(data) if whole else 1 + data[0] % 13 if data else 1
    return [data[at : at + step] for at in range(0, len(data), max(1, step))]


def events(data: bytes) -> None:
    """Server-sent events: any cut gives the same events, and every byte comes out again."""
    whole = sse.Decoder()
    at_once = list(whole.feed(data))
    rest = whole.close()
    raws = [event.raw for event in at_once] + ([rest.raw] if rest else [])
    if b"".join(raws) != data:
        raise AssertionError("bytes were lost or changed")
    for event in at_once:
        assert isinstance(event.name, str)
        assert event.data is None or isinstance(event.data, bytes)
    cut = sse.Decoder()
    raws = [event.raw for piece in pieces(data) for event in cut.feed(piece)]
    if raws != [event.raw for event in at_once]:
        raise AssertionError("events depend on how the bytes were cut")


def stream(protocol: Protocol, data: bytes) -> None:
    """A vendor's stream: its events are legal, every encoder can tell them, and the tap agrees to live."""
    decoder = protocol.codec.stream_decoder()
    came: list[Event] = []
    for event in sse.Decoder().feed(data + b"\n\n"):
        if event.data is not None:
            came += decoder.feed(event.name, event.data)
    came += decoder.close()
    grammar.check(came)
    for other in PROTOCOLS:
        encoder = other.codec.stream_encoder(ASKED, "req_test")
        for each in came:
            encoder.feed(each)
    tap = protocol.stream_tap()
    tap.feed(data)
    tap.close()


def request(protocol: Protocol, data: bytes) -> None:
    """A client's body: understood, or refused with words."""
    try:
        protocol.outline(data)
        protocol.codec.decode_request(json.decode(data, dict[str, Any]))
    except InvalidRequest as error:
        said(error)


def answer(protocol: Protocol, data: bytes) -> None:
    """A vendor's plain answer or error: understood, or called unexpected."""
    assert protocol.decode_error(500, (), data).message
    document = json.value(data)
    if isinstance(document, dict):
        try:
            protocol.codec.decode_answer(document)
        except UpstreamUnexpected as error:
            said(error)
    tap = protocol.body_tap()
    tap.feed(data)
    tap.close()


def head(data: bytes) -> None:
    """A request's head: an event, or a protocol error with a status."""
    connection = StrictConnection(Bounds())
    try:
        connection.receive_data(data)
        while (event := connection.next_event()) not in (h11.NEED_DATA, h11.PAUSED):
            if isinstance(event, h11.ConnectionClosed | h11.EndOfMessage):
                break
    except h11.RemoteProtocolError as error:
        said(error, 400 <= error.error_status_hint < 600)


def exchanges(data: bytes) -> None:
    """A client's bytes: the quick reader makes of them what the careful one does, however they are cut."""
    for chunks in (pieces(data, whole=True), pieces(data)):
        told = [read(kind(TIGHT), chunks, ANSWER) for kind in (Http1, StrictConnection)]
        if told[0] != told[1]:
            raise AssertionError(f"the quick reader says {told[0]}, the careful one {told[1]}")


def vendor(data: bytes) -> None:
    """A vendor's bytes: an answer, or a protocol error; the same however they are cut."""
    told = []
    for chunks in (pieces(data, whole=True), pieces(data)):
        reader, body = AnswerReader(), b""
        try:
            for chunk in chunks:
                reader.feed(chunk)
                body += reader.take()
            reader.end()
        except httpcore.RemoteProtocolError as error:
            said(error)
        told.append((reader.status, reader.headers, body, reader.complete, reader.fault is None))
        assert not reader.complete or 200 <= reader.status < 1000
    if told[0] != told[1]:
        raise AssertionError(f"whole it is {told[0]}, in pieces {told[1]}")


def limits(data: bytes) -> None:
    """Headers that tell of limits: windows or nothing."""
    lines = (line.partition(b":") for line in data.split(b"\n"))
    headers = tuple((name.strip(), value.strip()) for name, _, value in lines)
    for parse in (parse_anthropic, parse_openai):
        for window in parse(headers, 1_800_000_000.0):
            assert window.used is None or window.used >= 0


def body(data: bytes) -> None:
    """A compressed body: within its limit, or refused."""
    for encoding in ("gzip", "deflate", "zstd", "br", "gzip, zstd"):
        try:
            plain = decoded(data, encoding, SMALL)
        except (InvalidRequest, BodyTooLarge) as error:
            said(error)
        else:
            assert plain is None or len(plain) <= SMALL


ASKED: Final[GenerateRequest] = protocol_named("openai-chat").codec.decode_request(
    {"model": "m", "stream": True, "messages": [{"role": "user", "content": "hi"}]}
)
TARGETS: Final[Mapping[str, Target]] = {
    "events": events,
    "head": head,
    "exchanges": exchanges,
    "vendor": vendor,
    "limits": limits,
    "body": body,
    **{f"stream-{each.name}": partial(stream, each) for each in PROTOCOLS},
    **{f"request-{each.name}": partial(request, each) for each in PROTOCOLS},
    **{f"answer-{each.name}": partial(answer, each) for each in PROTOCOLS},
}
