"""Rough treatment from both sides, beyond the rows of the catalogue: the process lives, nobody else notices."""

from __future__ import annotations

import gzip
import json

import pytest
import trio
from attrs import evolve

from tests.fakes import anthropic
from tests.fakes.client import raw_client, request
from tests.fakes.upstream import Answer, End, Forever, Framing, raw
from tests.faults.house import CHAT, MESSAGES, House
from tests.faults.stage import message
from tests.faults.test_client_protocol import BODY, CHUNKED, get, post, statuses
from tests.faults.test_upstream import EVENTS, HALF, MIB, OK, WHOLE, head

LENGTH = b"%d" % len(BODY)
LAST = b"0\r\n\r\n"


def chunk(data: bytes, extension: bytes = b"") -> bytes:
    """One chunk of a body."""
    return b"%x%s\r\n%s\r\n" % (len(data), extension, data)


INPUTS: dict[str, tuple[bytes, set[int]]] = {
    "chunk-extensions": (
        post(CHUNKED, body=b"".join(chunk(b"%c" % c, b";a=b" * 99) for c in BODY) + LAST),
        {200},
    ),
    "chunk-extension-nul": (post(CHUNKED, body=b"3;\0\r\nabc\r\n0\r\n\r\n"), {400}),
    "chunk-size-0x": (post(CHUNKED, body=b"0x3\r\nabc\r\n0\r\n\r\n"), {400}),
    "chunk-size-underscore": (post(CHUNKED, body=b"1_0\r\n" + bytes(16) + b"\r\n0\r\n\r\n"), {400}),
    "chunk-size-huge": (post(CHUNKED, body=b"f" * 16 + b"\r\nabc"), {400, 408, 413}),
    "chunk-bare-lf": (post(CHUNKED, body=b"%x\n%s\n0\n\n" % (len(BODY), BODY)), {400, 408}),
    "trailers-many": (
        post(CHUNKED, body=chunk(BODY) + b"0\r\n" + b"X: a\r\n" * 5000 + b"\r\n"),
        {200, 400, 431},
    ),
    "trailers-framing": (
        post(CHUNKED, body=chunk(BODY) + b"0\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"),
        {200, 400},
    ),
    "trailers-noise": (post(CHUNKED, body=chunk(BODY) + b"0\r\n\0\1\xff\r\n\r\n"), {400}),
    "chunked-http10": (post(CHUNKED, body=chunk(BODY) + LAST).replace(b"HTTP/1.1", b"HTTP/1.0"), {400}),
    "length-unicode": (post(length="٧٢".encode()), {400}),
    "length-underscore": (post(length=b"7_2"), {400}),
    "fields-empty": (get(*(b"X%d:" % n for n in range(90))), {200}),
    "keys-many": (get(*(b"Authorization: Bearer %d" % n for n in range(90))), {200, 400, 401}),
    "name-long": (get(b"X" * 60_000 + b": 1"), {200, 431}),
    "name-empty": (get(b": a"), {400}),
    "escape-codes": (get(b"X: \x1b[31m\x07"), {400}),
    "first-line-folded": (b"GET /v1/models HTTP/1.1\r\n Host: 127.0.0.1\r\n\r\n", {400}),
    "ranges": (get(b"Range: bytes=" + b",".join(b"%d-" % n for n in range(2000))), {200}),
    "codings": (post(b"Content-Encoding: " + b",".join([b"gzip"] * 50), length=LENGTH), {400, 415}),
    "proxy-protocol": (b"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n" + get(), {400}),
    "host-as-number": (get(host=b"2130706433"), {421}),
    "host-zone": (get(host=b"[::1%25lo]"), {400, 421}),
    "query-number": (get(target=b"/history?limit=" + b"9" * 5000), {400}),
    "deep": (post(length=b"500000", body=b"[" * 500_000), {400}),
    "digits": (
        post(length=b"%d" % (len(BODY) + 999_999), body=BODY.replace(b"9", b"9" * 1_000_000)),
        {200, 400},
    ),
}


@pytest.mark.parametrize("case", list(INPUTS))
async def test_rough_requests(house: House, case: str) -> None:
    """Served rightly or refused with a status that fits."""
    data, allowed = INPUTS[case]
    answer = await house.raw(data, within=6, silent=3 if 408 in allowed else 0.15)
    assert (statuses(answer) or [0])[0] in allowed, answer[:300]


async def test_a_thousand_pipelined_requests(house: House) -> None:
    """All are answered, in order; what is no request among them ends it there."""
    many = get(target=b"/health") * 499 + b"JUNK\r\n\r\n" + get(target=b"/health") * 500
    assert statuses(await house.raw(many, within=20, silent=10)) == [200] * 499 + [400]


async def test_very_many_things_that_cannot_be_said(house: House) -> None:
    """Fields of odd names that no other vendor knows: the answer's header about them is one that clients can
    read. Very many tools are refused, and nobody waits meanwhile."""
    more = {f"key{n}\x1b\u00e4": n for n in range(3000)}
    for n in range(20):  # wherever the list has to be cut
        answer = await house.ask(CHAT, body=message("hi", **{"k" * n: 1}, **more))
        assert answer.status == 200
        assert all(len(value) < 2000 for _, value in answer.headers)
    tools = [{"type": "function", "function": {"name": f"t{n}", "parameters": {}}} for n in range(100_000)]
    assert (await house.ask(CHAT, tools=tools)).status == 400


async def test_leaving_in_the_middle_of_everything(house: House) -> None:
    """Two hundred connections that reset in the head, in the body, or having asked."""
    whole = request(b"POST", MESSAGES, (), message("hi", stream=True))

    async def visit(cut: int) -> None:
        async with raw_client(house.port) as client:
            await client.send(whole[:cut])
            client.reset()

    async with trio.open_nursery() as nursery:
        for n in range(200):
            nursery.start_soon(visit, 1 + n * len(whole) // 200)


JSON = b"content-type: application/json"
DOCUMENT = json.dumps(anthropic.document("hello")).encode()
SIZED = b"content-length: %d" % len(DOCUMENT)
TAIL = EVENTS[-3:]


def events(*parts: bytes) -> Answer:
    """A stream in these chunks."""
    return Answer(200, anthropic.STREAM_HEADERS, parts, Framing.CHUNKED)


def delta(more: bytes) -> bytes:
    """An odd delta."""
    return b'event: content_block_delta\ndata: {"type":"content_block_delta",' + more + b"}\n\n"


def packed(content: bytes, coding: bytes = b"gzip") -> Answer:
    """An answer that says to be compressed."""
    return Answer(200, (*anthropic.JSON_HEADERS, (b"content-encoding", coding)), (content,))


ANSWERS: dict[str, Answer] = {
    "hints": raw(b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n" * 2000 + head(JSON, SIZED) + DOCUMENT),
    "interim-body": raw(b"HTTP/1.1 102 P\r\ncontent-length: 5\r\n\r\nabcde" + head(b"content-length: 0")),
    "trailers-endless": raw(
        head(JSON, b"transfer-encoding: chunked") + chunk(DOCUMENT) + b"0\r\n",
        Forever(b"x: y\r\n" * 999, 0.001),
    ),
    "extension-endless": raw(head(JSON, b"transfer-encoding: chunked") + b"5;", Forever(b"a" * 1000, 0.001)),
    "size-endless": raw(head(JSON, b"transfer-encoding: chunked"), Forever(b"0" * 1000, 0.001)),
    "both-lengths": raw(head(JSON, b"transfer-encoding: chunked", SIZED) + chunk(DOCUMENT) + LAST),
    "folded": raw(head(JSON, b"x: a\r\n b", SIZED) + DOCUMENT),
    "nul": raw(head(JSON, b"x: a\0b", SIZED) + DOCUMENT),
    "fields-many": raw(head(*(b"x%d: a" % n for n in range(2000)), JSON, SIZED) + DOCUMENT),
    "http2-words": raw(b"HTTP/2 200 OK\r\n\r\n" + DOCUMENT),
    "flood-after-end": raw(head(JSON, SIZED) + DOCUMENT, Forever(b"junk" * 1000, 0.001)),
    "length-beyond": raw(head(JSON, b"content-length: 99999999999999999999") + DOCUMENT, End.CUT),
    "reset-in-head": raw(OK + b"content-ty", End.RST),
    "close-unsaid": evolve(anthropic.plain("hello"), close=True),
    "bomb": packed(gzip.compress(bytes(200 * MIB), 1)),
    "bomb-in-bomb": packed(gzip.compress(gzip.compress(bytes(300 * MIB), 1)), b"gzip, gzip"),
    "not-gzip": packed(DOCUMENT),
    "not-zstd": packed(DOCUMENT, b"zstd"),
    "json-deep": Answer(200, anthropic.JSON_HEADERS, (b'{"type":"message","content":' + b"[" * 200_000,)),
    "json-digits": Answer(200, anthropic.JSON_HEADERS, (DOCUMENT[:-1] + b',"x":' + b"9" * 100_000 + b"}",)),
    "carriage-returns": events(WHOLE.replace(b"\n", b"\r")[:-1]),
    "empty-lines": events(*HALF, b"\n" * 300_000, *TAIL),
    "many-lines": events(*HALF, b"data: \n" * 2_000_000 + b"\n", *TAIL),
    "ten-megabytes": events(*HALF, b"data: " + b"x" * 10 * MIB + b"\n\n", *TAIL),
    "no-line-end": events(*HALF, *[b"x" * MIB] * 10),
    "nuls": events(*HALF, bytes(1_000_000), *TAIL),
    "not-utf8": events(WHOLE.replace(b"words", b"\xff\xfe\xc3")),
    "utf16": events(WHOLE.decode().encode("utf-16")),
    "nested": events(*HALF, delta(b'"index":0,"delta":' + b'{"a":' * 50_000 + b"1" + b"}" * 50_000), *TAIL),
    "index-digits": events(*HALF, delta(b'"index":' + b"9" * 100_000 + b',"delta":{}'), *TAIL),
    "index-negative": events(*HALF, delta(b'"index":-1,"delta":{"type":"text_delta","text":"z"}'), *TAIL),
    "keys-twice": events(*HALF, delta(b'"type":"ping","index":0,"index":7,"delta":{},"delta":null'), *TAIL),
    "types-wrong": events(*HALF, delta(b'"type":5,"index":"a","delta":[]'), b"data: null\n\n", *TAIL),
    "names-long": events(WHOLE.replace(anthropic.MODEL.encode(), b"m" * 5 * MIB)),
}


@pytest.mark.parametrize("path", [MESSAGES, CHAT], ids=["same", "other"])
@pytest.mark.parametrize("case", list(ANSWERS))
async def test_rough_answers(house: House, case: str, path: bytes) -> None:
    """Passed on, retold or told as an error; whatever it is, it ends, and was asked for a few times at most."""
    with house.playing(ANSWERS[case]) as mark:
        answer = await house.ask(path, mark, stream=True)
    assert answer.complete
    assert answer.status in (200, 502, 504), answer.body[:300]
    assert 1 <= len(house.stage.arrived(mark)) <= 6
